"""The estimators of `unusual_files.py`: exported with scikit-learn's predictions, or refused with the same advice as from a
file. The tests of the crate `ordinate-import` read the files."""

import numpy as np
import pandas as pd
import pytest
from unusual_files import WRITERS, cases, outcome

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
    # scikit-learn itself may refuse to predict.
    with pytest.raises(Exception) as refusal:
        ordinate.from_sklearn(case.fitted, case.rows)
    if refusal.type is ordinate.NotExportableError:
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
