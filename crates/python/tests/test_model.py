"""Models: predictions on tables of all libraries, errors, pickles, threads."""

import copy
import errno
import json
import pickle
import sqlite3
import threading

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import ordinate
from ordinate import _tables

PEOPLE = pd.DataFrame(
    {
        "age": [31.0, 44.0, 25.0, 62.0, 51.0, 38.0],
        "colour": ["red", "blue", "red", "green", "blue", "green"],
        "smokes": [True, False, False, True, False, True],
    }
)


@pytest.fixture(scope="module")
def people():
    transformer = make_column_transformer(
        (StandardScaler(), ["age"]), (OneHotEncoder(), ["colour"]), remainder="passthrough"
    )
    fitted = make_pipeline(transformer, Ridge()).fit(PEOPLE, [1.0, 2.0, 0.5, 3.0, 2.5, 1.5])
    return fitted, ordinate.from_sklearn(fitted, PEOPLE, name="people", target="score")


def test_tables_of_all_libraries_have_the_same_predictions(people):
    fitted, model = people
    expected = fitted.predict(PEOPLE)
    tables = {
        "pandas": PEOPLE,
        "other order, another column": PEOPLE[["smokes", "colour", "age"]].assign(id=1),
        "categories": PEOPLE.assign(colour=PEOPLE["colour"].astype("category")),
        "nullable": PEOPLE.convert_dtypes(),
        "columns": PEOPLE.to_dict("list"),
        "rows": PEOPLE.to_dict("records"),
        "lists": PEOPLE.to_numpy().tolist(),
        "objects": PEOPLE.to_numpy(),
    }
    for name, table in tables.items():
        np.testing.assert_allclose(model.predict(table), expected, rtol=1e-13, err_msg=name)


def test_polars_has_the_same_predictions(people):
    polars = pytest.importorskip("polars")
    fitted, model = people
    table = polars.DataFrame(PEOPLE.to_dict("list"))
    np.testing.assert_allclose(model.predict(table), fitted.predict(PEOPLE), rtol=1e-13)
    gaps = polars.DataFrame({"age": [31.0, None], "colour": ["red", "red"], "smokes": [True, True]})
    with pytest.raises(ordinate.SignatureError, match='row 1, "age" is missing'):
        model.predict(gaps)


def test_pyarrow_has_the_same_predictions(people):
    pyarrow = pytest.importorskip("pyarrow")
    fitted, model = people
    table = pyarrow.table(PEOPLE.to_dict("list"))
    np.testing.assert_allclose(model.predict(table), fitted.predict(PEOPLE), rtol=1e-13)
    dictionary = table.set_column(1, "colour", table["colour"].dictionary_encode())
    np.testing.assert_allclose(model.predict(dictionary), fitted.predict(PEOPLE), rtol=1e-13)


def test_arrays_of_numbers_of_any_type():
    model = ordinate.load("line")
    for kind in ["float64", "float32", "int64", "int8", "uint16", ">f8"]:
        assert model.predict(np.array([[1], [2]], dtype=kind)).tolist() == [3.0, 5.0], kind
    assert model.predict(np.asfortranarray([[1.0], [2.0]])).tolist() == [3.0, 5.0]
    assert model.predict([1.0, 2.0]).tolist() == [3.0, 5.0]
    assert model.predict({"x": 1.0}).tolist() == [3.0]


def test_arrays_of_doubles_have_the_bits_of_other_tables():
    random = np.random.default_rng(3)
    X = random.normal(3, 2, (5000, 4))
    y = X @ [1.0, -2.0, 0.5, 3.0]
    names = ["a", "b", "c", "d"]
    for fitted in [Ridge(), make_pipeline(StandardScaler(), Ridge())]:
        frame = pd.DataFrame(X, columns=names)
        model = ordinate.from_sklearn(fitted.fit(frame, y), frame)
        # Lists go the ordinary way.
        expected = model.predict(X.tolist()).tolist()
        wide = np.zeros((5000, 8))
        wide[:, ::2] = X
        tables = {
            "rows": X,
            "columns": np.asfortranarray(X),
            "every other column": wide[:, ::2],
            "read-only": np.frombuffer(X.tobytes()).reshape(-1, 4),
            "frame": frame,
            "frame of columns": pd.DataFrame({name: X[:, i].copy() for i, name in enumerate(names)}),
            "other order": frame[["d", "b", "a", "c"]],
            "dictionary": {name: X[:, i] for i, name in enumerate(names)},
        }
        for name, table in tables.items():
            assert model.predict(table).tolist() == expected, name
        assert model._core.predict_array(X) is not None and model._core.predict_array(X.astype(np.float32)) is None
        # A part of a table is read from its memory too, whose rows are far from each other.
        for part in (frame[:1], frame[::7], wide[:, ::2]):
            assert model._core.predict_array(_tables.array(part, names)) is not None
        assert model.predict(frame[:1]).tolist() == expected[:1]


def test_missing_values_in_arrays_are_faults_or_imputed():
    X = np.array([[1.0, 2.0], [np.nan, 3.0], [2.0, np.inf]])
    fitted = LinearRegression().fit(X[:1], [1.0])
    with pytest.raises(ordinate.SignatureError, match='row 1, "x0" is missing.*\n.*row 2, "x1" is missing'):
        ordinate.from_sklearn(fitted, X[:1]).predict(X)
    fitted = make_pipeline(SimpleImputer(), LinearRegression()).fit(X[:2], [1.0, 2.0])
    np.testing.assert_allclose(ordinate.from_sklearn(fitted, X[:2]).predict(X[:2]), fitted.predict(X[:2]), rtol=1e-13)


def test_masked_values_are_missing():
    model = ordinate.load("line")
    masked = np.ma.masked_array([[1.0], [2.0]], mask=[[False], [True]])
    for table in [masked, {"x": masked[:, 0]}]:
        with pytest.raises(ordinate.SignatureError, match='row 1, "x" is missing'):
            model.predict(table)
    assert model.predict(masked[:1]).tolist() == [3.0]


def test_a_series_is_a_row_by_its_names(people):
    fitted, model = people
    row = PEOPLE.iloc[0][["smokes", "age", "colour"]]
    np.testing.assert_allclose(model.predict(row), fitted.predict(PEOPLE.iloc[:1]), rtol=1e-13)
    assert ordinate.load("line").predict(pd.Series([1.0, 2.0])).tolist() == [3.0, 5.0]


def test_sparse_matrices_and_repeated_columns():
    model = ordinate.load("line")
    assert model.predict(csr_matrix([[1.0], [0.0]])).tolist() == [3.0, 1.0]
    with pytest.raises(ordinate.SignatureError, match='"x" appears twice'):
        model.predict(pd.DataFrame([[1.0, 2.0]], columns=["x", "x"]))


def test_all_faults_are_listed_as_by_the_service(people):
    _, model = people
    wrong = {"age": ["high", 3.0], "colour": ["gren", "red"], "smokes": [True, None]}
    with pytest.raises(ordinate.SignatureError) as error:
        model.predict(wrong)
    assert str(error.value).split("\n") == [
        'row 0, "age": expected a number, got the string "high"',
        'row 0, "colour": expected one of "blue", "green", "red", got the string "gren", which is not in the training data; '
        'did you mean "green"?',
        'row 1, "smokes" is missing, and the model does not impute it',
    ]
    with pytest.raises(ordinate.SignatureError, match='"smokes" is missing'):
        model.predict(PEOPLE[["age", "colour"]])
    with pytest.raises(ordinate.SignatureError, match=r"expected 3 values \(age, colour, smokes\), got 2"):
        model.predict([[1.0, "red"]])
    with pytest.raises(ValueError, match="no rows"):
        model.predict(PEOPLE.iloc[:0])


def test_a_model_can_be_pickled_copied_and_saved(people, tmp_path):
    fitted, model = people
    expected = fitted.predict(PEOPLE)
    model.save(tmp_path / "people.json")
    for again in [pickle.loads(pickle.dumps(model)), copy.deepcopy(model), ordinate.load(tmp_path / "people.json")]:
        np.testing.assert_allclose(again.predict(PEOPLE), expected, rtol=1e-13)
        assert again.metadata == model.metadata
    assert model.metadata["training"]["parameters"]["steps"] == ["StandardScaler", "OneHotEncoder", "Ridge"]
    assert [feature["type"] for feature in model.signature["features"]] == ["double", "string", "boolean"]


def test_threads_share_a_model(people):
    fitted, model = people
    expected, wrong = fitted.predict(PEOPLE), []

    def work():
        for _ in range(50):
            if not np.allclose(model.predict(PEOPLE), expected, rtol=1e-13):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_classifier_has_classes_probabilities_and_sets():
    iris = ordinate.load("iris")
    row = iris.example()
    assert iris.predict(row).tolist() == ["setosa"]
    probabilities = iris.predict_proba([row, row])
    assert probabilities.shape == (2, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert iris.predict_set(row, 0.9)[0][0] == "setosa"
    with pytest.raises(ordinate.PredictionError, match="help: call predict_set"):
        iris.predict_interval(row)


def test_integer_classes_stay_integers():
    X = [[0.0], [1.0], [2.0], [3.0]]
    fitted = LogisticRegression().fit(X, [7, 7, 9, 9])
    predicted = ordinate.from_sklearn(fitted, X).predict(X)
    assert predicted.dtype.kind == "i" and predicted.tolist() == [7, 7, 9, 9]


def test_classes_of_a_column_of_texts():
    y = pd.Series(["no", "yes", "yes", "no", "yes", "no"])
    for texts in [y, y.astype(object), y.astype("category"), y == "yes"]:
        fitted = LogisticRegression().fit(PEOPLE[["age"]], texts)
        model = ordinate.from_sklearn(fitted, PEOPLE[["age"]])
        assert model.predict(PEOPLE).tolist() == fitted.predict(PEOPLE[["age"]]).tolist()


def test_intervals_explanations_and_warnings():
    model = ordinate.load("diabetes")
    row = model.example()
    [[low, high]] = model.predict_interval(row, 0.9)
    [predicted] = model.predict(row)
    assert low < predicted < high
    explanation = model.explain([row, row])
    assert explanation.contributions.shape == (2, 10)
    np.testing.assert_allclose(explanation.base[0] + explanation.contributions.sum(axis=1), predicted)
    [warning] = model.warnings({**row, "bmi": 1000.0})
    assert (warning.row, warning.feature, warning.code) == (0, "bmi", "outside_range")
    with pytest.raises(ordinate.PredictionError, match="no probabilities"):
        model.predict_proba(row)


def test_a_model_without_statistics_has_no_intervals(people):
    with pytest.raises(ordinate.PredictionError, match="has no prediction intervals"):
        people[1].predict_interval(PEOPLE)


def test_errors_of_loading(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file") as absent:
        ordinate.load(tmp_path / "absent.json")
    assert isinstance(absent.value, ordinate.ModelNotFoundError) and absent.value.errno == errno.ENOENT
    (tmp_path / "line").mkdir()
    (tmp_path / "line" / "1.json").write_text(ordinate.load("line").to_json())
    for place in ["line@live", "line@2", "lime@1"]:
        with pytest.raises(ordinate.ModelNotFoundError):
            ordinate.load(f"{tmp_path}/{place}")
    with pytest.raises(ordinate.ModelFormatError, match="is a directory"):
        ordinate.load(tmp_path)
    text = json.loads(ordinate.load("line").to_json())
    text["name"] = "lime"
    (tmp_path / "changed.json").write_text(json.dumps(text))
    with pytest.raises(ordinate.ModelFormatError, match="the file was changed or damaged"):
        ordinate.load(tmp_path / "changed.json")


def test_sql_in_a_database_has_the_predictions_of_the_model(people):
    _, model = people
    connection = sqlite3.connect(":memory:")
    PEOPLE.to_sql("people", connection, index=False)
    rows = connection.execute(model.sql("sqlite", "people")).fetchall()
    np.testing.assert_allclose([row[-1] for row in rows], model.predict(PEOPLE), rtol=1e-12)
    expressions = connection.execute(f"SELECT {model.sql('sqlite')} FROM people").fetchall()
    assert expressions == [row[-1:] for row in rows]


def test_sql_of_an_unknown_dialect_is_an_error(people):
    with pytest.raises(ValueError, match="dialect: expected one of duckdb, sqlite, .*, got \"mysql\""):
        people[1].sql("mysql")
    with pytest.raises(ordinate.NotExportableError, match="expected a table"):
        people[1].sql("duckdb", " ")


def test_the_target_has_a_name_that_no_feature_has():
    table = pd.DataFrame({"y": [1.0, 2.0, 4.0]})
    fitted = LinearRegression().fit(table, [3.0, 5.0, 9.0])
    with pytest.warns(UserWarning, match='the target is named "target", since "y" is a feature; target= names it'):
        model = ordinate.from_sklearn(fitted, table)
    assert model.signature["target"]["name"] == "target"
    # The advice.
    assert ordinate.from_sklearn(fitted, table, target="price").signature["target"]["name"] == "price"
    with pytest.raises(ValueError, match='the target "y" has the name of a feature\nhelp: .*target="predicted_y"'):
        ordinate.from_sklearn(fitted, table, target="y")
    ordinate.from_sklearn(fitted, table, target="predicted_y")
    other = LinearRegression().fit(table.rename(columns={"y": "x"}), [3.0, 5.0, 9.0])
    assert ordinate.from_sklearn(other, table.rename(columns={"y": "x"})).signature["target"]["name"] == "y"
