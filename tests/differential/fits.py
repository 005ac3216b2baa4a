"""Exact least squares and ridge, and error bounds for their computation in doubles."""

import math

import gmpy2
import numpy as np

from data import Data, Standard
from exact import TINY, U, Cholesky, doubles, gamma, identity, mpfr, zeros

EPSILON = 2 * U


class Plane:
    """`min Σ w (y − ŷ)² + alpha ‖b‖²` over some rows, exactly, for standardised columns; constant columns get 0.

    Rounding: QR of the columns is exact for columns that differ by `size` in length (Higham, theorem 19.4, with the
    probable bound of `gamma`): of each column its own length and the distance of its values from the first row's,
    which is subtracted first. First-order perturbation theory takes that to the coefficients.
    """

    def __init__(self, data: Data, rows: list[int], alpha: float = 0.0, rounded: bool = False):
        self.data, self.standard = data, Standard(data, rows, rounded)
        s = self.standard
        self.rows, self.alpha = rows, alpha
        self.y = data.target[rows]
        about_zero = not data.plan.intercept
        self.mean = mpfr(0) if about_zero else np.dot(s.weights, self.y) / s.weight
        self.centred_target = self.y - self.mean
        self.used = [column for column in range(s.z.shape[1]) if s.varies[column]]
        z = s.z[:, self.used]
        self.weighted = z * s.weights[:, None]
        self.scatter = np.dot(self.weighted.T, z) if self.used else zeros(0, 0)
        self.projection = np.dot(self.weighted.T, self.centred_target) if self.used else zeros(0)
        self.penalise(alpha)

    def penalise(self, alpha: float) -> None:
        """Solves for this penalty."""
        s, self.alpha = self.standard, alpha
        z = s.z[:, self.used]
        self.a = self.scatter + identity(len(self.used)) * mpfr(alpha)
        self.factor = Cholesky(self.a)
        self.b = self.factor.solve(self.projection) if self.used else zeros(0)
        self.residuals = self.centred_target - (np.dot(z, self.b) if self.used else 0)
        self.squares = np.dot(s.weights, self.residuals**2)
        self.bound()

    def bound(self) -> None:
        root = np.array([math.sqrt(float(w)) for w in self.standard.weights])
        norm = lambda values: float(np.linalg.norm(root * doubles(values)))
        self.lengths = np.sqrt(doubles(np.diag(self.scatter))) if self.used else np.zeros(0)
        self.sizes = sizes(self.standard)[self.used]
        self.target_size = norm(self.centred_target) + norm(self.y - self.y[0])
        self.inverse = self.factor.inverse() if self.used else zeros(0, 0)
        inverse = np.abs(doubles(self.inverse))
        # The rows of A⁻¹ZᵀW½ have the squared lengths diag(A⁻¹ (A − αI) A⁻¹).
        inner = np.dot(np.dot(self.inverse, self.scatter), self.inverse) if self.used else zeros(0, 0)
        self.reach = np.sqrt(np.maximum(doubles(np.diag(inner)), 0.0)) if self.used else np.zeros(0)
        self.gamma = gamma(len(self.rows) * (len(self.used) + 1))
        b = np.abs(doubles(self.b))
        penalty = math.sqrt(self.alpha)
        fitted = float(np.dot(self.sizes + penalty, b)) + self.target_size
        self.rest = math.sqrt(float(self.squares)) + penalty * float(np.linalg.norm(b))
        one_sided = np.dot(inverse, self.sizes + penalty) * self.rest
        self.errors = self.gamma * (one_sided + self.reach * fitted) + 2 * EPSILON * b
        self.fitted = fitted

    @property
    def refined(self) -> np.ndarray:
        """The part of `errors` that remains after two steps of iterative refinement.

        Each solves with a triangle that is exact for columns that differ by `gamma · sizes` in length, E = ΔZᵀZ + ZᵀΔZ,
        so it leaves (A + E)⁻¹E times the errors: of a coefficient, what the errors of all others make of it. Residuals
        are pairs of doubles, off by a few 2⁻¹⁰⁴.
        """
        one_sided = np.dot(np.abs(doubles(self.inverse)), self.sizes)
        both = float(np.dot(self.reach, self.sizes))
        # Bounds of the errors, and of the length of Z times the errors.
        errors = self.gamma * (one_sided * self.rest + self.reach * self.fitted)
        length = self.gamma * (both * self.rest + self.fitted)
        for _ in range(2):
            weighted = float(np.dot(self.sizes, errors))
            errors = self.gamma * (one_sided * length + self.reach * weighted)
            length = self.gamma * (both * length + weighted)
        refined = 2 * U * np.abs(doubles(self.b)) + errors + self.errors * 2.0**-48
        # Products of tiny columns and residuals are multiples of the smallest double.
        scales = doubles(self.standard.scales)[self.used]
        return refined + np.abs(doubles(self.inverse)) @ (4 * len(self.rows) * TINY / scales)


def sizes(standard: Standard) -> np.ndarray:
    """For each standardised column, its length and the length of its differences from the first row."""
    from_first = (standard.raw - standard.raw[0]) / standard.scales
    roots = np.sqrt(doubles(standard.weights))[:, None]
    return np.linalg.norm(roots * doubles(standard.z), axis=0) + np.linalg.norm(roots * doubles(from_first), axis=0)


def mean_of(weights: np.ndarray, values: np.ndarray):
    return np.dot(weights, values) / weights.sum()


def root(value) -> float:
    return float(gmpy2.sqrt(value)) if value > 0 else 0.0


def log_error(data: Data, rows: list[int]) -> float:
    """The error of the target's length from the rounding of logarithms: one ulp each."""
    if not data.plan.log:
        return 0.0
    return math.sqrt(sum(float(data.weights[row]) * (EPSILON * abs(float(data.target[row]))) ** 2 for row in rows))
