"""Pipelines beyond the matrix, row by row: the model has scikit-learn's prediction, or both refuse the row."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from pipelines import Data, encoder
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, PolynomialFeatures, StandardScaler

import ordinate

DATA = Data()
PEOPLE, GAPS = DATA.people, DATA.gaps.astype({"colour": object})
FILLED = GAPS.fillna({"age": 1.0, "income": 1.0})
NUMBERS, TEXTS = ["age", "income"], ["colour", "city"]
PROBE = pd.concat(
    [PEOPLE.iloc[:10], PEOPLE.iloc[:2].assign(colour="violet"), PEOPLE.iloc[:2].assign(age=np.nan), GAPS.iloc[:20]],
    ignore_index=True,
)


def prepared(*parts, **options):
    return make_pipeline(ColumnTransformer([(f"part{i}", *part) for i, part in enumerate(parts)], **options), Ridge())


def coded(**options):
    return prepared((encoder(**options), TEXTS), ("passthrough", NUMBERS))


ignoring = {"handle_unknown": "ignore"}
nested = ColumnTransformer([("n", StandardScaler(), NUMBERS), ("c", encoder(**ignoring), TEXTS)])
imputed_texts = make_pipeline(SimpleImputer(strategy="most_frequent"), encoder(**ignoring))
# Pipelines, their training data, and the rows that the export is checked with, if they are others.
FITTED = {
    "nested ColumnTransformers": (prepared((nested, NUMBERS + TEXTS)), PEOPLE, None),
    "union of ColumnTransformers": (
        make_pipeline(FeatureUnion([("a", nested), ("b", ColumnTransformer([("n", "passthrough", ["age"])]))]), Ridge()),
        PEOPLE,
        None,
    ),
    "list of dropped categories": (coded(drop=["red", "Ulm"]), PEOPLE, None),
    "dropped and unknown categories": (coded(drop=["red", "Ulm"], **ignoring), PEOPLE, None),
    "two categories": (coded(max_categories=2, handle_unknown="infrequent_if_exist"), PEOPLE, None),
    "infrequent by count": (coded(min_frequency=60, **ignoring), PEOPLE, None),
    "infrequent, some dropped": (coded(min_frequency=0.08, drop=["red", "Aachen"]), PEOPLE, None),
    "infrequent, missing": (coded(min_frequency=0.15, handle_unknown="infrequent_if_exist"), FILLED, None),
    "missing category, first dropped": (coded(drop="first", **ignoring), FILLED, None),
    "listed categories": (
        prepared((encoder(categories=[["green", "red", "blue"]], **ignoring), ["colour"]), ("passthrough", NUMBERS)),
        PEOPLE,
        None,
    ),
    "sparse output": (
        make_pipeline(
            ColumnTransformer([("c", encoder(**ignoring), TEXTS), ("n", "passthrough", NUMBERS)], sparse_threshold=1.0),
            MaxAbsScaler(),
            Ridge(),
        ),
        PEOPLE,
        None,
    ),
    "dtype category": (coded(**ignoring), PEOPLE.astype({"colour": "category", "city": "category"}), None),
    "dtype string": (coded(**ignoring), PEOPLE.astype({"colour": "string", "city": "string"}), None),
    "dtype int": (prepared((StandardScaler(), NUMBERS)), PEOPLE.astype({"age": int}), None),
    "dtype Int64": (prepared((StandardScaler(), NUMBERS)), PEOPLE.astype({"age": "Int64"}), None),
    "dtype boolean": (
        prepared(("passthrough", ["smokes"]), (StandardScaler(), NUMBERS)),
        PEOPLE.astype({"smokes": "boolean"}),
        None,
    ),
    "booleans scaled": (prepared((StandardScaler(), ["smokes", "age"])), PEOPLE, None),
    "booleans multiplied": (prepared((PolynomialFeatures(2), ["smokes", "age"])), PEOPLE, None),
    "imputed texts": (prepared((imputed_texts, TEXTS), (SimpleImputer(), NUMBERS)), GAPS, None),
    "imputed, checked without gaps": (prepared((imputed_texts, TEXTS), (SimpleImputer(), NUMBERS)), GAPS, PEOPLE),
    "indicators, checked without gaps": (prepared((SimpleImputer(add_indicator=True), NUMBERS)), GAPS, PEOPLE),
    "indicators of nothing": (prepared((SimpleImputer(add_indicator=True), NUMBERS)), PEOPLE, None),
    "imputed twice": (
        make_pipeline(
            ColumnTransformer([("n", "passthrough", NUMBERS)]),
            FeatureUnion([("a", SimpleImputer()), ("b", make_pipeline(SimpleImputer(), StandardScaler()))]),
            Ridge(),
        ),
        GAPS,
        PEOPLE,
    ),
    "mask of columns": (
        prepared((StandardScaler(), np.array([True, True, False, False, False, True]))),
        PEOPLE,
        None,
    ),
    "no columns": (prepared((StandardScaler(), []), (StandardScaler(), ["age"])), PEOPLE, None),
    "function of some columns": (
        prepared((FunctionTransformer(np.log), ["age"]), (make_pipeline(FunctionTransformer(np.sqrt)), ["income"])),
        PEOPLE,
        None,
    ),
    "selected products": (
        make_pipeline(
            ColumnTransformer([("n", PolynomialFeatures(2), NUMBERS)]), SelectKBest(f_regression, k=3), Ridge()
        ),
        PEOPLE,
        None,
    ),
    "nothing selected by lasso": (make_pipeline(*prepared((StandardScaler(), NUMBERS))[:1], Lasso(1e9)), PEOPLE, None),
    "a clone": (clone(prepared((StandardScaler(), NUMBERS))), PEOPLE, None),
    "dates in another column": (
        prepared((StandardScaler(), NUMBERS)),
        PEOPLE.assign(day=pd.Timestamp("2024-02-29")),
        None,
    ),
    "one row to check with": (coded(), PEOPLE, PEOPLE.iloc[:1]),
}


def outcome(predict, row):
    """The prediction of a row, or `None` for an error."""
    try:
        return float(np.asarray(predict(row), dtype=float).ravel()[0])
    except (ValueError, TypeError, KeyError):
        return None


@pytest.mark.parametrize("name", FITTED)
def test_each_row_has_the_same_prediction_or_is_refused(name):
    estimator, X, checked = FITTED[name]
    fitted = estimator.fit(X, DATA.price)
    model = ordinate.from_sklearn(fitted, X if checked is None else checked)
    others = {column: X[column].iloc[0] for column in X.columns if column not in PROBE.columns}
    probe, predicted = PROBE.assign(**others)[list(X.columns)], 0
    for position in range(len(probe)):
        row = probe.iloc[[position]]
        expected, got = outcome(fitted.predict, row), outcome(model.predict, row)
        assert (expected is None) == (got is None), f"{row.to_dict('records')}: {expected}, {got}"
        if expected is not None:
            assert abs(got - expected) <= 1e-12 * max(1.0, abs(expected)), row.to_dict("records")
            predicted += 1
    assert predicted >= 5


def refusal(fitted, X):
    with pytest.raises(ordinate.NotExportableError) as error:
        ordinate.from_sklearn(fitted, X)
    assert "\nhelp: " in str(error.value)
    return str(error.value)


def test_predictions_in_single_precision_are_refused():
    small = DATA.small.astype("float32")
    fitted = make_pipeline(StandardScaler(), LinearRegression()).fit(small.to_numpy(), DATA.y.astype("float32"))
    assert "float32" in refusal(fitted, small.to_numpy())
    X = small.to_numpy().astype("float64")
    difference = ordinate.from_sklearn(fitted, X).predict(X) - fitted.predict(X)
    assert np.abs(difference).max() <= 1e-12


def test_what_does_not_predict_is_refused():
    assert "Pipeline: it has no predictions" in refusal(make_pipeline(StandardScaler()).fit(DATA.small), DATA.small)


def test_sums_of_far_larger_numbers_are_refused_with_advice():
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 2)) + 1e9
    fitted = LinearRegression().fit(X, X[:, 0] - X[:, 1])
    fitted.coef_, fitted.intercept_ = np.array([1000.1, -1000.1]), 0.0
    # Without the rounding of a sum, which is that of the model file with some libraries and another one with others.
    fitted.predict = lambda X: np.array([float(Fraction(1000.1) * (Fraction(a) - Fraction(b))) for a, b in X])
    assert "StandardScaler" in refusal(fitted, X)


def test_sample_weights_and_other_targets():
    for y in [DATA.price.astype(object), DATA.price.astype(int), DATA.price.reshape(-1, 1)]:
        fitted = prepared((StandardScaler(), NUMBERS)).fit(PEOPLE, y, ridge__sample_weight=np.arange(1.0, 1001.0))
        expected = np.ravel(fitted.predict(PEOPLE))
        np.testing.assert_allclose(ordinate.from_sklearn(fitted, PEOPLE).predict(PEOPLE), expected, rtol=1e-12)
    two = LinearRegression().fit(DATA.small, np.c_[DATA.y, DATA.y])
    assert "one model for each target" in refusal(two, DATA.small)
    for classes in [DATA.binary.astype(float), DATA.binary == 1, DATA.species.astype(object)]:
        fitted = LogisticRegression().fit(DATA.small, classes)
        model = ordinate.from_sklearn(fitted, DATA.small)
        assert (model.predict(DATA.small) == fitted.predict(DATA.small)).all()
