"""From the objects of a fitted model and its own predictions to a model file that predicts the same."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ordinate import _core
from ordinate._errors import NotExportableError
from ordinate._model import Model

_CHECKED_ROWS = 1000
_GOLDEN_ROWS = 5
# Of each prediction, relative to its size or to 1: what docs/PYTHON.md promises.
_TOLERANCE = 1e-12
# A larger difference than this is a mistake; a smaller one is the rounding of sums of large numbers.
_ROUNDING = 1e-6
_SCALE = "fit the model to float64 and to features of similar size, for example after StandardScaler"


def facts(name: str, target: str, library: str) -> dict[str, Any]:
    """The facts about a model that are not in its objects."""
    return {
        "name": _name(name),
        "target": target,
        "created": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tool": f"ordinate-python {_core.__version__}",
        "library": library,
    }


def export(
    build: Callable[[str, str, str], str],
    state: Any,
    facts: dict[str, Any],
    table: Table,
    y: np.ndarray,
    probabilities: np.ndarray | None,
) -> Model:
    """The model that `build` makes of the objects, compared with the predictions for the table's sample."""
    sample = table.sample()
    golden = _golden(table.cells(sample), y, probabilities)
    try:
        text = build(json.dumps(state), json.dumps({**facts, "columns": table.facts()}), json.dumps(golden))
    except NotExportableError as error:
        if str(error).startswith("golden row"):
            raise NotExportableError(f"{str(error).split(';')[0]} from the model file\nhelp: {_SCALE}") from None
        raise
    model = Model(_core.Model(text.encode()))
    _compare(model, table.named(sample), y if probabilities is None else probabilities, facts["library"])
    return model


def _name(text: str) -> str:
    """A name that a model may have."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")
    return re.sub(r"\.{2,}", ".", name) or "model"


def _spread(length: int, count: int) -> np.ndarray:
    """So many different positions, evenly spread."""
    if length == 0:
        raise ValueError("X has no rows")
    return np.unique(np.linspace(0, length - 1, min(count, length)).astype(int))


def _golden(cells: list[list[Any]], y: np.ndarray, probabilities: np.ndarray | None) -> dict[str, Any]:
    """A few rows with their predictions; rows with missing values and without are among them."""
    # Numbers that are not finite are those of an attribute that the import names.
    is_usable = np.ones(len(y), dtype=bool)
    for numbers in (y, probabilities):
        if numbers is not None and numbers.dtype.kind == "f":
            is_usable &= np.isfinite(numbers).all(axis=tuple(range(1, numbers.ndim)))
    if y.dtype.kind == "f" and is_usable.any():
        # The relative tolerance of golden rows means nothing for a prediction that is close to zero by cancellation.
        is_usable &= np.abs(y) >= 1e-3 * np.abs(y[is_usable]).max()
    usable = np.flatnonzero(is_usable)
    missing = [position for position in usable if None in cells[position]]
    chosen = [*usable[_spread(len(usable), _GOLDEN_ROWS)], *missing[:2]] if len(usable) else []
    golden: dict[str, Any] = {"X": [cells[i] for i in chosen], "y": y[chosen].tolist()}
    if probabilities is not None:
        golden["probabilities"] = [probabilities[i].tolist() for i in chosen]
    return golden


def _compare(model: Model, rows: Any, expected: np.ndarray, library: str) -> None:
    """Compares the predictions or the probabilities with those of the library."""
    got = model.predict(rows) if expected.ndim == 1 else model.predict_proba(rows)
    difference = np.abs(got - expected) / np.maximum(1.0, np.abs(expected))
    # Not a number is a difference, too.
    wrong = ~(difference <= _TOLERANCE)
    if not wrong.any():
        return
    position = tuple(int(i) for i in np.argwhere(wrong)[0])
    message = f"row {position[0]} of X: {library} predicts {expected[position]}, the model file {got[position]}"
    if np.nanmax(difference) < _ROUNDING and np.isfinite(difference).all():
        raise NotExportableError(
            f"{message}: the predictions are sums of far larger numbers, whose last digits are lost\nhelp: {_SCALE}"
        )
    raise NotExportableError(
        f"{message}\nhelp: report this with the pipeline, since no estimator should get here"
    )


class Table:
    """The rows of X, a data frame or an array, with the names of the fit."""

    def __init__(self, X: Any, names: Any, width: int | None) -> None:
        is_frame = hasattr(X, "columns") and hasattr(X, "shape")
        self.X = X if is_frame else np.asarray(X)
        if self.X.ndim != 2:
            raise ValueError(f"X has the shape {self.X.shape}\nhelp: pass rows, as for predict")
        self.length = self.X.shape[0]
        width = self.X.shape[1] if width is None else width
        if names is None and is_frame and width == self.X.shape[1]:
            names = list(self.X.columns)
        self.positions: list[Any] = list(range(width))
        self.names = [f"x{i}" for i in range(width)]
        if names is not None:
            self.names = [str(name) for name in names]
            if is_frame:
                self.positions = list(names)

    def sample(self) -> Any:
        """Up to 1,000 rows, evenly spread."""
        return self.rows(_spread(self.length, _CHECKED_ROWS))

    def rows(self, positions: np.ndarray) -> Any:
        """The rows at these positions."""
        return self.X.iloc[positions] if hasattr(self.X, "iloc") else self.X[positions]

    def named(self, rows: Any) -> dict[str, Any]:
        """The columns of rows, by name."""
        return {name: self._column(rows, position) for name, position in zip(self.names, self.positions, strict=True)}

    def cells(self, rows: Any) -> list[list[Any]]:
        """The rows as plain values."""
        columns = [_plain_column(values) for values in self.named(rows).values()]
        return [list(row) for row in zip(*columns, strict=True)]

    def facts(self) -> list[dict[str, Any]]:
        """The name, type and range of each column."""
        return [{"name": name, **_facts(values)} for name, values in self.named(self.X).items()]

    def _column(self, rows: Any, position: Any) -> Any:
        return rows[:, position] if isinstance(rows, np.ndarray) else rows[position]


def _plain_column(values: Any) -> list[Any]:
    plain = [value.item() if isinstance(value, np.generic) else value for value in _to_list(values)]
    plain = [None if _is_missing(value) else value for value in plain]
    # Dates and other objects of columns that the model does not use.
    return [value if value is None or isinstance(value, (bool, int, float, str)) else str(value) for value in plain]


def _to_list(values: Any) -> list[Any]:
    return values.to_list() if hasattr(values, "to_list") else values.tolist()


def _is_missing(value: Any) -> bool:
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, float) and math.isnan(value))
    )


def _facts(values: Any) -> dict[str, Any]:
    known = [value for value in _to_list(values) if not _is_missing(value)]
    is_date = bool(known) and all(hasattr(value, "isoformat") for value in known)
    known = [value for value in _plain_column(values) if value is not None]
    if known and all(isinstance(value, bool) for value in known):
        return {"kind": "boolean"}
    if all(isinstance(value, (int, float)) for value in known):
        if not known:
            return {"kind": "double"}
        numbers = np.array(known, dtype=float)
        whole = bool((numbers == np.floor(numbers)).all())
        return {"kind": "double", "range": [float(numbers.min()), float(numbers.max())], "whole": whole}
    return {"kind": "date"} if is_date else {"kind": "string"}
