"""Logistic regression: the gradient at the stored coefficients, and the exact optimum."""

import math

import gmpy2
import numpy as np

from data import Data, Standard
from exact import RANDOM, U, doubles, gamma, mpfr, vector, zeros

# LAST_STEP of the module `newton` of ordinate-train: a step shorter than this, relative to the largest parameter,
# is the last.
# By Taylor's theorem it leaves a slope of half its square times the third derivative, which is at most 1.
LAST_STEP = 1e-7
# The residual of the last linear system of truncated Newton, and the gradient before it: FINE and the tolerance of the module
# `truncated_newton`.
TRUNCATED = 1e-3 * 1e-8
# NEAR and FEW_OPERATIONS of the module `logistic`: the gradient that is enough where more digits need more operations.
NEAR, FEW_OPERATIONS = 1e-4, 3e8
# The passes over the rows in which truncated Newton finds the last digits of random tables.
PASSES = 1000
# The largest correction of a curvature that is lost in rounding, as a fraction of the largest curvature.
MORE = 1e-10


class Problem:
    """`Σ w · −ln p(class) / W + ‖b‖² / (2 C W)` over standardised columns; the last parameter is the intercept."""

    def __init__(self, data: Data, rows: list[int], c: float, standard: Standard | None = None):
        self.data, self.rows, self.c = data, rows, c
        self.standard = s = standard or Standard(data, rows, rounded=True)
        self.scores = 1 if len(data.classes) == 2 else len(data.classes)
        ones = np.full((len(rows), 1), mpfr(int(data.plan.intercept)), dtype=object)
        used = np.array([1 if varies else 0 for varies in s.varies], dtype=object)
        self.z = np.concatenate([s.z * used, ones], axis=1)
        self.labels = [data.labels[row] for row in rows]
        self.targets = zeros(len(rows), self.scores)
        for row, label in enumerate(self.labels):
            if self.scores > 1:
                self.targets[row, label] = mpfr(1)
            elif label == 1:
                self.targets[row, 0] = mpfr(1)
        self.weight = s.weight
        self.shares = s.weights / s.weight
        self.price = 1 / (mpfr(c) * self.weight)
        self.priced = np.array([self.price] * (self.z.shape[1] - 1) + [mpfr(0)], dtype=object)

    def gradient(self, parameters: np.ndarray) -> np.ndarray:
        """Exactly; parameters and slopes are scores × columns."""
        scores = np.dot(self.z, parameters.T)
        p = probabilities(scores)
        return np.dot(((p - self.targets) * self.shares[:, None]).T, self.z) + parameters * self.priced

    def hessian(self, parameters: np.ndarray) -> np.ndarray:
        """In doubles; with more than two classes also a curvature along directions that change no probability."""
        z, w = doubles(self.z), doubles(self.shares)
        p, size = doubles_of_probabilities(z @ parameters.T), z.shape[1]
        h = np.zeros((self.scores * size, self.scores * size))
        for k in range(self.scores):
            for m in range(self.scores):
                curvature = w * (p[:, k] * ((k == m) - p[:, m]))
                block = (z * curvature[:, None]).T @ z
                if self.scores > 1:
                    block += np.eye(size) / self.scores
                if k == m:
                    block += np.diag(doubles(self.priced)) + (
                        0 if self.data.plan.intercept else np.diag([0] * (size - 1) + [1])
                    )
                h[k * size : (k + 1) * size, m * size : (m + 1) * size] = block
        return h

    def optimum(self) -> np.ndarray | None:
        """By Newton's method in doubles and three last steps from exact slopes; None if it does not converge."""
        shape = (self.scores, self.z.shape[1])
        parameters, price = np.zeros(shape), doubles(self.priced)
        z, w, t = doubles(self.z), doubles(self.shares), doubles(self.targets)
        objective = lambda b: float(np.dot(w, losses(z @ b.T, self.labels)) + 0.5 * (price * b * b).sum())
        for _ in range(100):
            p = doubles_of_probabilities(z @ parameters.T)
            slope = ((p - t) * w[:, None]).T @ z + parameters * price
            direction = -np.linalg.solve(self.hessian(parameters), slope.ravel()).reshape(shape)
            step, now = 1.0, objective(parameters)
            while step > 1e-12 and objective(parameters + step * direction) > now + 1e-15 * abs(now):
                step /= 2
            parameters = parameters + step * direction
            if np.abs(direction).max() <= 1e-9 * max(1.0, np.abs(parameters).max()):
                break
        else:
            return None
        exact = zeros(*shape) + parameters
        for _ in range(3):
            slope = self.gradient(exact)
            exact = exact - np.linalg.solve(self.hessian(doubles(exact)), doubles(slope).ravel()).reshape(shape)
        return exact

    def allowed(self, parameters: np.ndarray) -> np.ndarray:
        """The largest accepted value of each slope: the tolerance of the solver, and rounding."""
        z, w, b = np.abs(doubles(self.z)), doubles(self.shares), np.abs(doubles(parameters))
        longest = max(1.0, float(b.max()))
        last = LAST_STEP * longest
        reach = z.sum(axis=1) * last
        remainder = 0.5 * (w * reach**2) @ z
        sums = (RANDOM * math.sqrt(len(self.rows)) + 8) * U
        off = (z.shape[1] + 4) * U * (z @ b.T).max(axis=1)
        rounding = sums * (w @ z) + (w * off) @ z + 4 * U * longest * doubles(self.priced)
        curvature = float((w * z.max(axis=1) ** 2).sum()) + float(self.price)
        solved = (MORE + gamma((self.scores * z.shape[1]) ** 2)) * curvature * last * z.shape[1]
        return remainder + rounding + solved + self.left()

    def left(self) -> float:
        """The slope that conjugate gradients leave; `is_small` of the module `logistic` decides whether they are used."""
        rows, columns = self.z.shape
        size, product = self.scores * columns, 4 * rows * columns * (self.scores + 2)
        whole = 7 * (rows * self.scores * (self.scores + 1) / 2 * columns**2 + size**3)
        if whole <= 60 * product:
            return 0.0
        # A residual is measured by its length, a gradient by its largest component.
        return TRUNCATED * math.sqrt(size) if PASSES * product <= FEW_OPERATIONS else NEAR

    def uncertainty(self, parameters: np.ndarray) -> np.ndarray:
        """The error of the parameters if the slopes have the largest accepted values."""
        allowed = np.tile(self.allowed(parameters), self.scores)
        inverse = np.abs(np.linalg.inv(self.hessian(doubles(parameters))))
        return (inverse @ allowed).reshape(parameters.shape) + 4 * U * np.abs(doubles(parameters))


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Exact probabilities from rows × scores; from one score with the sigmoid."""
    p = zeros(*scores.shape)
    for row in range(len(scores)):
        if scores.shape[1] == 1:
            p[row, 0] = 1 / (1 + gmpy2.exp(-scores[row, 0]))
        else:
            largest = max(scores[row])
            parts = [gmpy2.exp(score - largest) for score in scores[row]]
            p[row, :] = [part / sum(parts) for part in parts]
    return p


def doubles_of_probabilities(scores: np.ndarray) -> np.ndarray:
    if scores.shape[1] == 1:
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-scores))
    parts = np.exp(scores - scores.max(axis=1, keepdims=True))
    return parts / parts.sum(axis=1, keepdims=True)


def losses(scores: np.ndarray, labels: list[int]) -> np.ndarray:
    """`−ln p(class)` of each row."""
    if scores.shape[1] == 1:
        sign = np.where(np.array(labels) == 1, -1.0, 1.0)
        return np.logaddexp(0, sign * scores[:, 0])
    own = scores[range(len(labels)), labels]
    return np.logaddexp.reduce(scores - own[:, None], axis=1)


def stated(model, standard: Standard) -> np.ndarray:
    """The parameters of a model file for columns that are standardised exactly."""
    columns, scores = model.columns, len(model.intercepts)
    parameters = zeros(scores, len(columns) + 1)
    for score in range(scores):
        at_means = mpfr(model.intercepts[score])
        for place, (column, values) in enumerate(zip(columns, model.coefficients)):
            one_unit = mpfr(values[score]) / mpfr(column["scale"])
            parameters[score, place] = one_unit * standard.scales[place]
            at_means += one_unit * (standard.means[place] - mpfr(column["mean"]))
        parameters[score, len(columns)] = at_means
    return parameters


def check(data: Data, model, standard: Standard, notes: list[str], fault) -> None:
    """Whether the slopes at the stored parameters are zero."""
    if any("did not converge" in note for note in notes):
        return
    problem = Problem(data, list(range(data.rows)), model.file["training"]["parameters"]["c"], standard)
    parameters = stated(model, standard)
    found, allowed = np.abs(doubles(problem.gradient(parameters))), problem.allowed(parameters)
    if not data.plan.intercept:
        found = found[:, :-1]
        allowed = allowed[:-1]
    if (found > allowed[None, :]).any():
        score, column = np.unravel_index(np.argmax(found / allowed[None, :]), found.shape)
        name = model.columns[column]["name"] if column < len(model.columns) else "intercept"
        fault("slope", f"of {name!r} in score {score}: {found[score, column]:.3e}, {allowed[column]:.1e} is allowed")
    if len(model.intercepts) > 1:
        for place, column in enumerate([*model.coefficients, model.intercepts]):
            # Less their mean, in doubles.
            if abs(sum(vector(column))) > len(column) * 2 * U * max(abs(value) for value in column):
                fault("slope", f"coefficients {column} do not sum to zero")
