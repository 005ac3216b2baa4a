"""Results of statsmodels as models."""

from __future__ import annotations

from typing import Any

import numpy as np

from ordinate import _core, _export
from ordinate._errors import NotExportableError
from ordinate._model import Model
from ordinate._states import plain


def from_statsmodels(results: Any, X: Any, *, name: str | None = None, target: str | None = None) -> Model:
    """The model of fitted results of statsmodels with a formula: OLS, WLS, GLM (identity, log and logit link), Logit.

    `X` is a data frame as for `results.predict`. The predictions of a logistic regression are the probabilities of the
    class 1. A term that a model file cannot express raises `NotExportableError`.
    """
    import statsmodels

    fitted = results.model
    kind = type(fitted).__name__
    spec = getattr(fitted.data, "model_spec", None) or getattr(fitted.data, "design_info", None)
    if kind not in ("OLS", "WLS", "GLM", "Logit") or spec is None or not hasattr(spec, "factor_infos"):
        raise NotExportableError(
            f"{kind}: it is not supported\nhelp: fit ols, wls, glm or logit of statsmodels.formula.api with a formula"
        )
    if np.any(np.asarray(getattr(fitted, "_offset_exposure", 0.0)) != 0):
        raise NotExportableError(f"{kind}: it has an offset or an exposure\nhelp: leave it out")
    family, link = _family(fitted, kind)
    state = {
        "names": [str(term) for term in results.params.index],
        "params": np.asarray(results.params, dtype=float),
        "family": family,
        "link": link,
        "categories": _categories(spec),
    }
    table = _export.Table(X, None, None)
    predicted = np.asarray(results.predict(table.sample()), dtype=float)
    y, probabilities = predicted, None
    if family == "Binomial":
        y, probabilities = (predicted > 0.5).astype(int), np.column_stack([1 - predicted, predicted])
    facts = _export.facts(name or kind, target or fitted.endog_names, f"statsmodels {statsmodels.__version__}")
    content = {"module": "statsmodels", "name": kind, "state": {key: plain(value) for key, value in state.items()}}
    return _export.export(_core.from_statsmodels, {"object": content}, facts, table, y, probabilities)


def _family(fitted: Any, kind: str) -> tuple[str, str]:
    if kind == "Logit":
        return ("Binomial", "Logit")
    if kind != "GLM":
        return ("Gaussian", "Identity")
    return (type(fitted.family).__name__, type(fitted.family.link).__name__)


def _categories(spec: Any) -> dict[str, list[Any]]:
    """The categories of each categorical factor, by the name of its feature."""
    categories = {}
    for factor, info in spec.factor_infos.items():
        if info.type == "categorical":
            feature = factor.name()
            if feature.startswith("C("):
                feature = feature[2:].split(",")[0].split(")")[0].strip()
            categories[feature] = list(info.categories)
    return categories
