"""Classifiers: the evaluated fit, its metrics, temperature and conformal scores, and the selection of C."""

import math

import numpy as np

from choosing import agrees, printed
from data import Data
from exact import U, doubles, mpfr
from logistic import Problem, doubles_of_probabilities, losses, probabilities
from metrics import Classification, hold

# The candidates for alpha: C from 1e-4 to 1e4.
CANDIDATES = [1e4 * (1e-8) ** (step / 8) for step in range(9)]
# The constants of the module `calibration` of ordinate-train.
LEAST_ROWS, PRIOR, FACTORS = 10, 0.25, (0.1, 10.0)


class Measured:
    """Probabilities of the fit without the held-out rows."""

    def __init__(self, data: Data, c: float):
        self.data = data
        self.problem = Problem(data, data.kept, c)
        self.parameters = self.problem.optimum()
        if self.parameters is not None:
            self.errors = self.problem.uncertainty(self.parameters)

    def scores(self, rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Exact scores, and their error bounds."""
        s = self.problem.standard
        z = (self.data.design[rows, :] - s.means) / s.scales
        z[:, ~s.varies] = mpfr(0)
        z = np.concatenate([z, np.full((len(rows), 1), mpfr(int(self.data.plan.intercept)), dtype=object)], axis=1)
        size = np.abs(doubles(z))
        # Powers and products are rounded to doubles in the fit, but not in predictions.
        rounded = np.abs(doubles(self.data.rounded_design[rows, :] - self.data.design[rows, :]) / doubles(s.scales))
        off = size @ self.errors.T + (z.shape[1] + 5) * U * (size @ np.abs(doubles(self.parameters)).T)
        off = off + rounded @ np.abs(doubles(self.parameters[:, :-1])).T
        return np.dot(z, self.parameters.T), off

    def probabilities(self, rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
        scores, off = self.scores(rows)
        p = doubles(probabilities(scores))
        if p.shape[1] == 1:
            p, off = np.concatenate([1 - p, p], axis=1), np.concatenate([off, off], axis=1)
            # Not 1 − p, which would lose digits of the smaller of the two.
            p[:, 0] = doubles(probabilities(-scores))[:, 0]
        return p, p * (2 * off.max(axis=1, keepdims=True) + (p.shape[1] + 8) * U)


def check(data: Data, model, notes: list[str], fault) -> None:
    if any("did not converge" in note for note in notes):
        return
    c = model.file["training"]["parameters"]["c"]
    if data.plan.is_chosen:
        choice(data, c, notes, fault)
    measured = Measured(data, c)
    if measured.parameters is None:
        return
    got = model.file["training"]["metrics"]
    held_out = [row for row in range(data.rows) if data.held_out[row]]
    for side, rows in (("train", data.kept), ("test", held_out)):
        if not rows:
            continue
        p, off = measured.probabilities(rows)
        labels = [data.labels[row] for row in rows]
        temperature = model.inference.get("temperature")
        if temperature is not None:
            p, off = with_temperature(p, off, temperature)
        expected = Classification(labels, p, off, [data.weights[row] for row in rows], len(data.classes)).expected()
        if side == "test" and temperature is not None:
            # Each row's probability has the temperature that was fitted to other rows. The order of two classes is the same.
            changed = ["log_loss", "brier"] + (["roc_auc"] if len(data.classes) > 2 else [])
            expected = {name: value for name, value in expected.items() if name not in changed}
        hold(side, expected, got.get(side), fault)
    if held_out:
        calibration(data, measured, held_out, model, fault)


def choice(data: Data, c: float, notes: list[str], fault) -> None:
    """The C with the smallest log loss in cross-validation, or the smallest C within one standard error of it."""
    place = min(range(9), key=lambda step: abs(math.log(CANDIDATES[step] * c)))
    if abs(CANDIDATES[place] * c - 1) > 100 * U:
        fault("candidates", f"C {c!r} is not a candidate")
        return
    folds, found = data.folds(), []
    labels = set(data.labels)
    if any({data.labels[row] for row in data.kept if row not in set(fold)} != labels for fold in folds):
        # A class that is absent outside a fold has the probability of one row, which these exact fits do not have.
        return
    weights = [float(data.weights[fold].sum()) for fold in folds]
    parts = [Problem(data, [row for row in data.kept if row not in set(fold)], 1.0) for fold in folds]
    for alpha in CANDIDATES:
        errors = [
            loss(data, Problem(data, part.rows, 1 / alpha, part.standard), fold) for part, fold in zip(parts, folds)
        ]
        if None in errors:
            return
        mean = sum(w * error for w, error in zip(weights, errors)) / sum(weights)
        variance = sum(w * (error - mean) ** 2 for w, error in zip(weights, errors)) / sum(weights)
        found.append((mean, math.sqrt(variance / (max(len(errors), 2) - 1))))
    shown = printed(notes)
    # Newton's method here and there stops where doubles end; six digits are printed.
    if shown and not agrees(shown[0], found[place][0], 1e-8 * found[place][0]):
        fault("cross-validation", f"C {c!r} has the log loss {shown[0]}, should have {found[place][0]:.9g}")
        return
    if (
        shown
        and found[place][1] > 1e-6 * found[place][0]
        and not agrees(shown[1], found[place][1], 1e-7 * found[place][0])
    ):
        fault("cross-validation", f"the standard error of C {c!r} is {shown[1]}, should be {found[place][1]:.9g}")
    best = min(range(9), key=lambda step: found[step][0])
    least, spread = found[best]
    slack = 1e-8 * (least + spread)
    if not data.plan.one_standard_error:
        if found[place][0] > least + slack:
            fault("choice", f"C {c!r} has the log loss {found[place][0]!r}, {1 / CANDIDATES[best]!r} has {least!r}")
        return
    largest = next(step for step in range(9) if found[step][0] <= least + spread)
    if largest != place and abs(found[min(largest, place)][0] - least - spread) > slack:
        fault(
            "choice", f"C {c!r}, should be {1 / CANDIDATES[largest]!r}: the least within a standard error of the best"
        )


def loss(data: Data, problem: Problem, fold: list[int]) -> float | None:
    """The mean log loss of a held-out fold."""
    parameters = problem.optimum()
    if parameters is None:
        return None
    s = problem.standard
    z = doubles((data.rounded_design[fold, :] - s.means) / s.scales)
    z[:, ~s.varies] = 0
    z = np.concatenate([z, np.full((len(fold), 1), float(data.plan.intercept))], axis=1)
    w = doubles(data.weights[fold])
    return float(w @ losses(z @ doubles(parameters).T, [data.labels[row] for row in fold]) / w.sum())


def calibration(data: Data, measured: Measured, held_out: list[int], model, fault) -> None:
    """Temperature, conformal scores, and the reported calibration slope."""
    p, off = measured.probabilities(held_out)
    labels = [data.labels[row] for row in held_out]
    inference, metrics = model.inference, model.file["training"]["metrics"]
    possible = data.plan.calibrate and len(held_out) >= LEAST_ROWS and len(set(labels)) > 1
    temperature = inference.get("temperature")
    if temperature is not None and not possible:
        fault("temperature", f"{temperature} of {len(held_out)} held-out rows of {len(set(labels))} classes")
        return
    scores = np.log(np.maximum(p, 2.2250738585072014e-308))
    score_off = off / np.maximum(p, 2.2250738585072014e-308)
    w = doubles(data.weights[held_out])
    if possible:
        w = w / w.mean()
        is_served = temperature is not None
        slope = lambda factor, prior: mean_slope(scores, labels, w, factor) + (
            math.log(factor) / PRIOR**2 if prior else 0.0
        )
        noise = lambda factor: float(
            w @ (3 * factor * (1 + factor * np.abs(scores).max(axis=1)) * (score_off.max(axis=1) + 8 * U))
        )
        factor = 1 / temperature if is_served else 1.0
        steps = [factor * (1 - 1e-12), factor * (1 + 1e-12)]
        if not is_served or not FACTORS[0] * 1.001 < factor < FACTORS[1] / 1.001:
            steps = []
        if steps and (slope(steps[0], True) > noise(factor) or slope(steps[1], True) < -noise(factor)):
            fault(
                "temperature",
                f"{temperature!r}: the slope of the loss is {slope(factor, True):.2e} ± {noise(factor):.1e}",
            )
        if is_served:
            # The slope is that of cross-fitted probabilities.
            conformal(p, off, labels, temperature, inference, fault)
            return
        bounded = slope(FACTORS[1], False) <= 0 or slope(FACTORS[0], False) >= 0
        stated = metrics["test"].get("calibration_slope")
        if bounded and stated is not None:
            fault("calibration", f"the slope {stated!r} is the bound of its search, not a measurement")
        elif not bounded and stated is None:
            fault("calibration", "there is no slope")
        elif not bounded and (
            slope(stated * (1 - 1e-12), False) > noise(stated) or slope(stated * (1 + 1e-12), False) < -noise(stated)
        ):
            fault(
                "calibration", f"{stated!r}: the slope of the loss is {slope(stated, False):.2e} ± {noise(stated):.1e}"
            )
    conformal(p, off, labels, temperature, inference, fault)


def mean_slope(scores: np.ndarray, labels: list[int], w: np.ndarray, factor: float) -> float:
    """The derivative of the log loss by the logarithm of the factor on the scores."""
    p = doubles_of_probabilities(factor * scores)
    own = scores[range(len(labels)), labels]
    return float(factor * (w @ ((p * (scores - own[:, None])).sum(axis=1))))


def with_temperature(p: np.ndarray, off: np.ndarray, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities for scores divided by the temperature, and their error bounds."""
    scores = np.log(np.maximum(p, 2.2250738585072014e-308))
    score_off = off / np.maximum(p, 2.2250738585072014e-308)
    scaled = doubles_of_probabilities(scores / temperature)
    relative = (2 * score_off.max(axis=1) + 8 * U * (1 + np.abs(scores).max(axis=1))) / temperature + 16 * U
    return scaled, scaled * relative[:, None]


def conformal(p, off, labels, temperature, inference, fault) -> None:
    rows = range(len(labels))
    if temperature is not None:
        p, off = with_temperature(p, off, temperature)
    expected = np.maximum(1 - p[rows, labels], 0)
    order = np.argsort(expected)
    allowed = off[rows, labels].max() + 4 * U
    got = np.array(inference["conformal"]["scores"])
    if inference["conformal"]["rows"] != len(labels) or (np.abs(got - expected[order]) > allowed).any():
        fault("conformal", f"scores {got.tolist()} should be {expected[order].tolist()} ± {allowed:.1e}")
