"""Recomputes the cross-validation of the regularization strength, with the same folds and candidates."""

import math
import re

import gmpy2
import numpy as np

import lasso
from data import Data
from exact import U, doubles, gamma, mpfr
from fits import EPSILON, Plane

CANDIDATES = 100
# Up to this number of columns every candidate is recomputed; above, the selected one and some others.
ALL = 8


def candidates(data: Data, l1_ratio: float, whole: Plane) -> list[float]:
    """In descending order, evenly spaced on a logarithmic scale."""
    s = whole.standard
    if data.plan.estimator == "ridge":
        first, last = 1e3 * float(s.weight), 1e-5 * float(s.weight)
    else:
        first = float(max(abs(value) for value in whole.projection) / s.weight) / max(l1_ratio, 1e-3)
        last = first * 1e-3
    return [first * (last / first) ** (step / (CANDIDATES - 1)) for step in range(CANDIDATES)]


class Part:
    """The rows of all folds except one, and the rows of that fold."""

    def __init__(self, data: Data, fold: list[int], others: list[int]):
        self.data, self.fold = data, fold
        # The penalty does not matter for the moments; columns may be linearly dependent.
        self.plane = Plane(data, others, 1.0, rounded=True)
        self.weights = data.weights[fold]
        self.weight = self.weights.sum()
        s = self.plane.standard
        self.z = (data.rounded_design[fold, :][:, self.plane.used] - s.means[self.plane.used]) / s.scales[
            self.plane.used
        ]
        self.centred = data.target[fold] - self.plane.mean
        self.start = None

    def error(self, alpha: float, l1_ratio: float) -> tuple[mpfr, float]:
        """The mean squared error in the fold, and a bound of its rounding error."""
        plane, data = self.plane, self.data
        if data.plan.estimator == "ridge":
            plane.penalise(alpha)
            b, errors = plane.b, plane.errors
        else:
            weight = plane.standard.weight
            l1, l2 = mpfr(alpha) * mpfr(l1_ratio) * weight, mpfr(alpha) * (1 - mpfr(l1_ratio)) * weight
            b = lasso.solve(plane.scatter, plane.projection, l1, l2, self.start)
            self.start, errors = b, None
        rest = self.centred - np.dot(self.z, b)
        error = np.dot(self.weights, rest**2) / self.weight
        if errors is None:
            # What the conditions of the active columns do to it is left to the six digits that are printed.
            w = doubles(self.weights)
            return error, float(2 * np.dot(w, np.abs(doubles(rest))) * self.rounded_means(b) / float(self.weight))
        z = np.abs(doubles(self.z))
        off = np.dot(z, errors) + 4 * U * np.abs(doubles(self.centred)) + self.rounded_means(b)
        # The moments of the fold have the rounding of its columns.
        parts = np.dot(z, np.abs(doubles(b))) + np.abs(doubles(self.centred))
        off = off + gamma(len(self.fold) * (len(plane.used) + 1)) * (
            parts + plane.sizes @ np.abs(doubles(b)) / math.sqrt(float(plane.standard.weight))
        )
        w = doubles(self.weights)
        allowed = (2 * np.dot(w, np.abs(doubles(rest)) * off) + np.dot(w, off * off)) / float(self.weight)
        return error, float(allowed)

    def rounded_means(self, b: np.ndarray) -> float:
        """The error of a prediction from the rounding of intercept and means to doubles."""
        s, used = self.plane.standard, self.plane.used
        parts = np.abs(doubles(b)) * np.abs(doubles(s.means[used] / s.scales[used]))
        return U * (abs(float(self.plane.mean)) + float(parts.sum()))


class Choice:
    """The scores of the candidates."""

    def __init__(self, data: Data, l1_ratio: float):
        self.data, self.l1_ratio = data, l1_ratio
        folds = data.folds()
        self.whole = Plane(data, data.kept, 1.0, rounded=True)
        self.grid = candidates(data, l1_ratio, self.whole)
        self.parts = [Part(data, fold, [row for row in data.kept if row not in set(fold)]) for fold in folds]
        self.weights = [part.weight for part in self.parts]

    def is_determined(self) -> bool:
        """Whether the predictions of every fold are unique: not if columns are dependent only in the other folds."""
        return all(lasso.is_determined(part.plane, self.data.rounded_design[part.fold, :]) for part in self.parts)

    def score(self, alpha: float) -> tuple[mpfr, mpfr, float]:
        """The mean error, its standard error, and a bound of the rounding error of the mean."""
        found = [part.error(alpha, self.l1_ratio) for part in self.parts]
        errors = [error for error, _ in found]
        total = sum(self.weights)
        mean = sum(weight * error for weight, error in zip(self.weights, errors)) / total
        variance = sum(weight * (error - mean) ** 2 for weight, error in zip(self.weights, errors)) / total
        allowed = sum(float(weight) * off for weight, (_, off) in zip(self.weights, found)) / float(total)
        return mean, gmpy2.sqrt(variance / (max(len(errors), 2) - 1)), allowed + 8 * U * float(mean)


def printed(notes: list[str]) -> tuple[str, str] | None:
    """The error of the selected penalty and its standard error, as printed in a note."""
    for note in notes:
        found = re.search(
            r"cross-validation selected .* among \d+ candidates \((?:mean squared error|log loss) (\S+) ± (\S+)\)", note
        )
        if found:
            return found[1], found[2]
    return None


def agrees(text: str, exact, allowed: float) -> bool:
    """Whether six printed digits are correct."""
    shown = float(text)
    return (
        abs(shown - float(exact)) <= allowed + 0.5000001 * 10.0 ** (math.floor(math.log10(abs(shown))) - 5)
        if shown
        else abs(float(exact)) <= allowed
    )


def check(data: Data, l1_ratio: float, alpha: float, notes: list[str], fault) -> None:
    """Whether the selected penalty has the smallest error, or is the largest within one standard error of it."""
    choice = Choice(data, l1_ratio)
    ridge = data.plan.estimator == "ridge"
    if not ridge and not choice.is_determined():
        return
    grid = choice.grid
    place = min(range(len(grid)), key=lambda step: abs(math.log(grid[step] / alpha)))
    off = abs(grid[place] / alpha - 1)
    # The first is a correlation; then a power and a product.
    if (
        off
        > gamma(len(data.kept) * (len(choice.whole.used) + 1))
        * (1 + choice.whole.target_size * max(choice.whole.sizes) / float(max(abs(v) for v in choice.whole.projection)))
        + 100 * EPSILON
    ):
        fault("candidates", f"alpha {alpha!r} is not a candidate, the nearest is {grid[place]!r}")
        return
    few = len(choice.whole.used) <= ALL
    steps = (
        range(len(grid))
        if few
        else sorted({*range(0, len(grid), 12), *range(place - 1, place + 2)} & set(range(len(grid))))
    )
    scores = {step: choice.score(alpha if step == place else grid[step]) for step in steps}
    mean, spread, allowed = scores[place]
    shown = printed(notes)
    if shown and not agrees(shown[0], mean, allowed):
        fault(
            "cross-validation",
            f"alpha {alpha!r} has the error {shown[0]}, should have {float(mean):.9g} ± {allowed:.1e}",
        )
        return
    if shown and allowed < 1e-6 * float(spread) and not agrees(shown[1], spread, 1e-6 * float(spread)):
        fault("cross-validation", f"the standard error of alpha {alpha!r} is {shown[1]}, should be {float(spread):.9g}")
    best = min(scores, key=lambda step: scores[step][0])
    least, spread, off = scores[best]
    if not data.plan.one_standard_error:
        if float(mean - least) > allowed + off:
            fault("choice", f"alpha {alpha!r} has the error {float(mean)!r}, {grid[best]!r} has {float(least)!r}")
        return
    if not few:
        return
    largest = next(step for step in steps if float(scores[step][0] - least - spread) <= 0)
    slack = allowed + off + 1e-9 * float(spread)
    if largest != place and not abs(float(scores[min(largest, place)][0] - least - spread)) <= slack:
        fault(
            "choice", f"alpha {alpha!r}, should be {grid[largest]!r}: the largest within a standard error of the best"
        )
