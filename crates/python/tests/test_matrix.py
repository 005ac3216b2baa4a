"""Each pipeline of the matrix is exported with the same predictions, or refused by name."""

import numpy as np
import pytest
from pipelines import CASES, REFUSED, Data

import ordinate

DATA = Data()


@pytest.mark.parametrize("name", CASES)
def test_an_exported_pipeline_predicts_as_scikit_learn(name):
    fitted, X = CASES[name](DATA)
    model = ordinate.from_sklearn(fitted, X)
    assert len(X) == 1000
    if hasattr(fitted, "predict_proba"):
        got, expected = model.predict_proba(X), fitted.predict_proba(X)
        assert (model.predict(X) == fitted.predict(X)).all()
    else:
        got, expected = model.predict(X), np.asarray(fitted.predict(X), dtype=float).ravel()
    difference = np.abs(got - expected) / np.maximum(1.0, np.abs(expected))
    assert difference.max() <= 1e-12, f"{name}: {difference.max()}"


@pytest.mark.parametrize("name", REFUSED)
def test_an_unsupported_pipeline_is_refused_by_name(name):
    make, text = REFUSED[name]
    fitted, X = make(DATA)
    with pytest.raises(ordinate.NotExportableError) as refusal:
        ordinate.from_sklearn(fitted, X)
    assert text in str(refusal.value)
    assert "\nhelp: " in str(refusal.value)


def test_the_matrix_has_at_least_sixty_pipelines():
    assert len(CASES) + len(REFUSED) >= 60
