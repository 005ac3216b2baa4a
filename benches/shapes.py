"""Compares `ordinate train` with scikit-learn on shapes of data that were slow once.

    .venv-bench/bin/python benches/shapes.py target/cli/ordinate [--rounds 5] [SHAPE ...]

Both are whole processes, from a CSV file to a fit, and take turns. Their times are seconds of the processor in user
mode, of all threads; scikit-learn's contain imports and reading. Prints a row of a Markdown table for each shape:
medians of the times, and the median and the range of the ratios.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

SEED = 1
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def target(random, score, task: str, classes: int) -> list[str]:
    score = score / score.std()
    if task == "regression":
        return [repr(float(value)) for value in score + random.normal(size=len(score))]
    if task == "poisson":
        return [str(value) for value in random.poisson(np.exp(0.5 * score))]
    if task == "gamma":
        return [repr(float(value)) for value in np.exp(0.5 * score) * random.gamma(2.0, 0.5, len(score))]
    noisy = score + random.logistic(size=len(score))
    edges = np.quantile(noisy, np.arange(1, classes) / classes)
    return [f"c{value:02}" for value in np.searchsorted(edges, noisy)]


def table(rows: int, numbers: int, categories=(), task="regression", classes=2) -> tuple[list[str], list[list[str]]]:
    """Columns of normal numbers, of which ten matter, and of categories with as many levels as stated."""
    random = np.random.default_rng(SEED)
    x = random.normal(size=(rows, numbers))
    score = x[:, :10] @ random.normal(size=min(numbers, 10))
    columns = [[repr(float(value)) for value in column] for column in x.T]
    for levels in categories:
        level = random.integers(0, levels, rows)
        score = score + random.normal(size=levels)[level]
        columns.append([f"l{value:05}" for value in level])
    names = [f"x{at}" for at in range(numbers)] + [f"category{at}" for at in range(len(categories))] + ["y"]
    return names, [*columns, target(random, score, task, classes)]


LEVELS = {"rows": 20_000, "numbers": 1, "categories": (1_500, 1_500), "task": "classes"}
COUNTS = LEVELS | {"task": "poisson"}


def logistic(x, y):
    linear_model().LogisticRegression(max_iter=10_000).fit(x, y)


def logistic_of_strengths(x, y):
    strengths = {"Cs": np.logspace(-4, 4, 9), "l1_ratios": (0,), "use_legacy_attributes": False}
    linear_model().LogisticRegressionCV(cv=5, scoring="neg_log_loss", max_iter=10_000, **strengths).fit(x, y)


def logistic_in_folds(x, y):
    in_folds(linear_model().LogisticRegression(max_iter=10_000), 20, x, y)


def lasso_of_strengths(x, y):
    linear_model().LassoCV(cv=5).fit(x, y)


def lasso_in_folds(x, y):
    in_folds(linear_model().LassoCV(cv=5), 100, x, y)


def poisson(x, y):
    linear_model().PoissonRegressor(alpha=0, max_iter=10_000).fit(x, y)


def poisson_in_folds(x, y):
    in_folds(linear_model().PoissonRegressor(alpha=0, max_iter=10_000), 20, x, y)


def in_folds(estimator, folds: int, x, y):
    """Fits the other rows of each fold, and all rows."""
    from sklearn.model_selection import cross_validate

    cross_validate(estimator, x, y, cv=folds)
    estimator.fit(x, y)


# For each shape: the arguments of `table`, those of `ordinate train`, and scikit-learn's fit.
SHAPES = {
    "logistic, two categories of 1,500 levels": (LEVELS, "--estimator logistic --max-levels 5000", logistic),
    "logistic, `--c auto`, the same": (
        LEVELS,
        "--estimator logistic --c auto --max-levels 5000",
        logistic_of_strengths,
    ),
    "logistic, `--cross-validate 20`, the same": (
        LEVELS,
        "--estimator logistic --cross-validate 20 --max-levels 5000",
        logistic_in_folds,
    ),
    "poisson, `--cross-validate 20`, the same": (
        COUNTS,
        "--estimator poisson --cross-validate 20 --max-levels 5000",
        poisson_in_folds,
    ),
    "lasso, `--alpha auto`, 200 × 4,999": ({"rows": 200, "numbers": 4_999}, "--estimator lasso", lasso_of_strengths),
    "lasso, `--cross-validate 100`, 10,000 × 50": (
        {"rows": 10_000, "numbers": 50},
        "--estimator lasso --cross-validate 100",
        lasso_in_folds,
    ),
    "poisson, 20,000 × 1,000": (
        {"rows": 20_000, "numbers": 1_000, "task": "poisson"},
        "--estimator poisson",
        poisson,
    ),
}


def linear_model():
    from sklearn import linear_model

    return linear_model


def fit_by_scikit_learn(name: str, file: str) -> None:
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    # Strengths at the ends of a path may need more steps than others.
    warnings.simplefilter("ignore")
    data = pd.read_csv(file)
    x, y = data.drop(columns="y"), data["y"].to_numpy()
    text = [column for column in x if not pd.api.types.is_numeric_dtype(x[column])]
    if text:
        one_hot = (OneHotEncoder(drop="first"), text)
        x = make_column_transformer(one_hot, remainder=StandardScaler(), sparse_threshold=1.0).fit_transform(x)
    else:
        x = StandardScaler().fit_transform(x.to_numpy())
    _, _, fit = SHAPES[name]
    fit(x, y)


def seconds(command: list[str]) -> float:
    """The time of the processor that a command takes in user mode."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command, check=True, env=os.environ | ONE_THREAD, **quiet)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def compare(ordinate: str, name: str, rounds: int, folder: Path) -> str:
    arguments, options, _ = SHAPES[name]
    file = folder / "table.csv"
    names, columns = table(**arguments)
    file.write_text("\n".join(",".join(row) for row in [names, *zip(*columns)]) + "\n")
    ours = [ordinate, "train", str(file), "--target", "y", *options.split(), "--test-fraction", "0"]
    ours += ["--out", str(folder / "model.json")]
    theirs = [sys.executable, __file__, "--fit", name, str(file)]
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    ratios = sorted(one / other for one, other in pairs)
    own, other = (statistics.median(times) for times in zip(*pairs))
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    return f"| {name} | {own:.2f} | {other:.2f} | {statistics.median(ratios):.2f} | {spread} |"


def main() -> None:
    if sys.argv[1] == "--fit":
        fit_by_scikit_learn(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ordinate", help="the binary")
    parser.add_argument("shapes", nargs="*", default=list(SHAPES), metavar="SHAPE")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print("| what | Ordinate, s | scikit-learn, s | ratio | from |\n| --- | --- | --- | --- | --- |")
    for name in options.shapes:
        with tempfile.TemporaryDirectory() as folder:
            print(compare(options.ordinate, name, options.rounds, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
