"""The options of training: their meaning, and their form on the command line."""

import random
from dataclasses import dataclass, field

from tables import Column, Table, feature, lose, target, weights, NAMES

ESTIMATORS = ["linear", "ridge", "lasso", "elastic-net", "logistic"]


@dataclass
class Plan:
    estimator: str
    alpha: float | None = None
    l1_ratio: float = 1.0
    c: float | None = None
    folds: int = 5
    missing: dict = field(default_factory=dict)
    unknown: str = "reject"
    degree: int = 1
    interactions: bool = False
    log: bool = False
    intercept: bool = True
    test_fraction: float = 0.0
    seed: int = 0
    one_standard_error: bool = False
    calibrate: bool = True

    @property
    def is_chosen(self) -> bool:
        """Whether the penalty is chosen by cross-validation."""
        return (self.c if self.estimator == "logistic" else self.alpha) is None and self.estimator != "linear"

    def arguments(self, table: Table) -> list[str]:
        given = [
            "--target",
            table.target.name,
            # Columns that look like identifiers are left out unless they are named.
            "--features",
            ",".join('"' + column.name.replace('"', '""') + '"' for column in table.features),
            "--estimator",
            self.estimator,
            "--test-fraction",
            repr(self.test_fraction),
        ]
        if self.estimator in ("ridge", "lasso", "elastic-net"):
            given += ["--alpha", "auto" if self.alpha is None else repr(self.alpha)]
        if self.estimator == "elastic-net":
            given += ["--l1-ratio", repr(self.l1_ratio)]
        if self.estimator == "logistic":
            given += ["--c", "auto" if self.c is None else repr(self.c)]
            given += [] if self.calibrate else ["--no-calibration"]
        if self.is_chosen:
            given += ["--cross-validate", str(self.folds)]
            given += ["--one-standard-error"] if self.one_standard_error else []
        for name, policy in self.missing.items():
            given += ["--missing", f"{name}={policy}"]
        declared = [column for column in [*table.features, table.target] if column.kind == "long"]
        numeric = [
            column
            for column in [*table.features, table.target]
            if column.kind == "string" and all(is_number(cell) for cell in column.cells)
        ]
        for column in declared:
            if column is not table.target:
                given += ["--types", f"{column.name}=long"]
        for column in numeric:
            given += ["--types", f"{column.name}=string"]
        given += ["--unknown", self.unknown] if self.unknown != "reject" else []
        given += ["--degree", str(self.degree)] if self.degree > 1 else []
        given += ["--interactions"] if self.interactions else []
        given += ["--target-transform", "log"] if self.log else []
        given += [] if self.intercept else ["--no-intercept"]
        given += ["--weights", table.weights.name] if table.weights else []
        given += ["--seed", str(self.seed)] if self.seed else []
        return given


def is_number(cell: str | None) -> bool:
    # `-` is a missing value of a column of numbers, or of percentages.
    if cell is None or cell == "-":
        return True
    try:
        float(cell.removesuffix("%"))
    except ValueError:
        return False
    return True


def policy(rng: random.Random, column: Column) -> str:
    """A rule for missing values that suits the column."""
    values = sorted({cell for cell in column.cells if cell is not None})
    if column.kind in ("double", "long"):
        own = ["mean", "median", "most-frequent", f"constant={rng.choice(values)}"]
        return rng.choice(own[1:] if column.kind == "long" else own)
    return rng.choice(["most-frequent", "most-frequent", f"constant={rng.choice(values)}"])


def draw(seed: int, number: int) -> tuple[Table, Plan]:
    """The table of this number and its training options."""
    rng = random.Random(f"{seed}/{number}")
    estimator = rng.choice(ESTIMATORS)
    rows = rng.choice([rng.randint(8, 20), rng.randint(20, 60), rng.randint(60, 120)])
    classes = rng.randint(2, 4) if estimator == "logistic" else 0
    names = rng.sample(NAMES, rng.choice([1, 2, 2, 3, 3, 4, 6]))
    features = [feature(rng, name, rows) for name in names]
    log = not classes and rng.random() < 0.2
    goal = target(rng, features, rows, classes, log)
    table = Table(features, goal, weights(rng, rows) if rng.random() < 0.4 else None)
    if rng.random() < 0.3:
        table.shuffle(rng)
    plan = Plan(estimator, log=log, seed=rng.choice([0, 0, 1, 7]), unknown=rng.choice(["reject", "ignore"]))
    auto = rng.random() < 0.4
    plan.alpha = None if auto else 10.0 ** rng.uniform(-4, 3)
    if estimator in ("lasso", "elastic-net") and plan.alpha:
        # So that some coefficients are zero and others are not.
        values = [float(cell) for cell in goal.cells]
        plan.alpha *= 1e-2 * (max(values) - min(values) or 1.0) if not log else 1e-2
    plan.l1_ratio = rng.choice([0.5, 0.9, 0.1, 0.5, 1.0]) if estimator == "elastic-net" else 1.0
    plan.c = None if auto and rng.random() < 0.5 else 10.0 ** rng.uniform(-3, 3)
    plan.folds = rng.choice([2, 3, 5])
    plan.one_standard_error = rng.random() < 0.15
    plan.calibrate = rng.random() < 0.8
    plan.test_fraction = rng.choice([0.0, 0.2, 0.2])
    plan.intercept = rng.random() < 0.85
    plan.degree = rng.choice([1, 1, 1, 1, 2, 3])
    plan.interactions = len(features) < 5 and rng.random() < 0.2
    for column in features:
        if column.kind == "long" or all(is_number(cell) for cell in column.cells):
            # --types is a comma-separated list.
            column.name = column.name.replace(",", " ")
        if rng.random() < 0.3:
            lose(rng, column)
        if None in column.cells or rng.random() < 0.15:
            plan.missing[column.name] = policy(rng, column)
    return table, plan
