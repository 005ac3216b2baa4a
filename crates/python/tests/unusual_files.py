"""Fitted estimators of unusual kinds, or changed after the fit, in files: what each row predicts, or why it is refused.

Run as a program, it writes them for the tests of the crate `ordinate-import`:
`python unusual_files.py ../../import/tests/unusual`. `CASES` has the estimator, the rows to predict, and a part of the
message of an estimator that is refused. Where a message has an advice, the next case follows it.
"""

from __future__ import annotations

import io
import json
import pathlib
import pickle
import sys
import warnings
import zipfile
from typing import Any

import joblib
import numpy as np
import pandas as pd
import scipy.stats
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    MultiTaskElasticNet,
    MultiTaskLassoCV,
    OrthogonalMatchingPursuit,
    OrthogonalMatchingPursuitCV,
    QuantileRegressor,
    Ridge,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVR, LinearSVC, LinearSVR
from unusual_attributes import disagreeing, frozen, not_finite, sigmoids
from unusual_tables import PROBE, ROWS, THREE, Case, X, Y, changed, coded, probe, replaced, with_column


def worst_error(y, predicted):
    """A scorer of the user, which is not part of scikit-learn."""
    return float(np.abs(y - predicted).max())


def score_of_nothing(estimator, X, y):
    """A callable of the user as `scoring`."""
    return 1.0


def _categories():
    texts = ["red", "blue", "(missing)", "(other)", np.nan, "violet"]
    gaps = with_column(["red", "blue", "green"], np.nan)
    names = with_column(["red", "blue", "(missing)", "(other)"], np.nan)
    rare = with_column([*["red"] * 8, *["(other)"] * 8, "blue", "(missing)"], np.nan, 0.1)
    full = with_column([*["red"] * 8, *["(other)"] * 8, "blue", "(missing)"], fraction=0)
    rare_other = with_column([*["red"] * 8, *["(missing)"] * 8, "blue", "(other)"], np.nan, 0.1)
    nan_text = with_column(["red", "nan"], np.nan)
    groups = {"handle_unknown": "infrequent_if_exist", "min_frequency": 0.15}
    constant = SimpleImputer(strategy="constant", fill_value="(missing)")
    yield "missing category, literal names ignored", Case(coded(gaps, handle_unknown="ignore"), probe(*texts))
    yield "missing category, literal names refused", Case(coded(gaps), probe(*texts))
    yield "missing category, infrequent", Case(coded(gaps, **groups), probe(*texts))
    yield "real levels with the names of groups", Case(coded(names), probe(*texts))
    yield "real levels with the names of groups, dropped", Case(coded(names, drop="first"), probe(*texts))
    yield "real level (other), infrequent", Case(coded(rare, **groups), probe(*texts))
    yield "real level (other), infrequent, missing unknown", Case(coded(full, **groups), probe(*texts))
    yield (
        "real level (other), infrequent, dropped",
        Case(coded(full, drop=["red"], **groups), probe(*texts)),
    )
    yield "real level (other) is infrequent", Case(coded(rare_other, **groups), probe(*texts))
    yield "real level nan", Case(coded(nan_text, handle_unknown="ignore"), probe("red", "nan", np.nan))
    yield "imputed (missing)", Case(coded(gaps, constant, handle_unknown="ignore"), probe(*texts))
    two = with_column(["red", None, np.nan], fraction=0)
    yield "None and NaN", Case(coded(two), probe("red"), "where(X[\"c\"].notna(), None)")
    yield "None and NaN, one of them", Case(coded(two.assign(c=two["c"].where(two["c"].notna(), None))), probe("red"))


def _booleans():
    plain = with_column([True, False], fraction=0)
    none, nan = with_column([True, False], None), with_column([True, False], np.nan)
    for drop in (None, "first", "if_binary"):
        yield f"booleans with None, drop={drop}", Case(coded(none, drop=drop), probe(True, False, None))
        yield (
            f"booleans with NaN, drop={drop}, unknown ignored",
            Case(coded(nan, drop=drop, handle_unknown="ignore"), probe(True, False, np.nan)),
        )
    yield (
        "booleans, missing ones ignored",
        Case(coded(plain, handle_unknown="ignore"), probe(True, False, np.nan)),
    )
    yield "booleans, missing ones refused", Case(coded(plain), probe(True, False, np.nan))
    yield (
        "imputed booleans",
        Case(coded(nan, SimpleImputer(strategy="most_frequent")), probe(True, False, np.nan)),
    )
    only = with_column([True], fraction=0)
    yield "booleans, only True", Case(coded(only), probe(True), 'X["c"].astype(str)')
    yield "booleans, only True, as text", Case(coded(only.assign(c=only["c"].astype(str))), probe("True", "False"))
    yield (
        "booleans, only True, unknown ignored",
        Case(coded(only, handle_unknown="ignore"), probe(True, False, np.nan)),
    )
    numbers = nan.assign(c=nan["c"].astype(float))
    mean = ColumnTransformer([("mean", SimpleImputer(), ["c"]), ("rest", "passthrough", ["a", "b"])])
    products = make_pipeline(mean, PolynomialFeatures(2), StandardScaler(), Ridge()).fit(numbers, Y)
    yield "booleans as numbers, imputed by their mean", Case(products, probe(1.0, 0.0, np.nan))
    for number, drop in enumerate([None, "first"]):
        three = with_column([True, False], None)
        encoder = OneHotEncoder(drop=drop)
        columns = ColumnTransformer([("c", encoder, ["c"]), ("rest", "passthrough", ["a"])], sparse_threshold=0)
        fitted = make_pipeline(columns, PolynomialFeatures(2, include_bias=False), Ridge()).fit(three, Y)
        yield f"products of booleans with None {number}", Case(fitted, probe(True, False, None))


def _unfitted():
    unfitted = "it is not fitted"
    scaled = lambda: make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge()).fit(X, Y)  # noqa: E731
    yield "unfitted polynomial", Case(replaced(scaled(), 1, PolynomialFeatures(2)), PROBE, unfitted)
    yield "unfitted first step", Case(replaced(scaled(), 0, StandardScaler()), PROBE, unfitted)
    yield "unfitted pipeline", Case(make_pipeline(StandardScaler(), Ridge()), PROBE, unfitted)
    yield "fitted again", Case(replaced(scaled(), 0, StandardScaler()).fit(X, Y), PROBE)
    yield "degree changed after the fit", Case(changed(scaled(), 1, degree=3), PROBE)
    yield (
        "interactions changed after the fit",
        Case(changed(scaled(), 1, interaction_only=True), PROBE, "its parameters are not those of the fit"),
    )
    nothing = make_pipeline("passthrough", make_pipeline("passthrough", FunctionTransformer()))
    yield "pipeline of passthrough steps", Case(make_pipeline(nothing, StandardScaler(), Ridge()).fit(X, Y), PROBE)
    nested = Pipeline([("nothing", Pipeline([("none", "passthrough")])), ("ridge", Ridge())])
    yield "pipeline of one passthrough step, array", Case(nested.fit(X.to_numpy(), Y), PROBE)


def _coefficients():
    saga = LogisticRegression(l1_ratio=0.5, solver="saga", C=0.1, random_state=0)
    yield "sparse coefficients", Case(saga.fit(X, Y > 3).sparsify(), PROBE)
    yield "sparse coefficients, three classes", Case(LogisticRegression().fit(X, THREE).sparsify(), PROBE)
    yield "sparse coefficients of a vector", Case(SGDRegressor(random_state=0).fit(X, Y).sparsify(), PROBE)
    lasso = lambda: Lasso(0.01).fit(X, Y)  # noqa: E731
    masked = lambda: changed(lasso(), None, coef_=np.ma.masked_array(lasso().coef_))  # noqa: E731
    yield "masked coefficients", Case(masked(), PROBE, "step.coef_ = numpy.ma.filled(step.coef_, 0.0)")
    yield "masked coefficients, filled", Case(changed(masked(), None, coef_=np.ma.filled(masked().coef_, 0.0)), PROBE)
    listed = changed(lasso(), None, coef_=list(lasso().coef_))
    yield "listed coefficients", Case(listed, PROBE, "step.coef_ = numpy.asarray(step.coef_)")
    yield "listed coefficients, as an array", Case(changed(lasso(), None, coef_=np.asarray(listed.coef_)), PROBE)
    columns = scipy.sparse.csc_matrix(np.atleast_2d(lasso().coef_))
    yield "sparse columns", Case(changed(lasso(), None, coef_=columns), PROBE, "step.coef_ = step.coef_.toarray()")
    yield "sparse columns, as an array", Case(changed(lasso(), None, coef_=columns.toarray()), PROBE)


def _unused():
    memory = joblib.Memory(None, verbose=0)
    yield "memory of a pipeline", Case(make_pipeline(StandardScaler(), Ridge(), memory=memory).fit(X, Y), PROBE)
    yield "own scorer", Case(RidgeCV(scoring=make_scorer(worst_error, greater_is_better=False)).fit(X, Y), PROBE)
    search = lambda scoring: GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, scoring=scoring, cv=2).fit(X, Y)  # noqa: E731
    yield "own callable as scoring", Case(search(score_of_nothing), PROBE)
    yield "own scorer of a search", Case(search(make_scorer(worst_error)), PROBE)
    own = make_pipeline(FunctionTransformer(worst_error), Ridge())
    own = replaced(make_pipeline(FunctionTransformer(), Ridge()).fit(X, Y), 0, own[0])
    yield "own function that is used", Case(own, PROBE, "worst_error")
    distributions = {"alpha": scipy.stats.uniform(0.1, 2)}
    random = RandomizedSearchCV(Ridge(), distributions, n_iter=2, cv=2, random_state=0).fit(X, Y)
    yield "search over distributions", Case(random, PROBE)


def _classes():
    matrix = Y.reshape(-1, 1)
    for fitted in [
        QuantileRegressor(alpha=0.01, solver="highs").fit(X, Y),
        OrthogonalMatchingPursuit().fit(X, Y),
        OrthogonalMatchingPursuitCV(cv=3).fit(X, Y),
        MultiTaskElasticNet(0.01).fit(X, matrix),
        MultiTaskLassoCV(cv=3).fit(X, matrix),
        make_pipeline(StandardScaler(), PolynomialFeatures(2), OrthogonalMatchingPursuit(n_nonzero_coefs=3)).fit(X, Y),
        TransformedTargetRegressor(QuantileRegressor(alpha=0, solver="highs"), transformer=StandardScaler()).fit(X, Y),
    ]:
        name = type(fitted[-1] if isinstance(fitted, Pipeline) else fitted).__name__
        yield f"{name}{' in a pipeline' if isinstance(fitted, Pipeline) else ''}", Case(fitted, PROBE)
    yield "SVR", Case(SVR(kernel="linear").fit(X, Y), PROBE, "LinearSVR")
    yield "LinearSVR", Case(LinearSVR(random_state=0).fit(X, Y), PROBE)
    yield "PLSRegression", Case(PLSRegression(1).fit(X, Y), PROBE, "make_pipeline(StandardScaler(), PCA(2)")
    projected = make_pipeline(StandardScaler(), PCA(2), LinearRegression())
    yield "PLSRegression, PCA instead", Case(projected.fit(X, Y), PROBE)
    yield "several targets", Case(MultiTaskElasticNet(0.01).fit(X, np.c_[Y, Y]), PROBE, "one model for each target")
    rest = OneVsRestClassifier(LogisticRegression()).fit(X, THREE)
    yield "one against the rest", Case(rest, PROBE, "fit LogisticRegression()")
    yield "one against the rest, softmax", Case(LogisticRegression().fit(X, THREE), PROBE)
    several = SGDClassifier(loss="log_loss", random_state=0).fit(X, THREE)
    yield "SGDClassifier of three classes", Case(several, PROBE, "fit LogisticRegression()")
    svc = LinearSVC(random_state=0)
    yield "LinearSVC", Case(svc.fit(X, Y > 3), PROBE, "CalibratedClassifierCV(estimator, ensemble=False)")
    yield "LinearSVC, calibrated", Case(CalibratedClassifierCV(svc, ensemble=False).fit(X, Y > 3), PROBE)


def _changed():
    for scaler, switches in [(StandardScaler, ("with_mean", "with_std")), (RobustScaler, ("with_centering", "with_scaling"))]:
        for centres, scales in [(True, False), (False, True), (False, False)]:
            options = dict(zip(switches, (centres, scales)))
            fitted = make_pipeline(scaler(), Ridge()).fit(X, Y)
            yield f"{scaler.__name__} {centres} {scales}", Case(changed(fitted, 0, **options), PROBE)
            target = TransformedTargetRegressor(Ridge(), transformer=scaler()).fit(X, Y)
            for name, value in options.items():
                setattr(target.transformer_, name, value)
            yield f"target, {scaler.__name__} {centres} {scales}", Case(target, PROBE)
    yield "clip=0", Case(changed(make_pipeline(MinMaxScaler(), Ridge()).fit(X, Y), 0, clip=0), PROBE)
    yield "clip=1", Case(changed(make_pipeline(MinMaxScaler(), Ridge()).fit(X, Y), 0, clip=1), PROBE, "clip=False")
    positive = np.exp(Y / 10)
    yield "Tweedie", Case(TweedieRegressor(power=1.5).fit(X, positive), PROBE)
    yield "Tweedie, identity", Case(TweedieRegressor(power=1.5, link="identity").fit(X, positive), PROBE)
    link = changed(TweedieRegressor(power=1.5).fit(X, positive), None, link="identity")
    yield "Tweedie, another link", Case(link, PROBE, "not that of the fit")
    table = with_column(["red", "blue"], np.nan)
    full = with_column(["red", "blue"], fraction=0)
    for policy, error in [("ignore", "impute the feature once"), ("error", None)]:
        impute = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown=policy))
        union = FeatureUnion([("imputed", impute), ("plain", OneHotEncoder(handle_unknown=policy))])
        columns = ColumnTransformer([("c", union, ["c"])], sparse_threshold=0)
        fitted = make_pipeline(columns, Ridge()).fit(full, Y)
        rows = probe("red", "blue", np.nan, "violet")
        yield f"encoded with and without imputed values, {policy}", Case(fitted, rows, error)
    yield (
        "encoded with imputed values",
        Case(coded(table, SimpleImputer(strategy="most_frequent")), probe("red", np.nan, "violet")),
    )
    union = FeatureUnion([(str(i), PolynomialFeatures(2, interaction_only=True)) for i in range(2)])
    yield "interactions of one column", Case(make_pipeline(union, Ridge()).fit(X[["a"]], Y), X[["a"]].iloc[:3])


def cases() -> dict[str, Case]:
    """All cases by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = [_categories(), _booleans(), _unfitted(), _coefficients(), _unused(), _classes(), _changed()]
        parts += [not_finite(), disagreeing(), sigmoids(), frozen()]
        return {name: case for part in parts for name, case in part}


def outcome(predict: Any, row: pd.DataFrame) -> Any:
    """The prediction of a row, `None` for an error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = np.asarray(predict(row)).ravel()
    except (ValueError, TypeError):
        return None
    return value[0].item() if len(value) == 1 else value.tolist()


def _joblib(fitted: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(fitted, file)
    return file.getvalue()


# The formats take turns.
WRITERS = {
    "pkl": lambda fitted: pickle.dumps(fitted, protocol=5),
    "skops": lambda fitted: skops.io.dumps(fitted, compression=zipfile.ZIP_DEFLATED),
    "joblib": _joblib,
    "2.pkl": lambda fitted: pickle.dumps(fitted, protocol=2),
}


def main(folder: str) -> None:
    # The functions of the user are in a module, not in the program.
    import unusual_files as module

    target, described = pathlib.Path(folder), []
    for position, (name, (fitted, rows, error)) in enumerate(module.cases().items()):
        ending = list(WRITERS)[position % len(WRITERS)]
        try:
            content = WRITERS[ending](fitted)
        except TypeError:
            # skops refuses what it cannot load.
            ending = "pkl"
            content = WRITERS[ending](fitted)
        file = f"{position:03}.{ending}"
        (target / file).write_bytes(content)
        each = [rows.iloc[[row]] for row in range(len(rows))]
        if not hasattr(fitted, "feature_names_in_"):
            each = [row.to_numpy() for row in each]
        values = [[None if pd.isna(value) else value for value in row] for row in rows.astype(object).to_numpy().tolist()]
        case = {"name": name, "file": file, "columns": list(rows.columns), "rows": values, "error": error}
        if error is None:
            case["predictions"] = [outcome(fitted.predict, row) for row in each]
            if hasattr(fitted, "predict_proba"):
                case["probabilities"] = [outcome(fitted.predict_proba, row) for row in each]
        described.append(case)
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in described)
    (target / "cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
