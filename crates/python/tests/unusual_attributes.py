"""Cases of `unusual_files.py`: fitted attributes that are not finite or disagree with others, and frozen estimators."""

from __future__ import annotations

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler
from sklearn.svm import LinearSVC
from unusual_tables import PROBE, THREE, Case, X, Y, changed, coded, probe, replaced, with_column

try:
    from sklearn.frozen import FrozenEstimator
except ImportError:
    # Before scikit-learn 1.6.
    FrozenEstimator = None

BINARY = np.where(Y > 3, "yes", "no")
TWO = np.array([1.0, 2.0])


def _scaled(scaler):
    return make_pipeline(scaler, Ridge()).fit(X, Y)


def _classifier():
    return LogisticRegression().fit(X, BINARY)


def not_finite():
    """Fitted numbers that are NaN or infinite: scikit-learn predicts NaN for each row."""
    for number in (np.nan, np.inf, -np.inf):
        last = np.array([1.0, number])
        ridge = changed(Ridge().fit(X, Y), None, coef_=last)
        yield f"coef_ with {number}", Case(ridge, PROBE, "Ridge: coef_ is not finite")
        logistic = changed(_classifier(), None, coef_=last.reshape(1, 2))
        yield f"coef_ of a classifier with {number}", Case(logistic, PROBE, "LogisticRegression: coef_ is not finite")
        scaled = changed(_scaled(StandardScaler()), 0, mean_=last)
        yield f"mean_ with {number}", Case(scaled, PROBE, "mean_ is not finite")
    ridge = changed(Ridge().fit(X, Y), None, intercept_=np.nan)
    yield "intercept_ is NaN", Case(ridge, PROBE, "intercept_ is not finite")
    three = changed(LogisticRegression().fit(X, THREE), None, intercept_=np.array([0.0, np.nan, 1.0]))
    yield "intercept_ of three classes with NaN", Case(three, PROBE, "intercept_ is not finite")
    for step, attribute, values in [
        (RobustScaler(), "center_", TWO),
        (MinMaxScaler(), "scale_", TWO),
        (PCA(2), "components_", np.eye(2)),
    ]:
        fitted = changed(_scaled(step), 0, **{attribute: values * np.nan})
        yield f"{attribute} with NaN", Case(fitted, PROBE, f"{attribute} is not finite")
    filled = changed(_scaled(SimpleImputer()), 0, statistics_=np.array([1.0, np.inf]))
    yield "statistics_ with inf", Case(filled, PROBE.assign(b=np.nan), "statistics_ is not finite")
    yield "coef_ with NaN, fitted again", Case(changed(Ridge().fit(X, Y), None, coef_=TWO * np.nan).fit(X, Y), PROBE)


def disagreeing():
    """Fitted attributes of other lengths, shapes and categories than the others."""
    unlike = "intercept_ is not what this class has"
    yield "two intercepts", Case(changed(Ridge().fit(X, Y), None, intercept_=TWO), PROBE, unlike)
    yield "no intercept", Case(changed(Ridge().fit(X, Y), None, intercept_=np.array([])), PROBE, unlike)
    yield "two intercepts of two classes", Case(changed(_classifier(), None, intercept_=TWO), PROBE, unlike)
    matrix = changed(Ridge().fit(X, Y), None, intercept_=np.array([[1.0]]))
    yield "a matrix of an intercept", Case(matrix, PROBE, unlike)
    three = changed(LogisticRegression().fit(X, THREE), None, intercept_=TWO)
    yield "two intercepts of three classes", Case(three, PROBE, unlike)
    three = changed(LogisticRegression().fit(X, THREE), None, intercept_=np.array([0.5]))
    yield "one intercept of three classes", Case(three, PROBE)
    yield "an array of one intercept", Case(changed(Ridge().fit(X, Y), None, intercept_=np.array([1.0])), PROBE)
    column = changed(_scaled(StandardScaler()), 0, mean_=TWO.reshape(2, 1))
    yield "a matrix of means", Case(column, PROBE.iloc[:2], "mean_ is not what this class has")
    width = "it was fitted to another number of columns: n_features_in_ is 3, and its input has 2"
    yield "another number of features", Case(changed(_scaled(StandardScaler()), 1, n_features_in_=3), PROBE, width)
    twice = changed(_classifier(), None, classes_=np.array(["yes", "yes"]))
    yield "a class twice", Case(twice, PROBE, "classes_ has the class yes twice")
    mixed = changed(_classifier(), None, classes_=np.array([0, "yes"], dtype=object))
    yield "classes of two types", Case(mixed, PROBE, "classes_ has values of several types")
    yield "classes in another order", Case(changed(_classifier(), None, classes_=np.array(["yes", "no"])), PROBE)
    yield from _dropped()


def _dropped():
    table = with_column(["red", "green", "blue"], fraction=0)
    rare = with_column([*["red"] * 9, *["green"] * 9, "blue", "black"], fraction=0)
    rows = probe("red", "green", "blue")
    groups = {"handle_unknown": "infrequent_if_exist", "min_frequency": 0.15}

    def encoder(fitted, **attributes):
        changed(fitted[0].named_transformers_["onehotencoder"], None, **attributes)
        return fitted

    unlike = grouping = "_drop_idx_after_grouping is not what this class has"
    plain = coded(table, drop="first")
    if not hasattr(plain[0].named_transformers_["onehotencoder"], "_drop_idx_after_grouping"):
        # Before scikit-learn 1.2, drop_idx_ alone decides what is dropped.
        unlike = "it was fitted to another number of columns"
    first = np.array([1], dtype=object)
    yield "drop_idx_ is None", Case(encoder(plain, drop_idx_=None), rows, unlike)
    grouped = encoder(coded(table, drop="first"), _drop_idx_after_grouping=None)
    yield "_drop_idx_after_grouping is None", Case(grouped, rows, grouping)
    yield "drop_idx_ of nothing that is dropped", Case(encoder(coded(table), drop_idx_=first), rows, unlike)
    both = encoder(coded(table, drop="first"), drop_idx_=first, _drop_idx_after_grouping=first)
    yield "another category is dropped", Case(both, rows)
    mappings = "_default_to_infrequent_mappings is not what this class has"
    other = [np.array([0, 0, 1, 2])]
    other = encoder(coded(rare, **groups), _default_to_infrequent_mappings=other)
    yield "other infrequent categories", Case(other, rows, mappings)
    yield "infrequent categories of the fit", Case(coded(rare, **groups), probe("red", "black", "violet"))


def sigmoids():
    """Calibrated classifiers whose calibration is none of one sigmoid."""
    logistic, sigmoid = LogisticRegression(), 'fit it with method="sigmoid"'
    fit = lambda method: CalibratedClassifierCV(logistic, method=method, ensemble=False, cv=3)  # noqa: E731
    yield "isotonic calibration", Case(fit("isotonic").fit(X, BINARY), PROBE, sigmoid)
    try:
        yield "temperature scaling", Case(fit("temperature").fit(X, BINARY), PROBE, sigmoid)
    except ValueError:
        # Before scikit-learn 1.8.
        pass
    yield "one sigmoid", Case(fit("sigmoid").fit(X, BINARY), PROBE)
    only = lambda fitted: fitted.calibrated_classifiers_[0]  # noqa: E731
    for method in ("isotonic", "temperature", "other"):
        fitted = fit("sigmoid").fit(X, BINARY)
        changed(only(fitted), None, method=method)
        yield f"a sigmoid of the method {method}", Case(fitted, PROBE, sigmoid)
    fitted = fit("sigmoid").fit(X, BINARY)
    changed(fitted, None, method="isotonic")
    yield "a parameter method that was changed after the fit", Case(fitted, PROBE)
    other = "its parts have other classes than the whole, or another order"
    reverse = np.array(["yes", "no"])
    fitted = fit("sigmoid").fit(X, BINARY)
    part = only(fitted)
    # Before scikit-learn 1.2, it has another name.
    changed(part.estimator if hasattr(part, "estimator") else part.base_estimator, None, classes_=reverse)
    yield "other classes of the calibrated classifier", Case(fitted, PROBE, other)
    fitted = fit("sigmoid").fit(X, BINARY)
    changed(only(fitted), None, classes=reverse)
    yield "other classes of the calibration", Case(fitted, PROBE, other)


def frozen():
    """Estimators that are fitted before and frozen."""
    if FrozenEstimator is None:
        return
    scaler = StandardScaler().fit(X)
    yield "frozen scaler", Case(make_pipeline(FrozenEstimator(scaler), Ridge()).fit(X, Y), PROBE)
    yield "frozen regressor", Case(FrozenEstimator(LinearRegression().fit(X, Y)), PROBE)
    yield "frozen pipeline", Case(FrozenEstimator(_scaled(StandardScaler())), PROBE)
    table = with_column(["red", "green"], fraction=0)
    encoder = FrozenEstimator(OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(table[["c"]]))
    columns = make_column_transformer((encoder, ["c"]), ("passthrough", ["a", "b"]))
    yield "frozen encoder", Case(make_pipeline(columns, Ridge()).fit(table, Y), probe("red", "green", "violet"))
    nested = ColumnTransformer([("scaled", FrozenEstimator(FrozenEstimator(scaler)), ["a", "b"])])
    yield "frozen twice", Case(make_pipeline(nested, Ridge()).fit(X, Y), PROBE)
    svc = FrozenEstimator(LinearSVC(random_state=0).fit(X, BINARY))
    yield "frozen classifier, calibrated", Case(CalibratedClassifierCV(svc, ensemble=False).fit(X, BINARY), PROBE)
    wider = FrozenEstimator(changed(StandardScaler().fit(X), None, n_features_in_=3))
    width = "it was fitted to another number of columns: n_features_in_ is 3, and its input has 2"
    yield "frozen scaler of another width", Case(replaced(_scaled(StandardScaler()), 0, wider), PROBE, width)
