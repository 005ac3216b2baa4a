"""The summary of a least-squares fit: standard errors, tests, criteria, Durbin–Watson, condition number."""

import math

import gmpy2
import numpy as np
from mpmath import log, mp, mpf, pi

from exact import U, doubles, mpfr, to_double
from fits import EPSILON, Plane, log_error
from student import fisher_tail, student_quantile, student_tail

# Relative errors of statrs' tails and quantiles: see the modules `distribution` of ordinate-train and `quantile` of
# ordinate-model.
TAIL, QUANTILE = 4e-12, 1e-12


class Summary:
    """Compares the printed summary with an exact fit; errors are reported with `fault(kind, words)`."""

    def __init__(self, plane: Plane, printed: dict, residuals: np.ndarray, sizes: np.ndarray, exact: bool, fault):
        self.plane, self.printed, self.data = plane, printed, plane.data
        self.residuals, self.sizes, self.is_exact, self.fault = residuals, sizes, exact, fault
        self.rows = len(plane.rows)
        self.freedom = self.rows - len(plane.used) - int(plane.data.plan.intercept)

    def check(self) -> None:
        if self.freedom < 1 or self.is_exact:
            return
        self.terms()
        self.whole()
        self.durbin_watson()

    def hold(self, what: str, got, expected, relative: float, absolute: float = 0.0) -> None:
        expected = float(expected)
        if got is None or abs(got - expected) > relative * abs(expected) + absolute:
            self.fault("summary", f"{what}: {got!r} should be {expected!r} ± {relative * abs(expected) + absolute:.1e}")

    def noise(self) -> tuple[float, float]:
        """The residual variance, and its relative error bound."""
        plane = self.plane
        squares, logs = float(plane.squares), log_error(self.data, plane.rows)
        rest = float(np.dot(plane.lengths, plane.refined))
        off = 16 * U * squares + rest * rest + 2 * math.sqrt(squares) * logs + logs * logs
        off += 2.0**-98 * float(np.dot(plane.sizes, np.abs(doubles(plane.b))) + plane.target_size) ** 2
        return squares / self.freedom, off / squares

    def terms(self) -> None:
        plane, s = self.plane, self.plane.standard
        variance, off = self.noise()
        t = student_quantile("0.95", self.freedom)
        inverse = np.abs(doubles(plane.inverse))
        for place, term in enumerate(self.printed["terms"]):
            name, own = term["name"], float(plane.inverse[place, place])
            # A⁻¹ changes by −A⁻¹(δZ'Z + Z'δZ)A⁻¹ when columns do.
            relative = 2 * plane.gamma * plane.reach[place] * float(np.dot(inverse[place], plane.sizes)) / own
            error = math.sqrt(variance * own) / float(s.scales[place])
            relative = relative / 2 + off / 2 + 8 * U
            self.hold(f"standard error of {name!r}", term["standard_error"], error, relative)
            vif = own * float(plane.scatter[place, place])
            self.hold(
                f"VIF of {name!r}",
                term["vif"],
                vif,
                2 * relative + 2 * plane.gamma * plane.sizes[place] / plane.lengths[place],
            )
            if self.data.plan.intercept:
                deviation = float(s.scales[place])
                self.hold(
                    f"deviation of {name!r}",
                    term["standard_deviation"],
                    deviation,
                    plane.gamma * plane.sizes[place] / plane.lengths[place],
                )
            self.consistent(term, t)
        if self.printed["intercept"]:
            self.intercept(t)

    def intercept(self, t) -> None:
        """Where every column is zero."""
        plane, s, term = self.plane, self.plane.standard, self.printed["intercept"]
        variance, off = self.noise()
        parts = s.means / s.scales
        expected = plane.mean - np.dot(plane.b, parts)
        size = np.abs(doubles(parts))
        error = (
            float(np.dot(size, plane.refined))
            + 2 * U * abs(float(expected))
            + 2.0**-95 * float(np.dot(size, np.abs(doubles(plane.b))))
        )
        logs = log_error(self.data, plane.rows) * float(np.dot(size, plane.reach) + 1)
        self.hold("intercept", term["estimate"], to_double(expected), 0.0, error + logs)
        inverse = np.dot(plane.inverse, parts)
        own = 1 / s.weight + np.dot(parts, inverse)
        reach = math.sqrt(max(0.0, float(np.dot(inverse, np.dot(plane.scatter, inverse)))))
        relative = 2 * plane.gamma * reach * float(np.dot(np.abs(doubles(inverse)), plane.sizes)) / float(own)
        self.hold(
            "standard error of the intercept",
            term["standard_error"],
            math.sqrt(variance * float(own)),
            relative / 2 + off / 2 + 8 * U,
        )
        self.consistent(term, t)

    def consistent(self, term: dict, t) -> None:
        """t, p and the interval follow from estimate and standard error."""
        name, estimate, error = term["name"], term["estimate"], term["standard_error"]
        ratio = estimate / error
        self.hold(f"t of {name!r}", term["t"], ratio, 2 * U)
        tail = student_tail(term["t"], self.freedom)
        if tail > mpf("1e-290"):
            # x = freedom ÷ (freedom + t²) is rounded, then raised to freedom ÷ 2; near 1 also 1 − x.
            steep = abs(student_tail(mpf(term["t"]) * (1 + mpf(2) ** -40), self.freedom) / tail - 1) * mpf(2) ** 40
            self.hold(f"p of {name!r}", term["p"], tail, TAIL + float(steep) * 8 * U)
        for end, sign in zip(term["interval"], (-1, 1)):
            margin = float(t) * error
            self.hold(f"interval of {name!r}", end, estimate + sign * margin, 2 * U, margin * (QUANTILE + 2 * U))

    def whole(self) -> None:
        plane, got = self.plane, self.printed
        variance, off = self.noise()
        squares, columns = plane.squares, len(plane.used)
        total = np.dot(plane.standard.weights, plane.centred_target**2)
        logs = 2 * log_error(self.data, plane.rows) / math.sqrt(float(total))
        share = float(squares / total)
        r2 = float(1 - squares / total)
        self.hold("R²", got["r2"], r2, 4 * U, share * (off + logs) + 8 * U * share)
        total_freedom = self.rows - int(self.data.plan.intercept)
        factor = total_freedom / self.freedom
        self.hold(
            "adjusted R²",
            got["adjusted_r2"],
            float(1 - squares / total * total_freedom / self.freedom),
            8 * U,
            factor * (share * (off + logs) + 8 * U),
        )
        self.hold("residual deviation", got["residual_standard_deviation"], math.sqrt(variance), off / 2 + 4 * U)
        f = float((total - squares) / columns / (squares / self.freedom))
        allowed = off + 8 * U + (off + 2 * logs + 2 * U) * float(total / (total - squares))
        self.hold("F", got["f"], f, allowed)
        tail = fisher_tail(got["f"], columns, self.freedom)
        if tail > mpf("1e-290"):
            steep = (
                abs(fisher_tail(mpf(got["f"]) * (1 + mpf(2) ** -40), columns, self.freedom) / tail - 1) * mpf(2) ** 40
            )
            self.hold("p of F", got["f_p"], tail, TAIL + float(steep) * 8 * U)
        self.criteria(off)

    def criteria(self, off: float) -> None:
        plane, got, n = self.plane, self.printed, self.rows
        weights = sum(gmpy2.log(weight) for weight in plane.standard.weights)
        inside = gmpy2.log(2 * mpfr(str(pi)) * plane.squares / n)
        likelihood = (weights - n * (inside + 1)) / 2
        size = n * (abs(float(inside)) + 1) + sum(abs(float(gmpy2.log(weight))) for weight in plane.standard.weights)
        error = n * off + (n + 4) * U * size
        parameters = len(plane.used) + int(self.data.plan.intercept)
        self.hold("log-likelihood", got["log_likelihood"], to_double(likelihood), 4 * U, error)
        self.hold("AIC", got["aic"], to_double(2 * parameters - 2 * likelihood), 4 * U, 2 * error)
        self.hold("BIC", got["bic"], float(parameters * log(mpf(n)) - 2 * mpf(str(likelihood))), 4 * U, 2 * error)

    def durbin_watson(self) -> None:
        """From the residuals of the stored model times the root of their weights, in the order of the rows."""
        weights, plane = self.plane.standard.weights, self.plane
        e = np.array([gmpy2.sqrt(weight) for weight in weights], dtype=object) * self.residuals
        roots = np.sqrt(doubles(weights))
        steps = e[1:] - e[:-1]
        squares = np.dot(e, e)
        expected = float(np.dot(steps, steps) / squares)
        # For each residual, one product and one sum per column, and the rounding of the logarithm.
        logs = EPSILON * np.abs(doubles(plane.y)) if self.data.plan.log else 0.0
        off = roots * ((len(plane.used) + 3) * U * (self.sizes + np.abs(doubles(plane.y))) + logs) + 2 * U * np.abs(
            doubles(e)
        )
        error = (
            2
            * float(np.dot(np.abs(doubles(steps)), off[1:] + off[:-1]) + expected * np.dot(np.abs(doubles(e)), off))
            / float(squares)
        )
        error += (self.rows + 4) * U * expected
        self.hold("Durbin–Watson", self.printed["durbin_watson"], expected, 0.0, error)


mp.dps = 40
