"""The expected reading of a table in training: levels, imputed values, design columns, held-out rows, folds."""

import math
from fractions import Fraction

import numpy as np

from exact import absolute, doubles, matrix, mpfr, vector, zeros
from plans import Plan
from rounds import Folds, is_held_out
from tables import Column, Table


class Feature:
    """The expected entry of a column in the signature."""

    def __init__(self, column: Column, plan: Plan, row_weights: list[Fraction]):
        self.name, self.kind = column.name, column.kind
        present = [
            (column.value(row), row_weights[row]) for row in range(len(column.cells)) if column.cells[row] is not None
        ]
        values = [value for value, _ in present]
        self.levels = sorted(set(values), key=lambda level: level.encode()) if column.kind == "string" else []
        self.range = [min(values), max(values)] if column.kind in ("double", "long") else None
        self.imputed = imputation(plan.missing.get(column.name), column.kind, present)
        if column.kind == "string" and self.imputed and self.imputed[0] not in self.levels:
            self.levels = sorted([*self.levels, self.imputed[0]], key=lambda level: level.encode())
        self.is_incomplete = None in column.cells

    def encode(self, value, imputed) -> float:
        """As stored in a frame: a number, 1 or 0, the position of a level."""
        value = imputed if value is None else value
        return float(self.levels.index(value)) if self.kind == "string" else float(value)


def imputation(policy: str | None, kind: str, present: list) -> list | None:
    """The imputed value, or several that doubles cannot distinguish. A row of weight 2 is two rows."""
    if policy is None:
        return None
    total = sum(weight for _, weight in present)
    if policy == "mean":
        exact = sum(Fraction(value) * weight for value, weight in present) / total
        nearest = float(exact)
        return [nearest, math.nextafter(nearest, math.inf), math.nextafter(nearest, -math.inf)]
    if policy == "median":
        return [median(present)]
    if policy == "most-frequent":
        counts = {}
        for value, weight in present:
            counts[value] = counts.get(value, 0) + weight
        # Sums of weights that differ by rounding are equal: the smallest value of those.
        most = max(counts.values()) * (1 - Fraction(len(present), 2**52))
        ties = [value for value, count in counts.items() if count >= most]
        exact = [value for value in ties if counts[value] == max(counts.values())]
        order = (lambda level: level.encode()) if kind == "string" else None
        whole = all(weight.denominator == 1 for _, weight in present)
        return [min(exact, key=order)] if whole else sorted(ties, key=order)
    text = policy.removeprefix("constant=")
    return [{"double": float, "long": float, "boolean": lambda t: t == "true", "string": str}[kind](text)]


def median(values: list) -> float:
    """The weighted median: halfway between two values if half of the weight is below each."""
    ordered = sorted(values)
    half, below = sum(weight for _, weight in ordered) / 2, Fraction(0)
    for place, (value, weight) in enumerate(ordered):
        below += weight
        if below > half:
            return value + 0.0
        if below == half:
            other = ordered[place + 1][0]
            return value + 0.0 if other == value else float((Fraction(value) + Fraction(other)) / 2)
    raise AssertionError("no value")


class Term:
    """A column of the design: a product of powers of features and of levels."""

    def __init__(self, factors: list):
        self.factors = factors
        self.name = ":".join(self.of(*factor) for factor in factors)
        self.has_level = any(level is not None for _, _, level in factors)

    @staticmethod
    def of(feature: Feature, power: int, level: str | None) -> str:
        return (
            f"{feature.name}={level}" if level is not None else f"{feature.name}^{power}" if power > 1 else feature.name
        )

    def value(self, row: dict):
        product = mpfr(1)
        for feature, power, level in self.factors:
            value = row[feature.name]
            product *= (
                mpfr(value) ** power
                if level is None
                else int(feature.levels[int(value)] == level if value >= 0 else False)
            )
        return product


def terms(features: list[Feature], plan: Plan) -> list[Term]:
    """The columns of the design, in their order."""
    every_level = plan.estimator != "linear"

    def first_order(feature: Feature, every: bool) -> list:
        if feature.kind != "string":
            return [(feature, 1, None)]
        return [(feature, 1, level) for level in feature.levels[0 if every else 1 :]]

    first_category = next((feature for feature in features if feature.kind == "string"), None)
    made = []
    for feature in features:
        own = first_order(feature, every_level or (not plan.intercept and feature is first_category))
        made += [Term([factor]) for factor in own]
        if feature.kind in ("double", "long"):
            made += [Term([(feature, power, None)]) for power in range(2, plan.degree + 1)]
    if plan.interactions:
        for place, one in enumerate(features):
            for other in features[place + 1 :]:
                made += [Term([a, b]) for a in first_order(one, every_level) for b in first_order(other, every_level)]
    return made


def features_of(table: Table, plan: Plan) -> list[Feature]:
    """The expected signature."""
    row_weights = [Fraction(table.weights.value(row)) if table.weights else Fraction(1) for row in range(table.rows)]
    return [Feature(column, plan, row_weights) for column in table.features]


class Data:
    """The rows, exactly."""

    def __init__(self, table: Table, plan: Plan, features: list[Feature], model: dict):
        self.plan, self.rows, self.features = plan, table.rows, features
        self.weights = vector([table.weights.value(row) if table.weights else 1.0 for row in range(self.rows)])
        # From here on with the imputed values of the model, which `Training.signature` checks.
        stated = {feature["name"]: feature["missing"] for feature in model["signature"]["features"]}
        # The model does not state that of a feature without a column.
        used = [stated.get(feature.name, {"impute": (feature.imputed or [None])[0]}) for feature in features]
        self.frame = [
            {
                feature.name: feature.encode(
                    column.value(row), missing["impute"] if isinstance(missing, dict) else None
                )
                for column, feature, missing in zip(table.features, self.features, used)
            }
            for row in range(self.rows)
        ]
        self.all_terms = terms(self.features, plan)
        kept = {column["name"] for column in model["preprocess"]["columns"]}
        everything = [[term.value(row) for row in self.frame] for term in self.all_terms]
        self.dropped = [place for place, term in enumerate(self.all_terms) if term.name not in kept]
        self.constant = [
            place for place, values in enumerate(everything) if all(value == values[0] for value in values)
        ]
        self.raw = everything
        self.terms = [term for term in self.all_terms if term.name in kept]
        self.design = zeros(self.rows, len(self.terms))
        places = [place for place in range(len(everything)) if place not in self.dropped]
        for column, place in enumerate(places):
            self.design[:, column] = everything[place]
        # Powers and products as doubles, as in cross-validation and logistic regression.
        self.rounded_design = matrix(doubles(self.design), len(self.terms))
        self.classes = self.class_labels(table) if plan.estimator == "logistic" else []
        self.observed = [table.target.value(row) for row in range(self.rows)]
        self.labels = [self.classes.index(value) for value in self.observed] if self.classes else []
        # Rounded once, as any logarithm of a double is; less than an ulp is allowed for where it counts.
        fitted = [math.log(value) for value in self.observed] if plan.log else self.observed
        self.target = vector(fitted) if not self.classes else None
        self.needed = self.indispensable(everything)
        self.held_out = [
            row not in self.needed and is_held_out(row, plan.test_fraction, plan.seed) for row in range(self.rows)
        ]
        self.kept = [row for row in range(self.rows) if not self.held_out[row]]

    def class_labels(self, table: Table) -> list:
        values = set(table.target.value(row) for row in range(self.rows))
        return sorted(values, key=lambda value: value.encode() if isinstance(value, str) else value)

    def indispensable(self, everything: list) -> set[int]:
        """Rows that are never held out: the first, the first of each class, the first where a level column changes."""
        waiting = [place for place, term in enumerate(self.all_terms) if term.has_level]
        chosen = self.plan.is_chosen or self.plan.test_fraction > 0 or self.plan.interactions
        if not chosen or not (waiting or self.classes):
            return set()
        rows = {0}
        for place in waiting:
            rows.update([row for row in range(self.rows) if everything[place][row] != everything[place][0]][:1])
        rows.update(self.labels.index(label) for label in set(self.labels))
        return rows

    def folds(self) -> list[list[int]]:
        """The rows of each fold, without the held-out rows."""
        count = self.plan.folds
        if self.classes:
            # As many as the largest class has rows at most.
            labels = [self.labels[row] for row in self.kept]
            count = min(count, max(2, max(map(labels.count, labels))))
        dealer, parts = Folds(count, self.plan.seed), [[] for _ in range(count)]
        for row in self.kept:
            parts[dealer.deal(self.labels[row] if self.classes else 0)].append(row)
        return parts


class Standard:
    """Some rows of the design, centred and scaled by their own means and standard deviations."""

    def __init__(self, data: Data, rows: list[int], rounded: bool = False):
        self.rows = rows
        self.weights = data.weights[rows]
        self.weight = self.weights.sum()
        self.raw = (data.rounded_design if rounded else data.design)[rows, :]
        columns = self.raw.shape[1]
        about_zero = not data.plan.intercept
        self.means = vector([0] * columns) if about_zero else np.dot(self.weights, self.raw) / self.weight
        self.centred = self.raw - self.means
        self.lengths = vector([0] * columns)
        for column in range(columns):
            squares = np.dot(self.weights, self.centred[:, column] ** 2)
            self.lengths[column] = squares ** mpfr(0.5)
        self.varies = np.array([length > 0 for length in self.lengths], dtype=bool)
        root = self.weight ** mpfr(0.5)
        self.scales = vector([1] * columns)
        self.scales[self.varies] = self.lengths[self.varies] / root
        self.z = self.centred / self.scales
        self.spread = absolute(self.raw - self.raw[0]).max(axis=0) if len(rows) and columns else vector([0] * columns)
