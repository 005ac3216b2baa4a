"""Checks the reason of an error of training."""

import re
import subprocess

from data import features_of, terms
from plans import Plan
from tables import Table

# Reasons that depend on which rows are left for a fit; they are not checked further.
ACCEPTED = (
    "linearly dependent",
    "too few rows",
    "folds needs more rows",
    "no feature is correlated",
    "not finite, or too large or too small",
    "too large for a double",
    # The evaluated fit far from its rows, with a logged target.
    "too small for a double",
    # The median or mean of a column of whole numbers.
    "expected a whole number",
)
CONSTANT = re.compile(r'the (feature|target) ("(?:[^"\\]|\\.)*") has the same value in every row')


def check_refusal(done: subprocess.CompletedProcess, table: Table, plan: Plan, fault) -> None:
    """Calls `fault(kind, words)` if the reason is not true."""
    message = done.stderr.strip()
    if done.returncode != 1:
        fault("usage", message)
    constant = CONSTANT.search(message)
    if constant:
        name = re.sub(r"\\(.)", r"\1", constant[2][1:-1])
        if "held out" not in message and varies(name, table, plan):
            fault("refusal", f"{name!r} varies: {message}")
    elif not any(reason in message for reason in ACCEPTED):
        fault("refusal", message)


def varies(name: str, table: Table, plan: Plan) -> bool:
    """Whether the target, or a column of the design as doubles, has several values."""
    if name == table.target.name:
        return len({table.target.value(row) for row in range(table.rows)}) > 1
    features = features_of(table, plan)
    [term] = [term for term in terms(features, plan) if term.name == name]
    encoded = [
        {
            feature.name: feature.encode(column.value(row), feature.imputed and feature.imputed[0])
            for column, feature in zip(table.features, features)
        }
        for row in range(table.rows)
    ]
    return len({float(term.value(row)) for row in encoded}) > 1
