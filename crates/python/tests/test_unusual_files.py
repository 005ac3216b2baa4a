"""The estimators of `unusual_files.py`: exported with scikit-learn's predictions, or refused with the same advice as from a
file. The tests of the crate `ordinate-import` read the files."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from unusual_files import WRITERS, cases, outcome
from unusual_tables import X, Y

import ordinate
from ordinate import _core

CASES = cases()


def rows_of(case):
    """The rows that scikit-learn predicts, one by one: of a fit to an array without names."""
    rows = [case.rows.iloc[[position]] for position in range(len(case.rows))]
    has_names = hasattr(case.fitted, "feature_names_in_")
    rows = [(row, outcome(case.fitted.predict, row if has_names else row.to_numpy())) for row in rows]
    return [(row, expected) for row, expected in rows if expected is not None]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.error is None])
def test_an_export_predicts_as_scikit_learn(name):
    case = CASES[name]
    rows = rows_of(case)
    X = pd.concat([row for row, _ in rows])
    X = X if hasattr(case.fitted, "feature_names_in_") else X.to_numpy()
    model = ordinate.from_sklearn(case.fitted, X, target="target")
    got = model.predict(X)
    expected = np.array([expected for _, expected in rows])
    if expected.dtype.kind == "f":
        assert (np.abs(got - expected) <= 1e-12 * np.maximum(1.0, np.abs(expected))).all()
    else:
        assert (got == expected).all()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.error is not None])
def test_a_refused_export_has_the_advice_of_a_file(name):
    case = CASES[name]
    try:
        case.fitted.predict(case.rows)
    except Exception as error:
        # The error of scikit-learn itself.
        with pytest.raises(type(error)):
            ordinate.from_sklearn(case.fitted, case.rows)
        return
    with pytest.raises(ordinate.NotExportableError) as refusal:
        ordinate.from_sklearn(case.fitted, case.rows)
    assert case.error in str(refusal.value) and "\nhelp: " in str(refusal.value)


@pytest.mark.parametrize("ending", WRITERS)
def test_files_of_all_formats_are_read(ending, tmp_path, capfd):
    for name, case in CASES.items():
        try:
            content = WRITERS[ending](case.fitted)
        except TypeError:
            continue  # skops refuses what it cannot load.
        path = tmp_path / f"model.{ending}"
        path.write_bytes(content)
        command = ["ordinate", "import", str(path), "--target", "target", "--out", str(tmp_path / "model.json")]
        code = _core.main(command)
        if "has no names" in (message := capfd.readouterr().err):
            code = _core.main([*command, "--features", ",".join(case.rows.columns)])
            message = capfd.readouterr().err
        assert (code == 0) == (case.error is None), f"{name}: {message}"
        assert case.error is None or case.error in message, f"{name}: {message}"


def import_file(path, capfd, *options):
    """The exit code of `ordinate import`, and all that it prints."""
    code = _core.main(["ordinate", "import", str(path), "--out", str(path.parent / "model.json"), *options])
    return code, "".join(capfd.readouterr())


def test_names_that_are_one_without_spaces_are_refused_by_both(tmp_path, capfd):
    table = X.rename(columns={"b": " a"})
    path = tmp_path / "model.pkl"
    path.write_bytes(WRITERS["pkl"](Ridge().fit(table, Y)))
    code, message = import_file(path, capfd)
    assert code == 1 and "which are one name without the spaces around them" in message
    with pytest.raises(ordinate.NotExportableError) as refusal:
        ordinate.from_sklearn(Ridge().fit(table, Y), table)
    assert "without the spaces around them" in str(refusal.value)
    # The advice of both.
    renamed = table.rename(columns={" a": "a_2"})
    advice = 'X = X.rename(columns={" a": "a_2"})'
    assert advice in message and advice in str(refusal.value)
    path.write_bytes(WRITERS["pkl"](Ridge().fit(renamed, Y)))
    assert import_file(path, capfd)[0] == 0
    names = ordinate.from_sklearn(Ridge().fit(renamed, Y), renamed).feature_names
    assert list(names) == list(ordinate.load(tmp_path / "model.json").feature_names) == ["a", "a_2"]


def test_spaces_around_a_name_are_noted_by_both(tmp_path, capfd):
    table = X.rename(columns={"b": " b"})
    path, out = tmp_path / "model.pkl", tmp_path / "model.json"
    path.write_bytes(WRITERS["pkl"](Ridge().fit(table, Y)))
    code, message = import_file(path, capfd)
    assert code == 0 and 'names are without the spaces around them: "b", not " b"' in message
    with pytest.warns(UserWarning, match='the name " b" has spaces around it') as warned:
        model = ordinate.from_sklearn(Ridge().fit(table, Y), table)
    np.testing.assert_array_equal(model.predict(table), ordinate.load(out).predict(X))
    # The advice.
    assert any("X = X.rename(columns=str.strip)" in str(one.message) for one in warned)
    renamed = table.rename(columns=str.strip)
    ordinate.from_sklearn(Ridge().fit(renamed, Y), renamed).save(out)
    table.to_csv(tmp_path / "rows.csv", index=False)
    assert _core.main(["ordinate", "predict", str(out), str(tmp_path / "rows.csv")]) == 0


def test_a_feature_may_be_named_as_the_target_usually_is(tmp_path, capfd):
    path = tmp_path / "model.pkl"
    for names, target in [(["y", "b"], "target"), (["y", "target"], "prediction")]:
        table = X.set_axis(names, axis=1)
        fitted = Ridge().fit(table, Y)
        path.write_bytes(WRITERS["pkl"](fitted))
        code, message = import_file(path, capfd)
        assert code == 0 and f'the target is named "{target}", since "y" is a feature' in message
        with pytest.warns(UserWarning, match=f'the target is named "{target}", since "y" is a feature'):
            model = ordinate.from_sklearn(fitted, table)
        imported = ordinate.load(tmp_path / "model.json")
        assert model.signature["target"] == imported.signature["target"]
        np.testing.assert_array_equal(model.predict(table), imported.predict(table))
        code, message = import_file(path, capfd, "--target", "y")
        assert code == 1 and "predicted_y" in message
        with pytest.raises(ValueError, match="predicted_y"):
            ordinate.from_sklearn(fitted, table, target="y")


def test_a_small_range_of_large_values_is_noted_in_a_file_and_compared_in_python(tmp_path, capfd):
    table = X.assign(b=1.7e9 + 3600.0 * np.arange(len(X)))
    for scaler, loses in [(MinMaxScaler(), True), (StandardScaler(), False)]:
        fitted = make_pipeline(scaler, Ridge()).fit(table, Y)
        path = tmp_path / "model.pkl"
        path.write_bytes(WRITERS["pkl"](fitted))
        code, message = import_file(path, capfd)
        assert code == 0 and ("loses its last digits" in message) == loses
        expected = fitted.predict(table)
        got = ordinate.load(tmp_path / "model.json").predict(table)
        near = (np.abs(got - expected) <= 1e-12 * np.maximum(1.0, np.abs(expected))).all()
        assert near or loses
        try:
            ordinate.from_sklearn(fitted, table)
        except ordinate.NotExportableError as error:
            assert not near and "whose last digits are lost" in str(error)
        else:
            assert near


def test_arrays_in_a_mapped_file_are_read_in_python(tmp_path, capfd):
    fitted = make_pipeline(StandardScaler(), Ridge()).fit(X, Y)
    path = tmp_path / "model.joblib"
    joblib.dump(fitted, path)
    mapped = joblib.load(path, mmap_mode="r")
    assert isinstance(mapped[-1].coef_, np.memmap)
    expected = ordinate.from_sklearn(fitted, X).predict(X)
    np.testing.assert_array_equal(ordinate.from_sklearn(mapped, X).predict(X), expected)
    other = tmp_path / "mapped.pkl"
    for ending in WRITERS:
        other.write_bytes(WRITERS[ending](mapped))
        code, message = import_file(other, capfd)
        assert code == 1 and "numpy.memmap" in message and "use ordinate.from_sklearn" in message, f"{ending}: {message}"
