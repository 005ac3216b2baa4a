"""Training beside scikit-learn: the same CSV to a fitted model, alternating, each in a process of its own on one core.

    .venv/bin/python benches/train.py target/release/ordinate [--rows 100000] [--rounds 5]

Each process reads the file, standardises where the estimator is penalised, and fits. Printed are medians and their
ratio, and the most memory that either held. Needs scikit-learn and pandas (in this interpreter) and Linux.
"""

import argparse
import importlib.metadata
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# One thread, whichever library counts them.
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

# Estimator, columns, our arguments, scikit-learn's constructor.
CASES = [
    ("linear", 20, [], "LinearRegression()"),
    ("ridge", 20, ["--alpha", "1"], "make_pipeline(StandardScaler(), Ridge(alpha=1))"),
    ("lasso", 200, ["--alpha", "0.1"], "make_pipeline(StandardScaler(), Lasso(alpha=0.1))"),
    (
        "elastic-net",
        200,
        ["--alpha", "0.1", "--l1-ratio", "0.5"],
        "make_pipeline(StandardScaler(), ElasticNet(alpha=0.1, l1_ratio=0.5))",
    ),
    (
        "logistic",
        20,
        [],
        "make_pipeline(StandardScaler(), LogisticRegression(solver='newton-cholesky'))",
    ),
]

REFERENCE = """
import sys
import pandas
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
data = pandas.read_csv(sys.argv[1])
{model}.fit(data.drop(columns="y").to_numpy(), data["y"].to_numpy())
"""


def generate(path, rows, columns, classes):
    """Features that share a little, of which half matter."""
    import numpy

    random = numpy.random.default_rng(0)
    x = random.normal(size=(rows, columns)) + 0.3 * random.normal(size=(rows, 1))
    score = x @ (random.normal(size=columns) * (random.random(columns) < 0.5))
    if classes:
        y = (random.random(rows) < 1 / (1 + numpy.exp(-score / score.std()))).astype(int)
    else:
        y = score + random.normal(size=rows) * score.std()
    header = ",".join([f"x{j}" for j in range(columns)] + ["y"])
    with open(path, "w") as out:
        out.write(header + "\n")
        for features, target in zip(x, y):
            out.write(",".join(f"{value:.6g}" for value in features) + f",{target:.6g}\n")


def measure(command):
    """Seconds and MiB of a process, on one core."""
    core = min(os.sched_getaffinity(0))
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, **ONE_THREAD},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{said.decode()}")
    return seconds, usage.ru_maxrss / 1024


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("ordinate", help="the command to measure, built with --release")
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--only", choices=[case[0] for case in CASES])
    given = arguments.parse_args()

    print(f"{given.rows} rows, one core, medians of {given.rounds} alternating runs\n")
    print(f"| estimator | columns | ordinate | scikit-learn {importlib.metadata.version('scikit-learn')} | ratio | memory |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for estimator, columns, options, model in CASES:
            if given.only not in (None, estimator):
                continue
            data = Path(folder, "data.csv")
            # Elsewhere: a process begins with the memory of the one that starts it, and this one should stay small.
            generator = multiprocessing.Process(target=generate, args=(data, given.rows, columns, estimator == "logistic"))
            generator.start()
            generator.join()
            ours = [given.ordinate, "train", str(data), "--target", "y", "--estimator", estimator, *options]
            ours += ["--test-fraction", "0", "--out", str(Path(folder, "model.json"))]
            theirs = [sys.executable, "-c", REFERENCE.format(model=model), str(data)]
            runs = [(measure(ours), measure(theirs)) for _ in range(given.rounds)]
            (our_time, our_memory), (their_time, their_memory) = (
                [statistics.median(run[side][what] for run in runs) for what in (0, 1)] for side in (0, 1)
            )
            print(
                f"| {estimator} | {columns} | {our_time:.2f} s | {their_time:.2f} s | {our_time / their_time:.2f} "
                f"| {our_memory:.0f} / {their_memory:.0f} MiB |",
                flush=True,
            )


if __name__ == "__main__":
    main()
