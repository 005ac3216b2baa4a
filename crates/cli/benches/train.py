"""The other side of benches/train.rs: reads a question a line, answers with seconds and a coefficient.

With a CSV file and a place for a model as arguments it does what `ordinate train` does, once, as a script of its own.
"""

import pickle
import sys
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("error")


def ols(x, y):
    return LinearRegression().fit(x, y).coef_[0]


def lasso(x, y):
    # Standardising is part of the fit on both sides.
    return Lasso(alpha=0.01, tol=1e-10, max_iter=100_000).fit(StandardScaler().fit_transform(x), y).coef_[3]


def logistic(x, y):
    estimator = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-8)
    return estimator.fit(StandardScaler().fit_transform(x), y).coef_[0][3]


def classes(x, y):
    """With its defaults, except that a fit of more than 100 steps is completed."""
    estimator = LogisticRegression(max_iter=10_000)
    return estimator.fit(StandardScaler().fit_transform(x), y).n_iter_[0]


def from_csv(file, model):
    frame = pd.read_csv(file)
    fitted = LinearRegression().fit(frame.drop(columns="y").to_numpy(), frame["y"].to_numpy())
    with open(model, "wb") as out:
        pickle.dump(fitted, out)


if len(sys.argv) > 1:
    from_csv(*sys.argv[1:])
    sys.exit()

FITS = {"ols": ols, "lasso": lasso, "logistic": logistic, "classes": classes}
x = y = None
for question in sys.stdin:
    verb, *rest = question.split()
    if verb == "load":
        path, width = rest
        data = np.fromfile(path).reshape(-1, int(width))
        x, y = np.ascontiguousarray(data[:, :-1]), np.ascontiguousarray(data[:, -1])
        print("loaded", flush=True)
    elif verb == "fit":
        clock = time.process_time if rest[0] == "classes" else time.perf_counter
        start = clock()
        coefficient = FITS[rest[0]](x, y)
        print(clock() - start, repr(float(coefficient)), flush=True)
