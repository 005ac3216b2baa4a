"""Models: what a model file predicts, and what it reports about itself."""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from ordinate import _core, _tables
from ordinate._errors import PredictionError


@dataclass(frozen=True)
class RowWarning:
    """A row that is unlike the training data."""

    row: int
    """The row, from 0."""
    code: str
    """`outside_range`, `imputed`, `unknown_category` or `leverage`."""
    message: str
    """A description."""
    feature: str | None
    """The feature; `None` for the leverage of the whole row."""


@dataclass(frozen=True)
class Explanation:
    """The contributions of the features: `base` and the contributions of a row add up to its score."""

    unit: str
    """`target`, `log-target`, `log-odds` (of the second of two classes) or `score` (one a class)."""
    features: list[str]
    """The features, in the order of the contributions."""
    base: np.ndarray
    """The score at the means of all columns: one number, or one a class for more than two."""
    contributions: np.ndarray
    """Rows × features, or rows × classes × features for more than two classes."""


@dataclass(frozen=True)
class Report:
    """The report of a training, an HTML document."""

    text: str

    def _repr_html_(self) -> str:
        # A document of its own, so that its styles do not apply to the notebook.
        return f'<iframe srcdoc="{html.escape(self.text)}" width="100%" height="600" style="border: 0"></iframe>'

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the document to a file."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.text)


class Model:
    """A model file that was loaded and verified. It can be pickled, and used by several threads at once.

    >>> import ordinate
    >>> model = ordinate.load("diabetes")
    >>> model
    <ordinate.Model diabetes@1: regression of progression from 10 features>
    """

    def __init__(self, core: _core.Model) -> None:
        self._core = core
        self._document: dict[str, Any] = json.loads(core.to_json())
        signature = self._document["signature"]
        self._features: list[str] = [feature["name"] for feature in signature["features"]]
        self._unused: list[str] = signature.get("ignored", [])
        classes = self._document["estimator"].get("classes")
        self._classes = None if classes is None else np.array(classes)
        self._report: str | None = None

    def __repr__(self) -> str:
        target, count = self.signature["target"]["name"], len(self._features)
        noun = "feature" if count == 1 else "features"
        return f"<ordinate.Model {self.name}@{self.version}: {self.task} of {target} from {count} {noun}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Model, (self._core,))

    @property
    def name(self) -> str:
        """The name that callers of the service use."""
        return self._document["name"]

    @property
    def version(self) -> str:
        """The version, a whole number from 1."""
        return self._document["version"]

    @property
    def task(self) -> str:
        """`regression` or `classification`."""
        return self._document["task"]

    @property
    def signature(self) -> dict[str, Any]:
        """The features that a row must have, and the target.

        >>> import ordinate
        >>> ordinate.load("line").signature["features"][0]["name"]
        'x'
        """
        return self._document["signature"]

    @property
    def metadata(self) -> dict[str, Any]:
        """The name, version, task, checksum, and the facts about the training or the import."""
        keys = ("name", "version", "created", "task", "training", "sha256")
        return {key: self._document[key] for key in keys if key in self._document}

    @property
    def feature_names(self) -> list[str]:
        """The names of the features, in positional order."""
        return list(self._features)

    @property
    def classes(self) -> np.ndarray | None:
        """The classes, in the order of the probabilities; `None` for a regression."""
        return None if self._classes is None else self._classes.copy()

    def predict(self, rows: Any) -> np.ndarray:
        """The prediction of each row: a value, or a class.

        Rows are a data frame of pandas or polars, a table of pyarrow, an array of numpy, or lists. Columns with names
        are found by name, further columns are ignored; columns without names are the features in their order.

        >>> import ordinate
        >>> ordinate.load("line").predict({"x": [1.0, 2.0]})
        array([3., 5.])
        """
        if self._classes is not None:
            return self._classes[self._answer(rows)["chosen"]]
        array = _tables.array(rows, self._features)
        predicted = None if array is None else self._core.predict_array(array)
        return self._answer(rows)["y"] if predicted is None else predicted

    def predict_proba(self, rows: Any) -> np.ndarray:
        """The probability of each class: rows × classes, in the order of `classes`."""
        if self._classes is None:
            raise PredictionError(f"the model {self.name} has no probabilities: it is a regression")
        return self._answer(rows)["probabilities"].reshape(-1, len(self._classes))

    def predict_interval(self, rows: Any, level: float = 0.95) -> np.ndarray:
        """The lower and upper end of the interval that contains the observed value of a row with this probability.

        >>> import ordinate
        >>> diabetes = ordinate.load("diabetes")
        >>> diabetes.predict_interval(diabetes.example()).shape
        (1, 2)
        """
        if self._classes is not None:
            raise PredictionError(f"the model {self.name} predicts classes\nhelp: call predict_set")
        return self._answer(rows, interval=level)["intervals"].reshape(-1, 2)

    def predict_set(self, rows: Any, level: float = 0.95) -> list[list[Any]]:
        """For each row, the classes that together contain the true class with this probability."""
        if self._classes is None:
            raise PredictionError(f"the model {self.name} predicts values\nhelp: call predict_interval")
        by_label = {_label(value): value for value in self._classes.tolist()}
        sets = self._answer(rows, prediction_sets=level)["prediction_sets"]
        return [[by_label.get(label, label) for label in labels] for labels in sets]

    def explain(self, rows: Any) -> Explanation:
        """The contribution of each feature to each prediction."""
        unit, scores, values = self._answer(rows, explain=True)["explanation"]
        shape = (-1, len(scores), len(self._features)) if len(scores) > 1 else (-1, len(self._features))
        return Explanation(unit, self.feature_names, scores, values.reshape(shape))

    def warnings(self, rows: Any) -> list[RowWarning]:
        """The rows that are unlike the training data.

        >>> import ordinate
        >>> ordinate.load("line").warnings([[99.0]])[0].code
        'outside_range'
        """
        listed = json.loads(self._answer(rows, warnings=True)["warnings"])
        return [RowWarning(w["row"], w["code"], w["message"], w.get("feature")) for w in listed]

    def report(self) -> Report:
        """The report of the training, which a notebook shows; only for a model that `train` returned."""
        if self._report is None:
            raise PredictionError(f"the model {self.name} has no report\nhelp: call report() of the result of train()")
        return Report(self._report)

    def example(self) -> dict[str, Any]:
        """One row that the model accepts: a golden row of its file."""
        return dict(zip(self._features, self._document["golden"]["X"][0], strict=True))

    def to_json(self) -> str:
        """The content of the model file."""
        return self._core.to_json()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model file, which `ordinate serve` and every other command accept."""
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(self.to_json())

    def sql(self, dialect: str = "duckdb", table: str | None = None) -> str:
        """The prediction as SQL: expressions with names, or with a table a statement that adds them to its columns.

        Dialects are `duckdb`, `sqlite`, `postgres`, `spark`, `athena`, `redshift`, `bigquery` and `snowflake`. The
        table is written after FROM as it is. A row that the model rejects has NULL.

        >>> import ordinate
        >>> print(ordinate.load("line").sql("duckdb", "measured").partition("\\n")[2], end="")
        SELECT *,
        CASE WHEN ABS(CAST(+"x" AS DOUBLE)) <= 1E299
          THEN (CAST(+"x" AS DOUBLE) - 2.5E0) * 2E0
            + 6E0
          END AS prediction
        FROM measured
        """
        return self._core.sql(dialect, table)

    def _answer(self, rows: Any, **wanted: Any) -> dict[str, Any]:
        return self._core.answer(_tables.columns(rows, self._features, self._unused), **wanted)


def _label(value: Any) -> str:
    """A class as text, written as in JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def load(place: str | os.PathLike[str]) -> Model:
    """Loads a model file, and verifies its checksum and its golden rows.

    The place is a path, an address (`s3://bucket/key.json`), a model of a catalog (`models/price@live`), or the name of
    a bundled model (`line`, `diabetes`, `iris`, `breast-cancer`).

    >>> import ordinate
    >>> ordinate.load("iris").classes.tolist()
    ['setosa', 'versicolor', 'virginica']
    """
    return Model(_core.Model.load(os.fspath(place)))
