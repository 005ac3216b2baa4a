"""The console script is the command line."""

import subprocess
import sys

import numpy as np
from sklearn.linear_model import Ridge

import ordinate


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "ordinate", *map(str, arguments)], capture_output=True, text=True)


def test_the_command_line_predicts_with_an_imported_model(tmp_path):
    X = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0]])
    fitted = Ridge().fit(X, [1.0, 2.0, 3.0])
    ordinate.from_sklearn(fitted, X, name="ridge").save(tmp_path / "ridge.json")
    (tmp_path / "rows.csv").write_text("x0,x1\n1,2\n2,1\n")
    done = run("predict", tmp_path / "ridge.json", tmp_path / "rows.csv")
    assert done.returncode == 0, done.stderr
    predicted = [float(line.split(",")[-1]) for line in done.stdout.splitlines()[1:]]
    np.testing.assert_allclose(predicted, fitted.predict(X[:2]), rtol=1e-12)
    shown = run("inspect", tmp_path / "ridge.json")
    assert shown.returncode == 0 and "scikit-learn" in shown.stdout


def test_exit_codes_are_those_of_the_command_line(tmp_path):
    assert run("--version").stdout.startswith("ordinate ")
    assert run("predict").returncode == 2
    failed = run("inspect", tmp_path / "absent.json")
    assert failed.returncode == 1 and failed.stderr.startswith("error: ")
