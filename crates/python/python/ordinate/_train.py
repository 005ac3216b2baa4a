"""Training: the command `ordinate train` on a data frame or on files."""

from __future__ import annotations

import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ordinate._errors import TrainError
from ordinate._model import Model, load

# Options whose values are lists of names with commas; all others are repeated.
_NAMES = ("features", "exclude", "categorical")
_OWN = ("data", "target", "out", "json", "report", "card", "name")


class TrainingWarning(UserWarning):
    """A decision or a note of the training program."""


def train(data: Any, *, target: str, name: str = "model", **options: Any) -> Model:
    """Trains a model, as `ordinate train` does.

    `data` is a data frame of pandas or polars, a table of pyarrow, a dictionary of columns, or a path. Options are those
    of the command, with underscores: `train(data, target="y", estimator="ridge", alpha=0.1, features=["a", "b"],
    missing={"age": "median"}, interactions=True)`. Decisions about the data and notes on the fit are
    Python warnings of the class `TrainingWarning`; they are also in `metadata["training"]["notes"]`.

    The training runs in a process of its own, which an interrupt ends.

    >>> import ordinate
    >>> data = {"x": [1.0, 2.0, 3.0, 4.0], "y": [3.0, 5.0, 7.0, 9.0]}
    >>> ordinate.train(data, target="y", test_fraction=0).predict([[10.0]]).round(9)
    array([21.])
    """
    for option in options:
        if option in _OWN:
            raise TypeError(f"train() has no option {option!r}: call save() of the model")
    with tempfile.TemporaryDirectory(prefix="ordinate-") as folder:
        place = pathlib.Path(folder)
        path = os.fspath(data) if isinstance(data, (str, os.PathLike)) else _write(data, place)
        out, report = place / "model.json", place / "report.html"
        arguments = ["train", path, "--target", target, "--name", name, "--out", str(out), "--report", str(report)]
        _run([*arguments, *_arguments(options)])
        model = load(out)
        model._report = report.read_text(encoding="utf-8")
    for note in model.metadata["training"].get("notes", []):
        warnings.warn(note, TrainingWarning, stacklevel=2)
    return model


def _command() -> list[str]:
    return [sys.executable, "-m", "ordinate"]


def _run(arguments: list[str]) -> None:
    done = subprocess.run(
        [*_command(), *arguments, "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode != 0:
        raise TrainError(done.stderr.strip().removeprefix("error: "))


def _arguments(options: Mapping[str, Any]) -> list[str]:
    """The options of Python as arguments of the command."""
    arguments = []
    for option, value in options.items():
        flag = "--" + option.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            arguments.append(flag)
        elif isinstance(value, Mapping):
            arguments += [f"{flag}={key}={one}" for key, one in value.items()]
        elif isinstance(value, (list, tuple)) and option in _NAMES:
            arguments.append(f"{flag}={','.join(map(_quoted, value))}")
        elif isinstance(value, (list, tuple)):
            arguments += [f"{flag}={one}" for one in value]
        else:
            arguments.append(f"{flag}={value}")
    return arguments


def _quoted(name: str) -> str:
    """A name in a list of names, quoted as in CSV."""
    text = str(name)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n') else text


def _write(data: Any, folder: pathlib.Path) -> str:
    """Writes a table to a file, with the types of its columns if a library for Parquet is installed."""
    parquet, text = folder / "data.parquet", folder / "data.csv"
    if hasattr(data, "write_parquet"):  # polars
        data.write_parquet(parquet)
        return str(parquet)
    if hasattr(data, "to_parquet"):  # pandas
        try:
            data.to_parquet(parquet, index=False)
            return str(parquet)
        except (ImportError, ValueError, TypeError):  # no pyarrow, or values of several types in one column
            data.to_csv(text, index=False)
            return str(text)
    if hasattr(data, "column_names") and hasattr(data, "schema"):  # pyarrow
        from pyarrow import parquet as writer

        writer.write_table(data, parquet)
        return str(parquet)
    if not isinstance(data, Mapping):
        raise TypeError("expected a data frame, a dictionary of columns or a path")
    write_columns(text, {str(column): np.asarray(values).tolist() for column, values in data.items()})
    return str(text)


def write_columns(path: pathlib.Path, columns: Mapping[str, list[Any]]) -> None:
    """Writes columns as CSV: the shortest digits of each double."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
