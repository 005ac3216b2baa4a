"""Random tables: valid and invalid training data."""

import csv
import math
import random
from dataclasses import dataclass, field
from pathlib import Path

WORDS = [
    "red",
    "green",
    "blue",
    "north",
    "south",
    "Île-de-France",
    "日本",
    "Straße",
    "a,b",
    'say "hi"',
    "x;y",
    "p|q",
    "tab\tbed",
    "two words",
    "O'Brien",
    "=1+1",
    "-",
    "N",
    "nano",
    "not available",
    "no",
    "é",
    "e\u0301",
    "#1",
    "true story",
    "50%",
    "a:b",
]
PADDED = [" Private", "State ", "  Self", "Local\u00a0"]
NAMES = [
    "age",
    "bmi",
    "size",
    "rate",
    "p|q",
    "a;b",
    "first name",
    "größe",
    'the "x"',
    "c,d",
    "k=v",
    "x:y",
    "sex",
    "1st",
    "y^2",
    "dose",
]
MARKERS = ["", "", "NA", "null", "NaN", "n/a"]


@dataclass
class Column:
    """A column of a table; a cell that is None has no value."""

    name: str
    kind: str
    cells: list
    marker: str = ""

    def texts(self) -> list[str]:
        return [self.marker if cell is None else cell for cell in self.cells]

    def value(self, row: int):
        """The number, truth or text of a row; None for a missing value."""
        cell = self.cells[row]
        if cell is None:
            return None
        return {"double": float, "long": float, "boolean": lambda text: text == "true", "string": str}[self.kind](cell)


@dataclass
class Table:
    features: list[Column]
    target: Column
    weights: Column | None
    # All columns as they are in the file; the features in the same order.
    layout: list[Column] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.target.cells)

    def columns(self) -> list[Column]:
        return self.layout or [*self.features, self.target, *([self.weights] if self.weights else [])]

    def shuffle(self, rng: random.Random) -> None:
        """Puts the columns into another order."""
        self.layout = rng.sample(self.columns(), len(self.columns()))
        self.features = [column for column in self.layout if column is not self.target and column is not self.weights]

    def write(self, path: Path) -> None:
        columns = self.columns()
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([column.name for column in columns])
            writer.writerows(zip(*(column.texts() for column in columns)))


def text_of(value: float) -> str:
    return (
        repr(int(value)) if value == int(value) and abs(value) < 1e15 and math.copysign(1, value) > 0 else repr(value)
    )


def numbers(rng: random.Random, rows: int) -> list[float]:
    """Numbers in a style of real columns."""
    style = rng.choice(
        ["normal", "normal", "scaled", "scaled", "offset", "whole", "count", "decimals", "lonely", "skewed", "tiny"]
    )
    gauss = lambda: rng.gauss(0, 1)
    if style == "scaled":
        scale = 10.0 ** rng.randint(-9, 9)
        return [gauss() * scale for _ in range(rows)]
    if style == "offset":
        offset = 10.0 ** rng.randint(2, 12)
        scale = offset * 10.0 ** -rng.randint(0, 9)
        return [offset + scale * gauss() for _ in range(rows)]
    if style == "whole":
        most = rng.choice([1, 3, 9, 1000, 10**6])
        return [float(rng.randint(0, most)) for _ in range(rows)]
    if style == "count":
        start = rng.choice([0, 1, 1000, 1_700_000_000_000])
        return [float(start + row) for row in range(rows)]
    if style == "decimals":
        digits = rng.randint(0, 4)
        return [round(rng.uniform(-100, 100), digits) for _ in range(rows)]
    if style == "lonely":
        value, other = rng.choice([(0.0, 1.0), (5.0, -3.5), (1e9, 1e9 + 1)])
        values = [value] * rows
        values[rng.randrange(rows)] = other
        return values
    if style == "skewed":
        return [math.exp(2 * gauss()) for _ in range(rows)]
    if style == "tiny" and rng.random() < 0.4:
        scale = 10.0 ** -rng.choice([30, 100, 160, 200, 290])
        return [scale * gauss() for _ in range(rows)]
    return [gauss() for _ in range(rows)]


def category(rng: random.Random, rows: int) -> list[str]:
    pool = WORDS + (PADDED if rng.random() < 0.15 else [])
    if rng.random() < 0.1:
        pool = ["1", "2", "3", "10", "007"]
    levels = rng.sample(pool, rng.randint(2, min(6, len(pool))))
    rare = levels.pop() if len(levels) > 2 and rng.random() < 0.4 else None
    chances = [rng.choice([1, 1, 5, 20]) for _ in levels]
    cells = rng.choices(levels, chances, k=rows)
    if rare:
        # A level of one or two rows: in cross-validation it occurs in one fold only.
        for place in rng.sample(range(rows), rng.choice([1, 1, 2])):
            cells[place] = rare
    if len(set(cells)) < 2:
        cells[0], cells[-1] = levels[0], levels[1]
    return cells


def feature(rng: random.Random, name: str, rows: int) -> Column:
    kind = rng.choices(["double", "boolean", "string"], [6, 1, 3])[0]
    if kind == "double":
        cells = [text_of(value) for value in numbers(rng, rows)]
        if all(float(cell).is_integer() for cell in cells) and rng.random() < 0.3:
            kind = "long"
    elif kind == "boolean":
        share = rng.choice([0.5, 0.1])
        cells = ["true" if rng.random() < share else "false" for _ in range(rows)]
        cells[0], cells[-1] = "true", "false"
    else:
        cells = category(rng, rows)
    return Column(name, kind, cells)


def weights(rng: random.Random, rows: int) -> Column:
    style = rng.choice(["whole", "fractions", "unequal", "same"])
    values = {
        "whole": lambda: float(rng.randint(1, 5)),
        "fractions": lambda: round(rng.uniform(0.1, 2), 2),
        "unequal": lambda: 10.0 ** rng.uniform(-3, 3),
        "same": lambda: 2.5,
    }[style]
    return Column("w", "double", [text_of(values()) for _ in range(rows)])


def scores(rng: random.Random, features: list[Column], rows: int, noise: float) -> list[float]:
    """A linear function of the features, of a size near 1, and noise."""
    total = [noise * rng.gauss(0, 1) for _ in range(rows)]
    for column in features:
        factor = rng.choice([0, 0.3, 1, -1]) / math.sqrt(len(features))
        if column.kind == "string":
            effect = {level: rng.gauss(0, 1) for level in sorted(set(column.cells))}
            parts = [effect[cell] for cell in column.cells]
        else:
            parts = [float(cell == "true") if column.kind == "boolean" else float(cell) for cell in column.cells]
        mean = math.fsum(parts) / rows
        largest = max(abs(part - mean) for part in parts) or 1.0
        spread = largest * math.sqrt(math.fsum(((part - mean) / largest) ** 2 for part in parts) / rows)
        total = [value + factor * (part - mean) / spread for value, part in zip(total, parts)]
    return total


def target(rng: random.Random, features: list[Column], rows: int, classes: int, log: bool) -> Column:
    noise = rng.choice([1.0, 0.3, 0.01, 0.0] if not classes else [1.0, 0.3])
    total = scores(rng, features, rows, noise)
    if classes:
        ordered = sorted(total)
        ends = [ordered[rows * part // classes] for part in range(1, classes)]
        positions = [sum(value >= end for end in ends) for value in total]
        for position in range(classes):
            positions[position] = position
        kinds = [("string", rng.sample(WORDS, classes)), ("long", [str(3 * place - 2) for place in range(classes)])]
        if classes == 2:
            kinds.append(("boolean", ["false", "true"]))
        kind, labels = rng.choice(kinds)
        return Column("y", kind, [labels[position] for position in positions])
    if log:
        scale = rng.choice([0.1, 1.0, 5.0])
        return Column("y", "double", [text_of(math.exp(scale * value)) for value in total])
    scale = 10.0 ** rng.choice([0, 0, 0, 3, -3, 8, -8])
    offset = scale * rng.choice([0, 0, 10, 1e4, 1e9])
    return Column("y", "double", [text_of(offset + scale * value) for value in total])


def lose(rng: random.Random, column: Column) -> None:
    """Removes some values."""
    share = rng.choice([0.05, 0.3])
    kept = [None if rng.random() < share else cell for cell in column.cells]
    # Types and levels of the remaining values.
    if len({cell for cell in kept if cell is not None}) > 1:
        column.cells = kept
        column.marker = rng.choice(MARKERS)
