"""Whether training refuses a table for the reason that it gives."""

import re
import subprocess

from plans import Plan
from tables import Table

# Reasons that depend on how many rows of what kind are left; what they say is looked at no further.
ACCEPTED = (
    "too few rows for",
    "linearly dependent",
    "too few rows are",
    "folds needs more rows",
    "no feature is correlated",
    "not finite, or too large or too small",
    "too large for a double",
    "different in every row",
    "is missing",
    # The median or mean of a column of whole numbers.
    "expected a whole number",
)


def check_refusal(done: subprocess.CompletedProcess, table: Table, plan: Plan, fault) -> None:
    """Calls `fault(kind, words)` if the reason is not true."""
    message = done.stderr.strip()
    if done.returncode != 1:
        fault("usage", message)
    constant = re.search(r'the (feature|target) ("(?:[^"\\]|\\.)*") has the same value in every row', message)
    if constant:
        if "held out" not in message:
            name = re.sub(r"\\(.)", r"\1", constant[2][1:-1])
            column = next((column for column in [*table.features, table.target] if column.name == name), None)
            if column and len({cell for cell in column.cells if cell is not None}) > 1:
                fault("refusal", f"{name!r} varies: {message}")
    elif not any(reason in message for reason in ACCEPTED):
        fault("refusal", message)
