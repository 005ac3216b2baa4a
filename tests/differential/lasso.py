"""Lasso and elastic net: the optimality of the stored coefficients, and the exact optimum."""

import math

import numpy as np

from exact import Cholesky, Singular, doubles, identity, mpfr, zeros
from fits import Plane

# The stopping rule of the solver (ROUNDING and GAP_TOLERANCE of the module `descent` of ordinate-train): slopes that
# should be zero, as a fraction of the largest possible, or the duality gap as a fraction of the objective at zero.
ROUNDING = 1e-13
GAP = 1e-12
# A quadratic penalty far below rounding errors, with which the coefficients of dependent columns are unique.
NOTHING = mpfr("1e-45")
# Columns of which less than this is their own are dependent as far as six digits of a score are concerned: products of
# columns that should be dependent differ by rounding.
NEARLY = 1e-6


class Optimality:
    """How far coefficients of standardised columns are from `min ½‖y − Zb‖² + l1 ‖b‖₁ + ½ l2 ‖b‖²`."""

    def __init__(self, plane: Plane, coefficients: list, alpha: float, l1_ratio: float):
        s = plane.standard
        self.plane, weight = plane, s.weight
        self.l1, self.l2 = mpfr(alpha) * mpfr(l1_ratio) * weight, mpfr(alpha) * (1 - mpfr(l1_ratio)) * weight
        self.b = np.array([mpfr(coefficients[column]) for column in plane.used], dtype=object)
        self.slopes = plane.projection - np.dot(plane.scatter, self.b) - self.l2 * self.b
        self.rest = plane.centred_target - np.dot(s.z[:, plane.used], self.b)

    def rounding(self) -> np.ndarray:
        """The error bound of each slope: rounding of columns and target, and the tolerance of the solver."""
        plane = self.plane
        b = np.abs(doubles(self.b))
        length = math.sqrt(float(np.dot(plane.standard.weights, self.rest**2)))
        fitted = float(np.dot(plane.sizes, b)) + plane.target_size
        target = math.sqrt(float(np.dot(plane.standard.weights, plane.centred_target**2)))
        slack = ROUNDING * math.sqrt(float(plane.standard.weight)) * target
        return plane.gamma * (plane.sizes * length + plane.lengths * fitted) + slack

    def violations(self) -> np.ndarray:
        found = [
            max(abs(slope) - self.l1, mpfr(0)) if b == 0 else abs(slope - (self.l1 if b > 0 else -self.l1))
            for slope, b in zip(self.slopes, self.b)
        ]
        return doubles(np.array(found, dtype=object))

    def gap(self) -> float:
        """The duality gap as a fraction of the objective at zero (Kim et al. 2007)."""
        w, y = self.plane.standard.weights, self.plane.centred_target
        steepest = max((abs(slope) for slope in self.slopes), default=mpfr(0))
        shrink = min(mpfr(1), self.l1 / steepest) if steepest > 0 else mpfr(1)
        squares = np.dot(w, self.rest**2) + self.l2 * np.dot(self.b, self.b)
        above = (
            (1 + shrink**2) * squares / 2 + self.l1 * sum(abs(b) for b in self.b) - shrink * np.dot(w, self.rest * y)
        )
        return float(2 * above / np.dot(w, y**2))


def solve(scatter: np.ndarray, projection: np.ndarray, l1, l2, start: np.ndarray | None = None) -> np.ndarray:
    """The optimum, by feature-sign search (Lee, Battle, Raina and Ng 2007), which is finite."""
    size = len(projection)
    if not size:
        return zeros(0)
    b = start.copy() if start is not None else zeros(size)
    a = scatter + identity(size) * (l2 + NOTHING * max(np.diag(scatter)))
    slack = mpfr("1e-35") * max((abs(value) for value in projection), default=mpfr(1))
    while True:
        settle(a, projection, l1, b)
        slopes = projection - np.dot(a, b)
        waiting = [(abs(slopes[j]), j) for j in range(size) if b[j] == 0 and abs(slopes[j]) > l1 + slack]
        if not waiting:
            return b
        _, first = max(waiting)
        # A step so short that only its sign matters.
        b[first] = mpfr("1e-60") * (abs(slopes[first]) - l1) / a[first, first] * (1 if slopes[first] > 0 else -1)


def settle(a: np.ndarray, projection: np.ndarray, l1, b: np.ndarray) -> None:
    """Moves to the best coefficients of these signs; coefficients that would change their sign become zero."""
    while True:
        active = [j for j in range(len(b)) if b[j] != 0]
        if not active:
            return
        signs = np.array([mpfr(1) if b[j] > 0 else mpfr(-1) for j in active], dtype=object)
        there = Cholesky(a[np.ix_(active, active)]).solve(projection[active] - l1 * signs)
        crossing = [(-b[j] / (end - b[j]), j) for j, end in zip(active, there) if end * b[j] <= 0]
        if not crossing:
            b[active] = there
            return
        share, _ = min(crossing)
        for j, end in zip(active, there):
            b[j] = b[j] + share * (end - b[j])
        for own, j in crossing:
            if own <= share:
                b[j] = mpfr(0)


def is_determined(plane: Plane, others: np.ndarray) -> bool:
    """Whether the predictions of other rows are unique although columns may be dependent.

    Columns that are dependent in the rows of the fit must be dependent in the same way in these.
    """
    s = plane.standard
    z = s.z[:, plane.used]
    new = (others[:, plane.used] - s.means[plane.used]) / s.scales[plane.used]
    independent = []
    for column in range(z.shape[1]):
        tried = [*independent, column]
        try:
            Cholesky(plane.scatter[np.ix_(tried, tried)], smallest=NEARLY**2)
            independent = tried
        except Singular:
            parts = Cholesky(plane.scatter[np.ix_(independent, independent)]).solve(plane.scatter[independent, column])
            left = new[:, column] - np.dot(new[:, independent], parts)
            if any(abs(value) > 10 * NEARLY for value in left):
                return False
    return True
