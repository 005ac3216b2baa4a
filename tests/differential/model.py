"""An independent reader of model files: exact expected answers, and their error bounds in doubles."""

import json
import math
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import gmpy2
import numpy as np

from exact import TINY, U, Cholesky, mpfr, zeros

# The name of prediction sets in answers and among outputs.
SETS = "prediction_sets"
UNKNOWN = -1.0
MISSING_WORDS = {"", "na", "n/a", "nan", "null", "none"}


@dataclass(frozen=True)
class Cell:
    """A value of a request: `missing`, `number` (its digits), `boolean` or `text`."""

    kind: str
    text: str = ""


class Refused(Exception):
    """The row does not fit the signature."""


class Open(Exception):
    """Text that may be missing, unknown or a padded level: all protocols must give the same answer."""


@dataclass
class Score:
    """A number and a bound of its rounding error."""

    value: mpfr
    error: float


class Model:
    def __init__(self, path: Path):
        self.file = json.loads(path.read_text(encoding="utf-8"))
        self.features = self.file["signature"]["features"]
        self.columns = self.file["preprocess"]["columns"]
        self.log = self.file["preprocess"].get("target_transform") == "log"
        self.inference = self.file.get("inference") or {}
        estimator = self.file["estimator"]
        self.classes = estimator.get("classes")
        values = [estimator["coefficients"][column["name"]] for column in self.columns]
        self.coefficients = [value if isinstance(value, list) else [value] for value in values]
        self.intercepts = estimator["intercepts"] if self.classes else [estimator["intercept"]]
        self.temperature = self.inference.get("temperature", 1.0)

    def accept(self, feature: dict, cell: Cell) -> float:
        """The value of a cell in a frame."""
        kind = feature["type"]
        if cell.kind == "missing":
            if feature["missing"] == "reject":
                raise Refused("missing")
            imputed = feature["missing"]["impute"]
            return float(feature["levels"].index(imputed)) if kind == "string" else float(imputed)
        if cell.kind == "number":
            value = float(cell.text)
            digits = cell.text.lstrip("-")
            if not math.isfinite(value) or kind not in ("double", "long"):
                raise Refused("number")
            # An integer is compared by its digits; a number may be a double as printed by a program.
            if digits.isdigit() and value != int(cell.text) and (kind == "long" or not is_shortest(digits, abs(value))):
                raise Refused("lossy")
            if kind == "long" and not value.is_integer():
                raise Refused("fraction")
            return value
        if cell.kind == "boolean":
            if kind != "boolean":
                raise Refused("boolean")
            return float(cell.text == "true")
        if kind != "string":
            raise Refused("text")
        if cell.text in feature["levels"]:
            return float(feature["levels"].index(cell.text))
        bare = cell.text.strip(" \t\n\r\f")
        if bare.lower() in MISSING_WORDS or bare != cell.text:
            raise Open
        if feature.get("unknown", "reject") == "reject":
            raise Refused("unknown")
        return UNKNOWN

    def row(self, cells: list[Cell]) -> dict:
        return {feature["name"]: self.accept(feature, cell) for feature, cell in zip(self.features, cells)}

    def design(self, row: dict) -> list[Score]:
        """The columns of a row, centred and scaled: `z` and the rounding of `(x − mean + rest) / scale`."""
        columns, levels = [], {feature["name"]: feature.get("levels") for feature in self.features}
        for column in self.columns:
            product = mpfr(1)
            for factor in column["product"]:
                value = row[factor["feature"]]
                if "level" in factor:
                    product *= int(value >= 0 and levels[factor["feature"]][int(value)] == factor["level"])
                else:
                    product *= mpfr(value) ** factor.get("power", 1)
            z = (product - mpfr(column["mean"])) / mpfr(column["scale"])
            # Two sums and a division; products are pairs of doubles, and multiples of the smallest double.
            is_product = len(column["product"]) > 1 or "power" in column["product"][0]
            rest = 2.0**-100 * abs(float(product / mpfr(column["scale"]))) + 4 * TINY / column["scale"]
            rest = rest if is_product else 0.0
            columns.append(Score(z, 3 * (U * abs(float(z)) + TINY) + rest))
        return columns

    def scores(self, row: dict) -> list[Score]:
        """`intercept + Σ coefficient · z`, before the temperature and before a logarithm is undone."""
        columns, scores = self.design(row), []
        for position, intercept in enumerate(self.intercepts):
            value, size, error = mpfr(intercept), 0.0, 0.0
            for column, coefficients in zip(columns, self.coefficients):
                part = column.value * mpfr(coefficients[position])
                value += part
                size += abs(float(part))
                error += abs(coefficients[position]) * column.error
            # One product per column, and sums that are at most as large as the sum of all absolute values.
            error += (len(columns) + 2) * (U * (size + abs(intercept)) + TINY)
            scores.append(Score(value, error))
        return scores

    def prediction(self, row: dict) -> Score:
        """The prediction of a regressor, in the unit of the target."""
        [score] = self.scores(row)
        if not self.log:
            return score
        if score.value > 720 or score.value < -760:
            raise OverflowError
        value = gmpy2.exp(score.value)
        return Score(value, abs(float(value)) * (score.error + 2 * U) + TINY)

    def probabilities(self, row: dict) -> list[Score]:
        scores = [
            Score(score.value / mpfr(self.temperature), (score.error + U * abs(float(score.value))) / self.temperature)
            for score in self.scores(row)
        ]
        if len(scores) == 1:
            [score] = scores
            ends = [1 / (1 + gmpy2.exp(score.value)), 1 / (1 + gmpy2.exp(-score.value))]
            return [Score(p, float(p) * (score.error + 6 * U) + TINY) for p in ends]
        largest = max(score.value for score in scores)
        parts = [gmpy2.exp(score.value - largest) for score in scores]
        total, worst = sum(parts), max(score.error for score in scores)
        # exp of a difference: the rounding of the difference counts, too.
        size = [U * abs(float(score.value - largest)) for score in scores]
        return [
            Score(part / total, float(part / total) * (2 * worst + max(size) + own + (len(parts) + 6) * U) + TINY)
            for part, own in zip(parts, size)
        ]

    def contributions(self, row: dict) -> list[dict]:
        """For each score, the contribution of each feature: products are divided equally among their features."""
        all_scores = []
        for position in range(len(self.intercepts)):
            parts = {feature["name"]: Score(mpfr(0), 0.0) for feature in self.features}
            for column, value, coefficients in zip(self.columns, self.design(row), self.coefficients):
                sources = {factor["feature"] for factor in column["product"]}
                share = value.value * mpfr(coefficients[position]) / len(sources) / mpfr(self.temperature)
                error = abs(coefficients[position]) * value.error / len(sources) / self.temperature
                for source in sources:
                    parts[source].value += share
                    parts[source].error += error + (len(self.columns) + 4) * (U * abs(float(share)) + TINY)
            all_scores.append(parts)
        return all_scores

    def leverage(self, row: dict) -> Score:
        """`1/n + ‖R⁻ᵀz‖²` by substitution; its error by Higham, theorem 8.5."""
        r, z = self.inference["r"], self.design(row)
        weight = self.inference.get("weight", float(self.file["training"]["rows"]))
        total = mpfr(0) if self.file["preprocess"].get("through_origin") else 1 / mpfr(weight)
        parts, errors = [], []
        for column, current in enumerate(z):
            rest, size, error = current.value, abs(float(current.value)), current.error
            for before in range(column):
                entry = r[before][column - before]
                rest -= mpfr(entry) * parts[before]
                size += abs(entry * float(parts[before]))
                error += abs(entry) * errors[before]
            diagonal = r[column][0]
            parts.append(rest / mpfr(diagonal))
            errors.append((error + (column + 2) * U * size) / abs(diagonal))
        total += sum(part * part for part in parts)
        error = sum(2 * abs(float(part)) * own + own * own for part, own in zip(parts, errors))
        return Score(total, error + (len(z) + 3) * U * float(total))

    def rank(self) -> float:
        """The trace of `(A + S)⁻¹A` for the design `A`; `R` is the factor of `A + S`, `S` is 1e-8 of the diagonal."""
        size = len(self.columns)
        r = zeros(size, size)
        for row, entries in enumerate(self.inference["r"]):
            r[row, row:] = [mpfr(entry) for entry in entries]
        both = np.dot(r.T, r)
        lost = sum(inverse * own for inverse, own in zip(np.diag(Cholesky(both).inverse()), np.diag(both)))
        return float(round(size - float(lost) * 1e-8))


def is_shortest(digits: str, value: float) -> bool:
    """Whether JavaScript and Go print the double with these digits: the shortest, padded with zeros."""
    return math.isfinite(value) and digits == format(Decimal(repr(value)), "f").split(".")[0]


def conformal_rank(rows: int, level: str) -> int:
    """`⌈(rows + 1) · level⌉` of the level as it is written."""
    return max(1, math.ceil((rows + 1) * Decimal(level)))
