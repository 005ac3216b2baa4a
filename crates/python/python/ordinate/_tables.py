"""Tables of pandas, polars, pyarrow and numpy, and rows of Python, as columns for the extension module.

A column is a tuple of its name, its kind and its values: a contiguous array of doubles, one of dates (days since
1970-01-01), or a list of Python objects, in which `None` is a missing value. Arrays of doubles are not copied.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ordinate._errors import SignatureError

Column = tuple[str, str, Any]


def columns(table: Any, features: Sequence[str], unused: Sequence[str] = ()) -> list[Column]:
    """The columns of a table. Without names, its columns are the features in their order."""
    names = _names(table)
    if names is not None:
        of_model = set(features)
        wanted = [name for name in names if str(name) in of_model]
        if len(set(wanted)) < len(wanted):
            twice = next(name for name in wanted if wanted.count(name) > 1)
            raise SignatureError(f'"{twice}" appears twice')
        return [_column(name, _values(table, name)) for name in wanted]
    if isinstance(table, Mapping):
        return _of_mapping(table)
    if _is_named_row(table):
        return _of_mapping(table.to_dict())
    if isinstance(table, Sequence) and not isinstance(table, (str, bytes)) and table:
        return _of_rows(table, features, unused)
    if hasattr(table, "toarray"):  # a sparse matrix of scipy
        table = table.toarray()
    is_masked = isinstance(table, np.ma.MaskedArray)
    return _of_array(table if is_masked else np.asarray(table), features, unused)


def array(table: Any, features: Sequence[str]) -> np.ndarray | None:
    """A table that is an array of doubles, or a data frame of pandas that has one in the order of the features.

    Its values are next to each other: a part of a table is copied.
    """
    array = _array(table, features)
    if array is None or array.flags.forc:
        return array
    return np.ascontiguousarray(array)


def _array(table: Any, features: Sequence[str]) -> np.ndarray | None:
    if type(table) is np.ndarray:
        return table
    dtypes = getattr(table, "dtypes", None)
    if dtypes is None or not hasattr(table, "iloc") or getattr(table, "ndim", 1) != 2:
        return None
    if list(table.columns) != features or any(dtype != np.float64 for dtype in dtypes):
        return None
    return table.to_numpy()


def _names(table: Any) -> list[Any] | None:
    """The names of the columns of a data frame or an Arrow table."""
    names = getattr(table, "column_names", None)  # pyarrow
    if names is None:
        names = getattr(table, "columns", None)  # pandas, polars
        # A data frame without names has integers.
        if names is not None and not all(isinstance(name, str) for name in names):
            names = [str(name) for name in names] if len(set(map(str, names))) == len(names) else None
            return None if _is_range(getattr(table, "columns", [])) else names
    return None if names is None else list(names)


def _is_named_row(table: Any) -> bool:
    """Whether a series of pandas is a row of a data frame, whose index are the names of the columns."""
    index = getattr(table, "index", None)
    is_series = hasattr(table, "to_dict") and getattr(table, "ndim", None) == 1
    return is_series and len(index) > 0 and all(isinstance(name, str) for name in index)


def _is_range(names: Any) -> bool:
    return list(names) == list(range(len(names)))


def _values(table: Any, name: Any) -> Any:
    try:
        return table[name]
    except KeyError:  # a name of pandas that is not a text
        position = [str(column) for column in table.columns].index(name)
        return table.iloc[:, position]


def _of_mapping(table: Mapping[Any, Any]) -> list[Column]:
    if table and all(_is_scalar(value) for value in table.values()):
        return [(str(name), "cells", [_cell(value)]) for name, value in table.items()]
    return [_column(name, values) for name, values in table.items()]


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool, np.generic, datetime.date))


def _of_rows(rows: Sequence[Any], features: Sequence[str], unused: Sequence[str]) -> list[Column]:
    first = rows[0]
    if isinstance(first, Mapping):
        names = list(dict.fromkeys(name for row in rows for name in row))
        return [(str(name), "cells", [_cell(row.get(name)) for row in rows]) for name in names]
    if _is_scalar(first):
        rows = [[value] for value in rows] if len(features) == 1 else [rows]
    names = _of_width(len(rows[0]), features, unused)
    for position, row in enumerate(rows):
        if len(row) != len(names):
            raise SignatureError(f"row {position}: expected {len(names)} values, got {len(row)}")
    return [(name, "cells", [_cell(row[i]) for row in rows]) for i, name in enumerate(names)]


def _of_array(array: np.ndarray, features: Sequence[str], unused: Sequence[str]) -> list[Column]:
    if array.ndim == 1:
        array = array.reshape(-1, 1) if len(features) == 1 else array.reshape(1, -1)
    if array.ndim != 2:
        raise SignatureError(f"expected rows and columns, got an array of shape {array.shape}")
    names = _of_width(array.shape[1], features, unused)
    return [_column(name, array[:, i]) for i, name in enumerate(names)]


def _of_width(width: int, features: Sequence[str], unused: Sequence[str]) -> Sequence[str]:
    """The names of so many columns without names."""
    if width == len(features):
        return features
    # The model was imported from a pipeline without names, which does not use all of its columns.
    numbered = [f"x{i}" for i in range(width)]
    if set(numbered) == {*features, *unused}:
        return numbered
    listed = ", ".join(features[:12]) + (", …" if len(features) > 12 else "")
    noun = "value" if len(features) == 1 else "values"
    raise SignatureError(f"expected {len(features)} {noun} ({listed}), got {width}")


def _column(name: Any, values: Any) -> Column:
    if isinstance(values, (list, tuple)):
        return (str(name), "cells", [_cell(value) for value in values])
    if hasattr(values, "type") and hasattr(values, "to_pylist"):
        return _of_arrow(str(name), values)
    if hasattr(values, "null_count") and hasattr(values, "to_list"):
        return _of_polars(str(name), values)
    dtype = getattr(values, "dtype", None)
    if dtype is not None and not isinstance(dtype, np.dtype):
        return _of_extension(str(name), values)
    return _of_numpy(str(name), values if isinstance(values, np.ma.MaskedArray) else np.asarray(values))


def _of_numpy(name: str, values: np.ndarray) -> Column:
    if isinstance(values, np.ma.MaskedArray):
        # A masked value is `None` in the list.
        return (name, "cells", [_cell(value) for value in values.tolist()])
    if values.dtype.kind == "f":
        return _doubles(name, values)
    if values.dtype.kind in "iu" and _is_exact(values):
        return _doubles(name, values)
    if values.dtype.kind == "M":
        return _dates(name, values)
    return (name, "cells", [_cell(value) for value in values.tolist()])


def _is_exact(values: np.ndarray) -> bool:
    return values.size == 0 or (int(values.max()) <= 2**53 and int(values.min()) >= -(2**53))


def _doubles(name: str, values: np.ndarray) -> Column:
    return (name, "double", np.require(values, np.float64, ("C_CONTIGUOUS", "ALIGNED")))


def _dates(name: str, values: np.ndarray) -> Column:
    moments = values.astype("datetime64[us]")
    days = moments.astype(np.int64) / 86_400_000_000.0
    days[np.isnat(moments)] = np.nan
    return (name, "date", days)


def _of_extension(name: str, values: Any) -> Column:
    """A column of pandas that is not numpy's: nullable, a category, or text."""
    kind = getattr(values.dtype, "kind", "O")
    if kind in "fiu":
        array = values.to_numpy(dtype=np.float64, na_value=np.nan)
        if kind == "f" or _is_exact(array[~np.isnan(array)]):
            return _doubles(name, array)
    if kind == "M":
        return _dates(name, values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
    missing = values.isna().tolist()
    cells = values.astype(object).tolist()
    return (name, "cells", [None if gone else _cell(cell) for cell, gone in zip(cells, missing, strict=True)])


def _of_polars(name: str, values: Any) -> Column:
    kind = str(values.dtype)
    if kind.startswith(("Float", "Int", "UInt")):
        array = values.to_numpy()
        if array.dtype.kind == "f" or _is_exact(array):
            return _doubles(name, array)
    return (name, "cells", [_cell(cell) for cell in values.to_list()])


def _of_arrow(name: str, values: Any) -> Column:
    kind = str(values.type)
    if kind in ("double", "float", "halffloat"):
        return _doubles(name, values.to_numpy(zero_copy_only=False) if hasattr(values, "offset") else values.to_numpy())
    return (name, "cells", [_cell(cell) for cell in values.to_pylist()])


def _cell(value: Any) -> Any:
    """A value that the extension module reads: `None`, a boolean, a number or a text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return _cell(value.item())
    if isinstance(value, (datetime.date, datetime.datetime)):
        return None if str(value) == "NaT" else value.isoformat()
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value
