"""Rows to predict: similar to the training data, different from them, and invalid ones."""

import random

from model import Cell, Model
from tables import Table, text_of

ODD_TEXTS = [
    "",
    " ",
    "NA",
    "null",
    "nan",
    "unheard of",
    "ÄÖ",
    "a,b",
    'quote " here',
    " red",
    "red ",
    "Red",
    "None",
    "line\nbreak",
]
# As JavaScript and Go print them; the last lies between two doubles.
LARGE = [
    "9007199254740992",
    "9007199254740994",
    "12345678901234567000",
    "1e21",
    "100000000000000000000",
    "-36893488147419103000",
]
BETWEEN = ["9007199254740993", "12345678901234567891"]


def usual(rng: random.Random, table: Table, column) -> Cell:
    """A value of the training data."""
    cell = rng.choice(column.cells)
    if cell is None:
        return Cell("missing")
    if column.kind in ("double", "long"):
        return Cell("number", cell)
    return Cell("boolean" if column.kind == "boolean" else "text", cell)


def far(rng: random.Random, column) -> Cell:
    """A number outside or inside the range of the training data."""
    values = [float(cell) for cell in column.cells if cell is not None]
    low, high = min(values), max(values)
    value = low + (high - low) * rng.choice([-1.0, -0.1, 0.37, 0.5, 1.1, 2.0, 30.0])
    if column.kind == "long":
        return Cell("number", str(round(value)))
    return Cell("number", text_of(value))


def odd(rng: random.Random, column, levels: list[str]) -> Cell:
    """A mistake of a caller."""
    if rng.random() < 0.25:
        return Cell("missing")
    if column.kind == "string":
        near = rng.choice(levels)
        return Cell("text", rng.choice([rng.choice(ODD_TEXTS), near + " ", " " + near, near.upper(), near]))
    if column.kind == "boolean":
        return rng.choice([Cell("missing"), Cell("boolean", "true"), Cell("number", "1")])
    if column.kind == "long":
        return rng.choice([Cell("number", text) for text in [*LARGE, *BETWEEN, "4.0", "4.5", "-0", "2e1"]])
    return rng.choice(
        [Cell("number", text) for text in [*LARGE, *BETWEEN, "0", "-0.0", "1e300", "-1e300", "5e-324", "0.1"]]
    )


def draw(rng: random.Random, table: Table, model: Model) -> list[list[Cell]]:
    """Rows in the order of the signature."""
    levels = {feature["name"]: feature.get("levels", []) for feature in model.features}
    # Columns that the model does not use have no place in positional rows.
    used = [place for place, column in enumerate(table.features) if column.name in levels]
    rows = [[usual(rng, table, column) for column in table.features] for _ in range(3)]
    for _ in range(3):
        rows.append(
            [
                far(rng, column) if column.kind in ("double", "long") else usual(rng, table, column)
                for column in table.features
            ]
        )
    for _ in range(6):
        row = [usual(rng, table, column) for column in table.features]
        for place in rng.sample(used, rng.choice([1, 1, min(2, len(used))])):
            row[place] = odd(rng, table.features[place], levels[table.features[place].name])
        rows.append(row)
    return [[row[place] for place in used] for row in rows]
