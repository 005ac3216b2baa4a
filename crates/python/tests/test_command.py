"""The console script is the command line."""

import subprocess
import sys

import numpy as np
import pytest
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


def test_parquet_keeps_the_types_of_arrow_and_the_index_of_pandas(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    pd = pytest.importorskip("pandas")
    moments = pd.to_datetime(["2026-01-01 12:00", "2026-07-01 12:00"]).tz_localize("Europe/Berlin")
    columns = {"x": [1.0, 2.0], "at": moments, "kind": pd.Categorical(["b", "a"])}
    frame = pd.DataFrame(columns, index=["first", "second"])
    table = pa.Table.from_pandas(frame)
    table = table.append_column("large", pa.array(["a", "b"], pa.large_string()))
    table = table.append_column("took", pa.array([1, 2], pa.duration("s")))
    table = table.append_column("parts", pa.array([[1], []], pa.large_list(pa.int8())))
    pq.write_table(table, tmp_path / "rows.parquet")
    table = pq.read_table(tmp_path / "rows.parquet")
    for name, arguments in {"a.parquet": ["--warnings"], "b.parquet": ["--on-error", "skip"]}.items():
        done = run("predict", "line", tmp_path / "rows.parquet", "--out", tmp_path / name, *arguments)
        assert done.returncode == 0, done.stderr
        got = pq.read_table(tmp_path / name)
        assert got.schema.names[: len(table.schema.names)] == table.schema.names
        assert got.select(table.schema.names).schema.equals(table.schema), got.schema
        assert got.select(table.schema.names).equals(table)
        assert got.schema.field("prediction").type == pa.float64()
        back = got.to_pandas()
        assert list(back.index) == ["first", "second"] and str(back["kind"].dtype) == "category"
        assert list(back["prediction"]) == [3.0, 5.0]
