"""The tables, and the fits to them, of the cases in `unusual_files.py`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder


class Case(NamedTuple):
    """A fitted estimator, rows to predict, and a part of the message if it is refused."""

    fitted: Any
    rows: pd.DataFrame
    error: str | None = None


ROWS = 80
RANDOM = np.random.default_rng(20)
X = pd.DataFrame({"a": RANDOM.normal(3, 2, ROWS), "b": RANDOM.normal(-1, 1, ROWS)})
Y = (2 * X["a"] - X["b"] + 0.5 * X["a"] * X["b"] + RANDOM.normal(0, 0.1, ROWS)).to_numpy()
THREE = np.array(["low", "middle", "high"])[np.digitize(Y, [0, 5])]
PROBE = X.iloc[:4]


def with_column(values, missing=None, fraction=0.2):
    """The table with a column `c` of these values, some of them missing."""
    column = np.array(values, dtype=object)[RANDOM.integers(0, len(values), ROWS)]
    if fraction:
        column[RANDOM.random(ROWS) < fraction] = missing
    return X.assign(c=pd.Series(column, dtype=object))


def probe(*values):
    """A row for each value of `c`."""
    return X.iloc[: len(values)].assign(c=pd.Series(values, dtype=object))


def coded(table, *steps, **options):
    """A pipeline with `c` encoded, after other steps."""
    encoder = make_pipeline(*steps, OneHotEncoder(**options)) if steps else OneHotEncoder(**options)
    columns = make_column_transformer((encoder, ["c"]), ("passthrough", ["a", "b"]), sparse_threshold=0)
    return make_pipeline(columns, Ridge()).fit(table, Y)


def changed(fitted, step, **attributes):
    """The same with other attributes of a step, after the fit."""
    part = fitted if step is None else fitted[step]
    for name, value in attributes.items():
        setattr(part, name, value)
    return fitted


def replaced(fitted, position, step):
    """The same with another step."""
    name, _ = fitted.steps[position]
    fitted.steps[position] = (name, step)
    return fitted
