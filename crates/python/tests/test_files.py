"""Files of each pipeline of the matrix give the model file of `from_sklearn`, or are refused by name; none runs."""

import json
import os
import pickle

import numpy as np
import pandas as pd
import pytest
from files import WRITERS
from pipelines import CASES, REFUSED, Data
from sklearn.feature_selection import (
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
    f_regression,
)
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ordinate
from ordinate import _core

DATA = Data()

# The importance of a forest is in its trees, which are not read.
ONLY_IN_PYTHON = {"SelectFromModel of a forest"}


def run_import(capfd, path, *arguments):
    """The exit code of `ordinate import` and its messages."""
    code = _core.main(["ordinate", "import", str(path), *arguments])
    return code, capfd.readouterr().err


def comparable(document):
    """A model file without what the importer decides: time, program, notes, golden rows, and the checksum of all."""
    for name in ("created", "sha256", "golden"):
        del document[name]
    for name in ("tool", "smartcore", "notes"):
        document["training"].pop(name, None)
    return document


def written(fitted):
    """The content of the file in each format; pickle cannot write functions without a name."""
    for ending, write in WRITERS.items():
        try:
            yield ending, write(fitted)
        except (pickle.PicklingError, AttributeError, TypeError):
            assert "lambda" in repr(fitted), ending


@pytest.mark.parametrize("name", [*CASES, *REFUSED])
def test_a_file_gives_the_model_of_from_sklearn(name, tmp_path, capfd):
    fitted, X = (REFUSED[name][0] if name in REFUSED else CASES[name])(DATA)
    sample, out = tmp_path / "sample.csv", tmp_path / "model.json"
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    frame.to_csv(sample, index=False)
    try:
        model = ordinate.from_sklearn(fitted, X, name="model")
        model.save(tmp_path / "expected.json")
        expected = comparable(json.loads((tmp_path / "expected.json").read_text()))
    except ordinate.NotExportableError:
        expected = None
    assert (expected is None) == (name in REFUSED)
    options = ["--data", str(sample), "--name", "model", "--out", str(out)]
    has_names = hasattr(fitted, "feature_names_in_")
    for ending, content in written(fitted):
        path = tmp_path / f"model.{ending}"
        path.write_bytes(content)
        code, message = run_import(capfd, path, *options)
        if "has no names" in message:
            assert not has_names
            code, message = run_import(capfd, path, "--features", ",".join(map(str, frame.columns)), *options)
        if expected is None or name in ONLY_IN_PYTHON or "<lambda>" in message:
            assert code == 1 and "\nhelp: " in message, f"{ending}: {message}"
            continue
        assert code == 0, f"{ending}: {message}"
        assert comparable(json.loads(out.read_text())) == expected, ending
        out.unlink()


def test_without_a_sample_only_types_and_ranges_differ(tmp_path, capfd):
    fitted, X = CASES["imputed numbers and categories"](DATA)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(fitted))
    code, message = run_import(capfd, tmp_path / "model.pkl", "--out", str(tmp_path / "model.json"))
    assert code == 0, message
    model = ordinate.load(tmp_path / "model.json")
    rows = X.assign(smokes=X["smokes"].astype(float))
    expected = fitted.predict(X)
    assert np.abs(model.predict(rows) - expected).max() <= 1e-12 * np.abs(expected).max()


def test_a_search_over_distributions_is_its_best_estimator(tmp_path, capfd):
    stats = pytest.importorskip("scipy.stats")
    search = RandomizedSearchCV(Ridge(), {"alpha": stats.uniform(0.1, 2)}, n_iter=2, cv=2, random_state=0)
    search.fit(DATA.small, DATA.y)
    path, out = tmp_path / "search.pkl", tmp_path / "model.json"
    path.write_bytes(pickle.dumps(search))
    code, message = run_import(capfd, path, "--out", str(out))
    assert code == 0, message
    np.testing.assert_allclose(ordinate.load(out).predict(DATA.small), search.predict(DATA.small), rtol=1e-12)


def _selectors():
    scored = [
        *(SelectPercentile(f_regression, percentile=percentile) for percentile in (10, 33, 50, 77, 100)),
        *(select(f_regression, alpha=alpha) for select in (SelectFpr, SelectFdr, SelectFwe) for alpha in (0.05, 0.5)),
        SelectKBest(f_regression, k="all"),
        SelectKBest(f_regression, k=7),
        GenericUnivariateSelect(f_regression, mode="percentile", param=30),
        GenericUnivariateSelect(f_regression, mode="fdr", param=0.1),
    ]
    models = [Ridge(), Lasso(0.1), ElasticNet(0.1, l1_ratio=1.0), ElasticNet(0.1, l1_ratio=0.5)]
    thresholds = [None, "mean", "median", "1.25*mean", "0.5*median", 0.05]
    by_model = [SelectFromModel(model, threshold=threshold) for model in models for threshold in thresholds]
    limited = [SelectFromModel(model, max_features=3, threshold=-np.inf) for model in models]
    searched = [SequentialFeatureSelector(Ridge(), n_features_to_select=3, cv=2), RFECV(Ridge(), cv=3)]
    return [*scored, *by_model, *limited, *searched, VarianceThreshold(0.5)]


@pytest.mark.parametrize("selector", _selectors(), ids=str)
def test_the_selected_columns_are_those_of_python(selector, tmp_path, capfd):
    random = np.random.default_rng(1)
    X = random.normal(size=(300, 20)).round(1)
    y = X[:, 0] * 3 + X[:, 1] - X[:, 2] * 0.2 + random.normal(size=300)
    # Equal columns, and one without variance.
    X[:, 6] = X[:, 7] = X[:, 5]
    X[:, 9] = 1.0
    _compare_with_python(make_pipeline(selector, Ridge()).fit(X, y), X, tmp_path, capfd)


def _big_endian(pipeline):
    pipeline[0].mean_ = pipeline[0].mean_.astype(">f8")
    pipeline[1].coef_ = pipeline[1].coef_.astype(">f4")


def _column_major(pipeline):
    pipeline[1].coef_ = np.asfortranarray(pipeline[1].coef_)


def _small_types(pipeline):
    pipeline[1].coef_ = np.asfortranarray(pipeline[1].coef_.astype("f2"))
    pipeline[1].classes_ = pipeline[1].classes_.astype("u1")


def _read_only(pipeline):
    pipeline[1].coef_.setflags(write=False)


@pytest.mark.parametrize("change", [_big_endian, _column_major, _small_types, _read_only])
def test_arrays_of_any_layout_are_read(change, tmp_path, capfd):
    X = DATA.small.to_numpy()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, np.digitize(DATA.y, [2.5, 3.5]))
    change(pipeline)
    _compare_with_python(pipeline, X, tmp_path, capfd)


def _compare_with_python(fitted, X, folder, capfd):
    """The model files of a fit to an array in all formats, and that of Python."""
    names = [f"x{i}" for i in range(X.shape[1])]
    pd.DataFrame(X, columns=names).to_csv(folder / "sample.csv", index=False)
    ordinate.from_sklearn(fitted, X, name="model").save(folder / "expected.json")
    expected = comparable(json.loads((folder / "expected.json").read_text()))
    options = ["--features", ",".join(names), "--data", str(folder / "sample.csv"), "--name", "model"]
    for ending in ("2.pkl", "5.pkl", "4.joblib", "skops"):
        path, out = folder / f"model.{ending}", folder / "model.json"
        path.write_bytes(WRITERS[ending](fitted))
        code, message = run_import(capfd, path, *options, "--out", str(out))
        assert code == 0, f"{ending}: {message}"
        assert comparable(json.loads(out.read_text())) == expected, ending


class _Attack:
    """An object whose pickle runs a command."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_runs_in_python_does_not_run_here(protocol, tmp_path, capfd):
    canary = tmp_path / "canary"
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(_Attack(os.system, f"touch '{canary}'"), protocol=protocol))
    code, message = run_import(capfd, path, "--out", str(tmp_path / "model.json"))
    assert code == 1 and "system is not part of a scikit-learn model" in message
    assert not canary.exists()
    pickle.loads(path.read_bytes())
    assert canary.exists()
