"""Training on data frames and files, and the estimators for scikit-learn."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import ordinate
from ordinate.sklearn import OrdinateClassifier, OrdinateRegressor


def houses(rows=200):
    random = np.random.default_rng(1)
    table = pd.DataFrame({"area": random.uniform(20, 200, rows), "city": random.choice(["Bonn", "Köln"], rows)})
    table["price"] = 3 * table["area"] + 50 * (table["city"] == "Köln") + random.normal(0, 5, rows)
    return table


def test_a_data_frame_and_its_file_give_the_same_model(tmp_path):
    table = houses()
    table.to_csv(tmp_path / "houses.csv", index=False)
    options = {"target": "price", "name": "houses", "test_fraction": 0.25, "seed": 3}
    of_frame = ordinate.train(table, **options)
    of_file = ordinate.train(tmp_path / "houses.csv", **options)
    np.testing.assert_allclose(of_frame.predict(table), of_file.predict(table), rtol=1e-12)
    assert of_frame.name == "houses"
    assert of_frame.predict_interval(table, 0.9).shape == (200, 2)
    assert "<html" in of_frame.report().text and "srcdoc" in of_frame.report()._repr_html_()
    with pytest.raises(ordinate.PredictionError, match="has no report"):
        ordinate.load("line").report()


def test_options_are_those_of_the_command():
    table = houses().assign(**{"a,b": 1.5})
    table.loc[3, "area"] = np.nan
    model = ordinate.train(
        table,
        target="price",
        estimator="ridge",
        alpha=0.5,
        features=["area", "a,b"],
        missing={"area": "mean"},
        degree=2,
    )
    assert model.metadata["training"]["parameters"]["alpha"] == 0.5
    assert model.metadata["training"]["parameters"]["estimator"] == "ridge"
    assert "area" in model.feature_names
    with pytest.raises(ordinate.TrainError, match="unexpected argument '--no-such'"):
        ordinate.train(table, target="price", no_such=1)
    with pytest.raises(TypeError, match="no option 'out'"):
        ordinate.train(table, target="price", out="model.json")


def test_decisions_are_warnings():
    table = houses()
    table.loc[::7, "city"] = None
    with pytest.warns(ordinate.TrainingWarning, match="missing") as notes:
        model = ordinate.train(table, target="price")
    assert [str(note.message) for note in notes] == model.metadata["training"]["notes"]


def test_errors_have_the_advice_of_the_command_line():
    with pytest.raises(ordinate.TrainError, match="pric"):
        ordinate.train(houses(), target="pric")


def test_tables_of_polars_and_pyarrow():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    table = houses()
    expected = ordinate.train(table, target="price").predict(table)
    for other in [polars.DataFrame(table.to_dict("list")), pyarrow.table(table.to_dict("list"))]:
        np.testing.assert_allclose(ordinate.train(other, target="price").predict(other), expected, rtol=1e-12)


def test_the_regressor_agrees_with_least_squares():
    table = houses()
    X, y = table[["area"]], table["price"]
    regressor = OrdinateRegressor("linear", alpha=None).fit(X, y)
    np.testing.assert_allclose(regressor.predict(X), LinearRegression().fit(X, y).predict(X), rtol=1e-9)
    assert (
        cross_val_score(make_pipeline(StandardScaler(), OrdinateRegressor("ridge", alpha=1.0)), X, y, cv=3).mean() > 0.9
    )


def test_the_classifier_agrees_with_logistic_regression():
    random = np.random.default_rng(2)
    X = random.normal(size=(150, 3))
    y = np.array(["b", "a", "c"])[np.digitize(X[:, 0] + random.normal(0, 0.3, 150), [-0.5, 0.5])]
    classifier = OrdinateClassifier(C=1.0).fit(X, y)
    expected = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, tol=1e-10, max_iter=10000)).fit(X, y)
    assert classifier.classes_.tolist() == ["a", "b", "c"]
    # Old versions of scikit-learn stop earlier.
    np.testing.assert_allclose(classifier.predict_proba(X), expected.predict_proba(X), atol=1e-3)
    assert (classifier.predict(X) == expected.predict(X)).mean() > 0.99


@parametrize_with_checks([OrdinateRegressor(), OrdinateClassifier()])
def test_the_estimators_pass_the_checks_of_scikit_learn(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)
