"""The objects of a fitted estimator as plain values, in the JSON form that the Rust crate `ordinate-import` reads.

Only attributes in `_ATTRIBUTES` are passed on, and only of scikit-learn's own classes and scipy's sparse matrices: an
object of any other class is its name without content, so that the import refuses it by name.
"""

from __future__ import annotations

import math
import types
from typing import Any

import numpy as np

_ATTRIBUTES = frozenset(
    """
    steps transformers_ transformer_list transformer_weights _transformer_to_input_indices
    mean_ scale_ center_ min_ with_mean with_std with_centering with_scaling clip
    statistics_ indicator_ features_ missing_values keep_empty_features
    categories_ handle_unknown drop_idx_ _drop_idx_after_grouping _infrequent_enabled _infrequent_indices
    _default_to_infrequent_mappings
    _min_degree _max_degree n_output_features_ interaction_only include_bias
    func inverse_func kw_args
    components_ explained_variance_ whiten
    support_ variances_ threshold scores_ k
    coef_ intercept_ classes_ multi_class solver loss power link _base_loss
    estimator estimator_ base_estimator best_estimator_ regressor_ transformer_
    calibrated_classifiers_ calibrators method classes a_ b_ n_features_in_
    """.split()
)

_SPARSE_ATTRIBUTES = frozenset("data indices indptr _shape".split())


def plain(value: Any) -> Any:
    """A value in its JSON form."""
    if value is None or isinstance(value, (bool, str)):
        return value if not isinstance(value, str) else str(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray):
        return {"array": _array(value)}
    if isinstance(value, (list, tuple)) or type(value).__name__ == "_RemainderColsList":
        return [plain(element) for element in value]
    if isinstance(value, dict):
        return {"dict": [[plain(key), plain(element)] for key, element in value.items()]}
    if isinstance(value, np.ufunc):
        return {"global": {"module": "numpy", "name": value.__name__}}
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return {"global": {"module": str(value.__module__), "name": value.__qualname__}}
    return {"object": _object(value)}


def _object(value: Any) -> dict[str, Any]:
    kind = type(value)
    state = {}
    library = kind.__module__.split(".")[0]
    if library in ("sklearn", "scipy"):
        names = _ATTRIBUTES if library == "sklearn" else _SPARSE_ATTRIBUTES
        state = {name: plain(part) for name, part in vars(value).items() if name in names}
    if library == "sklearn":
        if hasattr(value, "_get_support_mask"):
            state["_support_mask"] = plain(np.asarray(value.get_support()))
    return {"module": kind.__module__, "name": kind.__qualname__, "state": state}


def _array(array: np.ndarray) -> dict[str, Any]:
    flat = array.ravel().tolist()
    kinds = {"f": "float", "i": "int", "u": "int", "b": "bool", "U": "text"}
    kind = kinds.get(array.dtype.kind, "object")
    if kind == "float":
        flat = [number if math.isfinite(number) else repr(number) for number in flat]
    elif kind == "object":
        flat = [plain(element) for element in flat]
    return {"shape": list(array.shape), "kind": kind, "data": flat}
