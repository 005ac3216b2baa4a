"""Recomputes the fit without the held-out rows, and its metrics."""

import math

import gmpy2
import numpy as np

import lasso
from data import Data
from exact import U, Singular, doubles, gamma, mpfr
from fits import EPSILON, Plane, log_error
from metrics import Regression, hold


class Predictions:
    """Exact predictions of a linear model, and bounds of their errors from coefficients and rounding."""

    def __init__(self, data: Data, plane: Plane, b, errors: np.ndarray, rows: list[int]):
        s, used = plane.standard, plane.used
        z = (data.design[rows, :][:, used] - s.means[used]) / s.scales[used]
        self.values = plane.mean + (np.dot(z, b) if used else np.array([mpfr(0)] * len(rows), dtype=object))
        size = np.abs(doubles(z)) if used else np.zeros((len(rows), 0))
        parts = np.dot(size, np.abs(doubles(b))) + abs(float(plane.mean))
        # The intercept compensates for rounded means, and is rounded itself.
        logs = log_error(data, plane.rows) * (np.dot(size, plane.reach) + 1 / math.sqrt(float(s.weight)))
        self.off = np.dot(size, errors) + (len(used) + 5) * U * parts + logs
        if data.plan.estimator != "linear":
            # Means are sums of distances from the first row, in doubles.
            units = np.abs(doubles(b)) / doubles(s.scales)[used]
            distance = float(max(abs(value - plane.y[0]) for value in plane.y))
            self.off = self.off + gamma(len(plane.rows)) * (distance + float(np.dot(units, doubles(s.spread)[used])))
        if data.plan.log:
            self.values = np.array([gmpy2.exp(value) for value in self.values], dtype=object)
            self.off = doubles(self.values) * (self.off + 2 * U)


def regression(data: Data, l1_ratio: float, alpha: float, model, fault) -> None:
    """Metrics of linear, ridge, lasso and elastic net."""
    linear, ridge = data.plan.estimator == "linear", data.plan.estimator == "ridge"
    try:
        plane = Plane(data, data.kept, 0.0 if linear else alpha if ridge else 1.0)
    except Singular:
        return
    held_out = [row for row in range(data.rows) if data.held_out[row]]
    if linear or ridge:
        b, errors = plane.b, plane.refined if linear else plane.errors
    else:
        if held_out and not lasso.is_determined(plane, data.design[held_out, :]):
            return
        b, errors = optimum(plane, alpha, l1_ratio)
        if b is None:
            return
    for side, rows in (("train", data.kept), ("test", held_out)):
        made = Predictions(data, plane, b, errors, rows)
        parameters = len(plane.used) + int(data.plan.intercept) if linear and side == "train" else None
        weights = [data.weights[row] for row in rows]
        actual = [data.observed[row] for row in rows]
        expected = Regression(
            actual, list(made.values), list(made.off), weights, parameters, data.plan.intercept
        ).expected()
        hold(side, expected, model.file["training"]["metrics"].get(side), fault)
        if side == "test" and rows:
            conformal(data, made, rows, model.inference, fault)


def conformal(data: Data, made: Predictions, rows: list[int], inference: dict, fault) -> None:
    """The absolute errors on held-out rows, in ascending order; for a logged target, of the logarithms."""
    if inference.get("residual_variance") is not None:
        return
    actual, predicted, off = np.array([mpfr(data.observed[row]) for row in rows], dtype=object), made.values, made.off
    if data.plan.log:
        off = off / doubles(predicted)
        actual = np.array([gmpy2.log(value) for value in actual], dtype=object)
        predicted = np.array([gmpy2.log(value) for value in predicted], dtype=object)
        off = off + EPSILON * (np.abs(doubles(actual)) + np.abs(doubles(predicted)))
    expected = np.sort(np.abs(doubles(actual - predicted)))
    got = inference.get("conformal")
    allowed = float((off + 2 * U * np.abs(doubles(predicted))).max()) + 2 * U * expected
    if not got or got["rows"] != len(rows) or (np.abs(np.array(got["scores"]) - expected) > allowed).any():
        fault("conformal", f"{got} should be {expected.tolist()} ± {float(allowed.max()):.1e}")


def optimum(plane: Plane, alpha: float, l1_ratio: float):
    """The coefficients of lasso and elastic net and their error bounds; None if rounding may change which are zero."""
    weight = plane.standard.weight
    l1, l2 = mpfr(alpha) * mpfr(l1_ratio) * weight, mpfr(alpha) * (1 - mpfr(l1_ratio)) * weight
    b = lasso.solve(plane.scatter, plane.projection, l1, l2)
    active = [place for place in range(len(b)) if b[place] != 0]
    stated = {plane.used[place]: value for place, value in enumerate(b)}
    found = lasso.Optimality(
        plane, [stated.get(column, 0) for column in range(plane.standard.z.shape[1])], alpha, l1_ratio
    )
    rounding = found.rounding()
    for place in range(len(b)):
        near_zero = b[place] == 0 and float(l1 - abs(found.slopes[place])) <= rounding[place]
        if near_zero:
            return None, None
    errors = np.zeros(len(b))
    if active:
        a = plane.scatter[np.ix_(active, active)] + np.diag([l2] * len(active))
        try:
            inverse = np.abs(doubles(lasso.Cholesky(a, smallest=1e-60).inverse()))
        except Singular:
            return None, None
        # An error of the slope changes the coefficients of the same signs by A⁻¹ times the error.
        errors[active] = np.dot(inverse, rounding[active]) + 2 * EPSILON * np.abs(doubles(b[active]))
        if (errors[active] >= np.abs(doubles(b[active]))).any():
            return None, None
    return b, errors
