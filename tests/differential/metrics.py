"""Metrics of exact predictions, and bounds of their errors if predictions have errors."""

import math
from fractions import Fraction

import numpy as np

from data import median
from exact import RANDOM, TINY, U, doubles, mpfr, to_double


class Regression:
    """Exact targets and predictions of rows, error bounds of the predictions, weights."""

    def __init__(
        self, actual: list, predicted: list, off: list[float], weights: list, parameters: int | None, intercept: bool
    ):
        self.actual = np.array([mpfr(value) for value in actual], dtype=object)
        self.predicted, self.off = np.array(predicted, dtype=object), np.array(off)
        self.weights, self.parameters, self.intercept = np.array(weights, dtype=object), parameters, intercept
        self.rows = len(actual)

    def expected(self) -> dict[str, tuple[float, float]]:
        """Each metric that is defined, and its error."""
        if not self.rows:
            return {}
        w, total = self.weights, self.weights.sum()
        errors = np.abs(self.actual - self.predicted)
        share = doubles(w / total)
        e, off = doubles(errors), self.off + U * np.abs(doubles(self.predicted))
        # Sums of n terms; each term is a square of a difference times a weight.
        sums = (RANDOM * math.sqrt(self.rows) + 4) * U
        mean_square = to_double(np.dot(w, errors**2) / total)
        square_off = float(np.dot(share, 2 * e * off + off * off)) + sums * mean_square
        found = {"rmse": (math.sqrt(mean_square), self.of_root(mean_square, square_off))}
        mae = to_double(np.dot(w, errors) / total)
        found["mae"] = (mae, float(np.dot(share, off)) + sums * mae)
        centre = np.dot(w, self.actual) / total
        spread = to_double(np.dot(w, (self.actual - centre) ** 2) / total)
        if len({float(value) for value in self.actual}) > 1:
            # Sums of squares about running means, which are off by n·u of the targets' largest distance from the first.
            distance = to_double(np.abs(self.actual - self.actual[0]).max())
            relative = sums * (1 + 2 * distance / math.sqrt(spread))
            ratio = mean_square / spread
            r2_off = square_off / spread + ratio * relative + 2 * U * (1 + ratio)
            found["r2"] = (1 - ratio, r2_off)
            if self.parameters is not None and self.rows > self.parameters:
                factor = (self.rows - 1) / (self.rows - self.parameters)
                found["adjusted_r2"] = (1 - ratio * factor, factor * r2_off + 4 * U * (1 + factor * ratio))
        exact = [(error, Fraction(float(weight))) for error, weight in zip(e, w)]
        found["median_absolute_error"] = (
            median(exact),
            float(max(off)) + 2 * U * max(e) if not self.is_split(exact) else math.inf,
        )
        if all(value != 0 for value in self.actual):
            size = np.abs(doubles(self.actual))
            mape = 100 * to_double(np.dot(w, errors / np.abs(self.actual)) / total)
            found["mape_percent"] = (mape, 100 * float(np.dot(share, off / size)) + (sums + 4 * U) * mape)
        return found

    @staticmethod
    def of_root(square: float, off: float) -> float:
        """The error of a square root from the error of the square."""
        return min(math.sqrt(off), off / math.sqrt(square) if square > 0 else math.inf) + U * math.sqrt(square) + TINY

    def is_split(self, values: list) -> bool:
        """Whether rounding may put the middle of the weights elsewhere.

        That is so where fractional weights nearly add up to a half, and where doubles may order two errors otherwise.
        """
        ordered = sorted(values)
        half, below = sum(weight for _, weight in ordered) / 2, Fraction(0)
        most = max(self.off)
        for place, (value, weight) in enumerate(ordered):
            below += weight
            if abs(below - half) <= half * Fraction(self.rows, 2**50) and any(w.denominator > 1 for _, w in values):
                return True
            if below >= half:
                others = [other for at, (other, _) in enumerate(ordered) if at != place]
                return self.has_weights and any(abs(other - value) <= 4 * most for other in others)
        return False

    @property
    def has_weights(self) -> bool:
        return any(weight != self.weights[0] for weight in self.weights)


class Classification:
    """Classes of rows, exact probabilities, their error bounds, weights."""

    def __init__(self, actual: list[int], probabilities: list, off: list, weights: list, classes: int):
        self.actual, self.weights, self.classes = actual, [float(weight) for weight in weights], classes
        self.p = np.array([[float(p) for p in row] for row in probabilities])
        self.off = np.array(off)
        self.rows = len(actual)

    def expected(self) -> dict[str, tuple[float, float]]:
        if not self.rows:
            return {}
        w, total = np.array(self.weights), sum(self.weights)
        own = self.p[range(self.rows), self.actual]
        own_off = self.off[range(self.rows), self.actual]
        sums = (RANDOM * math.sqrt(self.rows * self.classes) + 6) * U
        held = np.clip(own, 2 * U, 1 - 2 * U)
        loss = float(np.dot(w, -np.log(held))) / total
        found = {"log_loss": (loss, float(np.dot(w, own_off / held)) / total + sums * (loss + 1))}
        if self.classes == 2:
            brier, off = float(np.dot(w, (1 - own) ** 2)) / total, 2 * (1 - own) * own_off
        else:
            hits = np.zeros_like(self.p)
            hits[range(self.rows), self.actual] = 1
            brier = float(np.dot(w, ((self.p - hits) ** 2).sum(axis=1))) / total
            off = (2 * np.abs(self.p - hits) * self.off).sum(axis=1)
        found["brier"] = (brier, float(np.dot(w, off + sums * 2)) / total)
        self.labels(found, w, total, sums)
        self.area(found, w, sums)
        return found

    def labels(self, found: dict, w: np.ndarray, total: float, sums: float) -> None:
        """Metrics of the predicted classes, unless rounding decides which of two probabilities is greater."""
        ordered = np.sort(self.p, axis=1)
        if (ordered[:, -1] - ordered[:, -2] <= 2 * self.off.max(axis=1)).any():
            return
        predicted = self.p.argmax(axis=1)
        confusion = np.zeros((self.classes, self.classes))
        for actual, label, weight in zip(self.actual, predicted, w):
            confusion[actual, label] += weight
        right, actual, called = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
        found["accuracy"] = (float(right.sum() / total), sums)
        there = actual > 0
        found["balanced_accuracy"] = (float((right[there] / actual[there]).mean()), sums)
        both = actual + called
        if self.classes == 2:
            if both[1] > 0:
                found["f1"] = (float(2 * right[1] / both[1]), sums)
        else:
            some = both > 0
            found["f1"] = (float((2 * right[some] / both[some]).mean()), sums)

    def area(self, found: dict, w: np.ndarray, sums: float) -> None:
        """The probability that a row of the class scores above another row; the mean over three classes or more."""
        areas = []
        for label in [1] if self.classes == 2 else range(self.classes):
            own = np.array([actual == label for actual in self.actual])
            p, off = self.p[:, label], self.off[:, label]
            if not own.any() or own.all():
                return
            apart = p[own][:, None] - p[~own][None, :]
            noise = off[own][:, None] + off[~own][None, :]
            if (np.abs(apart) <= noise).any():
                return
            weights = w[own][:, None] * w[~own][None, :]
            areas.append(float((weights * (apart > 0)).sum() / weights.sum()))
        found["roc_auc"] = (sum(areas) / len(areas), 4 * sums)


def hold(side: str, expected: dict, got: dict | None, fault) -> None:
    """Compares metrics by name; `expected` does not contain metrics that depend on rounding."""
    if got is None:
        return
    for name, (value, error) in expected.items():
        if name not in got:
            fault("metrics", f"{side} has no {name}, which should be {value!r}")
        elif abs(got[name] - value) > error:
            fault("metrics", f"{name} of {side}: {got[name]!r} should be {value!r} ± {error:.1e}")
