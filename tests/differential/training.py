"""Compares a trained model with its table: signature, design, coefficients, inference."""

import math

import numpy as np

import choosing
import classified
import lasso
import logistic
import measured
from data import Data, Standard, features_of
from exact import U, doubles, gamma, identity, mpfr, to_double, zeros
from fits import EPSILON, Plane, log_error, mean_of, sizes
from model import Model
from summary import Summary
from tables import Table


class Training:
    """The checks of one fit to all rows; errors are reported with `fault(kind, words)`."""

    def __init__(self, table: Table, plan, model: Model, printed: dict, fault):
        self.plan, self.model, self.printed, self.fault = plan, model, printed, fault
        self.table = table
        self.features = features_of(table, plan)
        self.everything = list(range(table.rows))

    def check(self) -> None:
        if not self.signature():
            return
        self.data = Data(self.table, self.plan, self.features, self.model.file)
        if not self.columns():
            return
        self.standard = Standard(self.data, self.everything, rounded=self.plan.estimator == "logistic")
        self.means_and_scales()
        self.alpha = self.model.file["training"]["parameters"].get("alpha", 0.0)
        self.triangle()
        if self.plan.estimator == "logistic":
            logistic.check(self.data, self.model, self.standard, self.printed["notes"], self.fault)
            classified.check(self.data, self.model, self.printed["notes"], self.fault)
            return
        self.intercept()
        if self.plan.estimator in ("linear", "ridge"):
            self.plane = Plane(self.data, self.everything, self.alpha)
            self.coefficients()
            self.noise()
            if self.plan.estimator == "linear":
                exact = any("the fit is exact" in note for note in self.printed["notes"])
                residuals, sizes = self.stated()
                Summary(self.plane, self.printed["summary"], residuals, sizes, exact, self.fault).check()
        else:
            # The penalty does not matter: only the cross-products are needed.
            self.plane = Plane(self.data, self.everything, 1.0)
            self.optimality()
        measured.regression(self.data, self.plan.l1_ratio, self.alpha, self.model, self.fault)
        if self.plan.is_chosen:
            choosing.check(self.data, self.plan.l1_ratio, self.alpha, self.printed["notes"], self.fault)

    def signature(self) -> bool:
        """Whether features have the expected types and levels, without which other checks are not possible."""
        understood = True
        # A feature without a column in the design is accepted and not used.
        ignored = self.model.file["signature"].get("ignored", [])
        columns = self.model.file["preprocess"]["columns"]
        used = {factor["feature"] for column in columns for factor in column["product"]}
        for feature in self.features:
            if feature.name in ignored and feature.name in used:
                self.fault("signature", f"{feature.name!r} has a column and is ignored")
        features = [feature for feature in self.features if feature.name not in ignored]
        if len(features) != len(self.model.features):
            self.fault("signature", f"{len(self.model.features)} features, should be {len(features)}")
            return False
        for expected, got in zip(features, self.model.features):
            kind = got["type"]
            if (expected.name, expected.kind) != (got["name"], kind):
                self.fault("signature", f"{got['name']!r} is {kind}, should be {expected.name!r}, {expected.kind}")
                understood = False
                continue
            if got.get("levels", []) != expected.levels:
                self.fault("levels", f"{expected.name!r} has {got.get('levels')}, should have {expected.levels}")
                understood = False
            if expected.range and got["range"] != expected.range:
                self.fault("range", f"{expected.name!r} has the range {got['range']}, should have {expected.range}")
            stated = got["missing"]
            value = stated["impute"] if isinstance(stated, dict) else None
            allowed = expected.imputed or [None]
            if value not in allowed and not (value is None and not expected.is_incomplete):
                self.fault(
                    "imputation",
                    f"{expected.name!r} imputes {value!r}, should impute {allowed[0]!r}: {self.plan.missing}",
                )
        return understood

    def columns(self) -> bool:
        data, got = self.data, [column["name"] for column in self.model.columns]
        expected = [term.name for term in data.terms]
        if got != expected:
            self.fault("design", f"the columns are {got}, should be {expected}")
            return False
        wrong = [data.all_terms[place].name for place in data.dropped if not self.is_redundant(place)]
        if wrong:
            self.fault("design", f"columns that vary are left out: {wrong}")
        return not wrong

    def is_redundant(self, place: int) -> bool:
        """Whether a column is constant, or for least squares a linear combination of the columns before it."""
        data = self.data
        own = np.array([float(value) for value in data.raw[place]])
        # Squares of the smallest numbers are zero as doubles.
        if place in data.constant or bool((own == own[0]).all()):
            return True
        if self.plan.estimator != "linear":
            return False
        before = [other for other in range(place) if other not in data.dropped]

        def from_first(column: list) -> np.ndarray:
            """Exactly: at a large offset, doubles and a column of ones would hide what varies."""
            first = column[0] if self.plan.intercept else 0
            return np.array([float(value - first) for value in column])

        own, columns = from_first(data.raw[place]), [from_first(data.raw[other]) for other in before]
        columns = [column / abs(column).max() for column in columns if column.any()]
        if len(columns) >= data.rows:
            return True
        own = own / abs(own).max()
        if not columns:
            return False
        matrix = np.array(columns).T
        nearest = matrix @ np.linalg.lstsq(matrix, own, rcond=1e-13)[0]
        return bool(np.linalg.norm(own - nearest) <= 1e-7 * np.linalg.norm(own))

    def means_and_scales(self) -> None:
        s, rows = self.standard, len(self.everything)
        spread = doubles(s.spread)
        for place, column in enumerate(self.model.columns):
            # The first row is subtracted, then the differences are added and divided.
            error = gamma(rows) * spread[place] + 2 * U * abs(float(s.means[place])) if self.plan.intercept else 0.0
            if abs(to_double(mpfr(column["mean"]) - s.means[place])) > error:
                self.fault(
                    "mean",
                    f"{column['name']!r}: {column['mean']!r} should be {to_double(s.means[place])!r} ± {error:.1e}",
                )
            scale = 1.0 if self.plan.estimator == "linear" else float(s.scales[place])
            error = 0.0
            if self.plan.estimator != "linear":
                size = spread[place] if self.plan.intercept else float(max(abs(value) for value in s.raw[:, place]))
                error = gamma(rows * (len(self.model.columns) + 1)) * (scale + size)
            if abs(to_double(mpfr(column["scale"]) - (s.scales[place] if error else 1))) > error:
                self.fault("scale", f"{column['name']!r}: {column['scale']!r} should be {scale!r} ± {error:.1e}")

    def standardised(self, score: int = 0) -> list:
        """The stored coefficients for columns that are standardised exactly."""
        columns = zip(self.model.columns, self.model.coefficients, self.standard.scales)
        return [mpfr(values[score]) / mpfr(column["scale"]) * scale for column, values, scale in columns]

    def stated(self) -> tuple[np.ndarray, list[float]]:
        """The exact residuals of the stored model, and for each the sum of the absolute values of its terms."""
        data, columns = self.data, self.model.columns
        values = np.array([mpfr(self.model.intercepts[0])] * len(self.everything), dtype=object)
        sizes = np.full(len(self.everything), abs(self.model.intercepts[0]))
        for place, column in enumerate(columns):
            part = (
                (data.design[:, place] - mpfr(column["mean"]))
                * mpfr(self.model.coefficients[place][0])
                / mpfr(column["scale"])
            )
            values = values + part
            sizes = sizes + np.abs(doubles(part))
        return data.target - values, sizes

    def intercept(self) -> None:
        """The intercept makes the mean residual zero, compensates for the rounding of means, and is rounded once."""
        intercept = self.model.intercepts[0]
        if not self.plan.intercept:
            if intercept != 0.0:
                self.fault("intercept", f"{intercept!r} of a fit without one")
            return
        residuals, _ = self.stated()
        mean, error = to_double(mean_of(self.data.weights, residuals)), math.ulp(intercept)
        target, units = self.data.target, [
            values[0] / column["scale"] for column, values in zip(self.model.columns, self.model.coefficients)
        ]
        error += max(EPSILON * abs(float(value)) for value in target) if self.plan.log else 0.0
        distance = float(max(abs(value - target[0]) for value in target))
        parts = float(np.dot(np.abs(units), doubles(self.standard.spread))) + distance
        # Least squares has sums in double-doubles; other estimators have sums of differences from the first row.
        error += (2.0**-90 if self.plan.estimator == "linear" else gamma(len(self.everything))) * parts
        # Means are double-doubles.
        means = np.abs(doubles(self.standard.means))
        error += 2.0**-100 * (float(np.dot(np.abs(units), means)) + float(max(abs(value) for value in target)))
        if abs(mean) > error:
            self.fault("intercept", f"the mean residual is {mean:.3e}, more than {error:.1e}; intercept {intercept!r}")

    def coefficients(self) -> None:
        plane = self.plane
        errors = plane.refined if self.plan.estimator == "linear" else plane.errors
        logs, stored = log_error(self.data, self.everything), self.standardised()
        for place, expected, error, reach in zip(plane.used, plane.b, errors, plane.reach):
            got = stored[place]
            allowed = error + reach * logs
            if abs(to_double(got - expected)) > allowed:
                name = self.model.columns[place]["name"]
                self.fault(
                    "coefficient",
                    f"{name!r}, standardised: {to_double(got)!r} should be {to_double(expected)!r} ± {allowed:.1e}",
                )

    def optimality(self) -> None:
        if any("did not converge" in note for note in self.printed["notes"]):
            return
        optimality = lasso.Optimality(self.plane, self.standardised(), self.alpha, self.plan.l1_ratio)
        logs = self.plane.lengths * log_error(self.data, self.everything)
        allowed, found = optimality.rounding() + logs, optimality.violations()
        if (found > allowed).any() and optimality.gap() > lasso.GAP:
            worst = int(np.argmax(found / allowed))
            name = self.model.columns[self.plane.used[worst]]["name"]
            self.fault(
                "optimality",
                f"the slope of {name!r} is {found[worst]:.3e} off, {allowed[worst]:.1e} is allowed; "
                f"gap {optimality.gap():.1e}",
            )

    def noise(self) -> None:
        """Degrees of freedom and the residual variance."""
        plane, inference = self.plane, self.model.inference
        freedom = len(self.everything) - len(plane.used) - int(self.plan.intercept)
        exact = mpfr(freedom)
        if self.plan.estimator == "ridge":
            trace = np.dot(plane.inverse, plane.scatter).trace()
            exact = mpfr(len(self.everything) - int(self.plan.intercept)) - trace
            freedom = math.floor(exact + mpfr("1e-9"))
            if abs(exact + mpfr("1e-9") - round(exact)) < 1e-9:
                return
        got = inference.get("degrees_of_freedom")
        if got != (freedom if freedom > 0 else None):
            self.fault("freedom", f"{got} degrees of freedom, should be {freedom}")
            return
        if freedom < 1:
            return
        squares = float(plane.squares)
        b = np.abs(doubles(plane.b))
        if self.plan.estimator == "linear":
            # At the minimum of the sum of squares, only the squares of errors of the coefficients count.
            rest = float(np.dot(plane.lengths, plane.refined))
            error = 16 * U * squares + rest * rest
        else:
            off = plane.gamma * plane.fitted + float(np.dot(plane.lengths, plane.errors))
            error = 2 * math.sqrt(squares) * off + off * off
        logs = log_error(self.data, self.everything)
        error += (
            2 * math.sqrt(squares) * logs
            + logs * logs
            + 2.0**-98 * float(np.dot(plane.sizes, b) + plane.target_size) ** 2
        )
        expected = squares / float(exact)
        allowed = error / float(exact) + 4 * U * expected
        if abs(inference["residual_variance"] - expected) > allowed:
            self.fault("variance", f"{inference['residual_variance']!r} should be {expected!r} ± {allowed:.1e}")

    def triangle(self) -> None:
        """`RᵀR` is the cross-products of the standardised columns plus the increment of the diagonal."""
        r, s = self.model.inference.get("r"), self.standard
        rows, size = len(self.everything), len(self.model.columns)
        if self.plan.estimator == "ridge":
            added = mpfr(self.alpha)
        else:
            added = s.weight * mpfr("1e-8") if self.plan.estimator != "linear" else mpfr(0)
        if not r:
            if self.plan.estimator == "ridge" or rows > size + 1:
                self.fault("triangle", "there is no R")
            return
        weight = self.model.inference.get("weight")
        total = to_double(s.weight)
        if (weight is None) != (self.table.weights is None) or weight and abs(weight - total) > gamma(rows) * total:
            self.fault("weight", f"{weight!r} should be {total!r}")
        upper = zeros(size, size)
        for row, entries in enumerate(r):
            upper[row, row:] = [mpfr(entry) for entry in entries]
        upper = upper * (np.array([mpfr(column["scale"]) for column in self.model.columns], dtype=object) / s.scales)
        expected = np.dot((s.z * s.weights[:, None]).T, s.z) + identity(size) * added
        off, lengths = doubles(np.dot(upper.T, upper) - expected), sizes(s) + math.sqrt(float(added))
        allowed = 2 * gamma(rows * (size + 1)) * np.outer(lengths, lengths)
        if self.plan.estimator == "logistic" and self.plan.intercept:
            # Logistic regression subtracts means that are rounded to doubles.
            rounded = U * np.abs(doubles(s.means / s.scales))
            allowed = allowed + to_double(s.weight) * np.outer(rounded, rounded)
        if (np.abs(off) > allowed).any():
            worst = np.unravel_index(np.argmax(np.abs(off) / allowed), off.shape)
            self.fault("triangle", f"RᵀR is off by {off[worst]:.3e} at {worst}, {allowed[worst]:.1e} is allowed")
