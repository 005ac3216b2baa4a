#!/usr/bin/env python3
"""Measures predictions through the Python package, as ratios to numpy and scikit-learn in the same process.

    .venv-python/sklearn-1.9/bin/python benches/python.py [ROWS]

Needs an environment of `make test-python`, which contains the wheel. Each pair takes turns, 15 times, after one turn that
is not counted; medians of the times and of their ratios are printed. One thread each: the bench sets the variables that
limit numpy's.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import statistics
import sys
import time

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import ordinate

TURNS = 15


def seconds(run, times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


def measure(name: str, ours, theirs, times: int = 1) -> None:
    pairs = [(seconds(ours, times), seconds(theirs, times)) for _ in range(TURNS + 1)][1:]
    a, b = (statistics.median(side) * 1e3 for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{name}: {a:.3g} ms, {b:.3g} ms, ratio {ratio:.2f}", flush=True)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, 10))
    w = random.normal(size=10)
    names = [f"f{i}" for i in range(10)]
    sample = X[:2000]
    y = sample @ w + random.normal(size=len(sample))
    print(f"{rows} x 10; ours, theirs, ours / theirs")

    linear = LinearRegression().fit(sample, y)
    model = ordinate.from_sklearn(linear, sample, name="linear", target="y")
    assert np.allclose(model.predict(X), linear.predict(X), rtol=1e-12, atol=1e-12)
    measure("array, numpy's X @ w", lambda: model.predict(X), lambda: X @ w)
    frame = pd.DataFrame(X, columns=names)
    of_frame = LinearRegression().fit(frame[:2000], y)
    framed = ordinate.from_sklearn(of_frame, frame[:2000], name="framed", target="y")
    measure("data frame, numpy's X @ w", lambda: framed.predict(frame), lambda: X @ w)
    scaled = make_pipeline(StandardScaler(), LinearRegression()).fit(frame[:2000], y)
    of_scaled = ordinate.from_sklearn(scaled, frame[:2000], name="scaled", target="y")
    measure("data frame, scaler, scikit-learn", lambda: of_scaled.predict(frame), lambda: scaled.predict(frame))

    towns = frame.assign(town=random.choice(["Aachen", "Bonn", "Ulm"], rows))
    columns = make_column_transformer((StandardScaler(), names), (OneHotEncoder(), ["town"]))
    classes = np.where(y > 0, "yes", "no")
    classifier = make_pipeline(columns, LogisticRegression()).fit(towns[:2000], classes)
    of_classifier = ordinate.from_sklearn(classifier, towns[:2000], name="classifier", target="y")
    measure("classes with a text, scikit-learn", lambda: of_classifier.predict(towns), lambda: classifier.predict(towns))
    measure(
        "probabilities with a text, scikit-learn",
        lambda: of_classifier.predict_proba(towns),
        lambda: classifier.predict_proba(towns),
    )

    one, one_named, one_town = X[:1], frame[:1], towns[:1]
    measure("one row, array, scikit-learn", lambda: model.predict(one), lambda: linear.predict(one), 200)
    measure("one row, data frame, scikit-learn", lambda: framed.predict(one_named), lambda: of_frame.predict(one_named), 50)
    measure(
        "one row, pipeline, scikit-learn",
        lambda: of_classifier.predict(one_town),
        lambda: classifier.predict(one_town),
        20,
    )


if __name__ == "__main__":
    main()
