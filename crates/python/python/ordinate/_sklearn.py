"""Fitted estimators of scikit-learn as models."""

from __future__ import annotations

import itertools
import json
import warnings
from typing import Any

import numpy as np

from ordinate import _core, _export
from ordinate._errors import NotExportableError
from ordinate._model import Model
from ordinate._states import plain


def from_sklearn(fitted: Any, X: Any, *, name: str | None = None, target: str | None = None) -> Model:
    """The model of a fitted scikit-learn estimator or pipeline.

    `X` are rows as for `fitted.predict`, the training data or some of them: names, types and ranges of the features are
    taken from it. scikit-learn's predictions for up to 1,000 of these rows are compared with those of the model, and a
    few are stored in the model file, which every load verifies. A step that a model file cannot express raises
    `NotExportableError`; nothing is approximated. The target is named `y` unless `target` names it; if a feature has that
    name, the target has another one, which a warning reports.

    >>> import ordinate
    >>> from sklearn.linear_model import LinearRegression
    >>> fitted = LinearRegression().fit([[1.0], [2.0], [4.0]], [3.0, 5.0, 9.0])
    >>> ordinate.from_sklearn(fitted, [[1.0], [2.0]], name="line").predict([[10.0]]).round(9)
    array([21.])
    """
    import sklearn

    if not hasattr(fitted, "predict"):
        raise NotExportableError(
            f"{type(fitted).__name__}: it has no predictions\nhelp: pass a fitted estimator, or a pipeline that ends in one"
        )
    table = _export.Table(X, getattr(fitted, "feature_names_in_", None), getattr(fitted, "n_features_in_", None))
    sample = table.sample()
    _check_names(table.names)
    with warnings.catch_warnings():
        # The names of the features, for example, are not repeated for a few rows.
        warnings.simplefilter("ignore")
        y = np.asarray(fitted.predict(sample))
        probabilities = _probabilities(fitted, sample)
    for predicted in (y, probabilities):
        if predicted is not None and predicted.dtype in (np.float16, np.float32):
            raise NotExportableError(
                f"{type(fitted).__name__}: it predicts these rows in {predicted.dtype}, with 8 digits or fewer\n"
                "help: pass X.astype('float64'); the model file then predicts as scikit-learn does for such rows"
            )
    if y.ndim == 2:
        # A matrix of one column. The import refuses an estimator of several targets.
        y = y[:, 0]
    target = _target(target, table.names)
    facts = _export.facts(name or type(fitted).__name__, target, f"scikit-learn {sklearn.__version__}")
    return _export.export(_core.from_sklearn, plain(fitted), facts, table, y, probabilities)


def _check_names(names: list[str]) -> None:
    """Refuses names that are one without the spaces around them, as `ordinate import` does, and warns of such spaces."""
    different: dict[str, str] = {}
    for name in names:
        first = different.setdefault(name.strip(), name)
        if first != name:
            other = next(other for i in itertools.count(2) if (other := f"{name.strip()}_{i}") not in names)
            first, name, other = (json.dumps(text, ensure_ascii=False) for text in (first, name, other))
            raise NotExportableError(
                f"X has the names {first} and {name}, which are one name without the spaces around them\n"
                f"help: rename one of them before the fit: X = X.rename(columns={{{name}: {other}}})"
            )
    if spaced := [json.dumps(name, ensure_ascii=False) for name in names if name != name.strip()]:
        warnings.warn(
            f"the name {spaced[0]} has spaces around it, which are left out of names in CSV, so that the model does not find "
            "its column there; before the fit: X = X.rename(columns=str.strip)",
            stacklevel=3,
        )


def _target(target: str | None, names: list[str]) -> str:
    """The name of the target: the one that is given, or the first one that no feature has, as in `ordinate import`."""
    if target is None:
        target = _core.default_target(names)
        if (usual := _core.default_target([])) != target:
            warnings.warn(
                f'the target is named "{target}", since "{usual}" is a feature; target= names it otherwise', stacklevel=3
            )
    elif target in names:
        raise ValueError(
            f'the target "{target}" has the name of a feature\n'
            f'help: give it another name, such as target="predicted_{target}"'
        )
    return target


def _probabilities(fitted: Any, sample: Any) -> np.ndarray | None:
    if not hasattr(fitted, "classes_") or not hasattr(fitted, "predict_proba"):
        return None
    return np.asarray(fitted.predict_proba(sample))
