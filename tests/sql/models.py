"""The models that are written as SQL: all types of features, families, and treatments of missing and unknown values."""

import csv
import datetime
import math
import random
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import model_file
from model_file import column, feature

STRANGE_LEVELS = [
    "it's", 'say "x"', "back\\slash", "C:\\new\\table", "${spark.app.name}", "Ünïcödé ☃ 𝄞", "`tick`", "two\nlines",
    "100%", "a;b -- c", "/* no */", "%s {0} :name ?", "trailing ", "\\u0041", "\\", "''", "$1",
]
STRANGE_NAMES = ["order", "a.b", 'quote"d', "tick`ed", "ünï ☃", "with space", "back\\slash", "Select", "100%", "?", "$1"]


@dataclass
class Case:
    """A model: how it is made, and whether names are possible in all dialects."""

    name: str
    make: Callable[[str, Path, random.Random], None]
    dialects: tuple[str, ...] = ("duckdb", "sqlite", "postgres", "spark", "athena", "redshift", "bigquery", "snowflake")
    tolerance: float = 1e-12


def trained(columns: dict, target: Callable, *options: str, rows: int = 300):
    """A model that is trained on rows with these columns; each is drawn by a function of the random numbers."""

    def make(binary: str, path: Path, draw: random.Random) -> None:
        table = path.with_suffix(".csv")
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*columns, "y"])
            for _ in range(rows):
                values = {name: value(draw) for name, value in columns.items()}
                writer.writerow(["" if value is None else value for value in values.values()] + [target(values, draw)])
        command = [binary, "train", str(table), "--target", "y", *options, "--out", str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stderr}"

    return make


def sometimes(value: Callable, fraction: float = 0.03):
    """The value, or nothing for a fraction of the rows."""
    return lambda draw: None if draw.random() < fraction else value(draw)


def level(*levels: str):
    return lambda draw: draw.choice(levels)


def uniform(low: float, high: float):
    return lambda draw: draw.uniform(low, high)


def whole(low: int, high: int):
    return lambda draw: draw.randint(low, high)


def date(draw: random.Random) -> str:
    return (datetime.date(2015, 1, 1) + datetime.timedelta(days=draw.randrange(4000))).isoformat()


def time(draw: random.Random) -> str:
    return f"{date(draw)}T{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}Z"


def truth(draw: random.Random) -> str:
    return draw.choice(["true", "false"])


def linear(values: dict, draw: random.Random) -> float:
    """A target that depends on all values."""
    total = draw.gauss(0, 1)
    for value in values.values():
        if isinstance(value, (int, float)):
            total += 2 * value
        elif isinstance(value, str):
            total += len(value) + (sum(map(ord, value)) % 7)
    return total


def one_of(*classes: str):
    """A class that depends on the sum of the numbers."""

    def target(values: dict, draw: random.Random) -> str:
        numbers = [value for value in values.values() if isinstance(value, (int, float))]
        return classes[int(sum(numbers) + draw.gauss(0, 1.5)) % len(classes)]

    return target


def count(values: dict, draw: random.Random) -> int:
    rate = math.exp(0.3 * values["x"]) * values.get("exposure", 1.0)
    return sum(draw.random() < rate / 100 for _ in range(100))


MIXED = {
    "x": sometimes(uniform(-5, 5)),
    "n": sometimes(whole(0, 90)),
    "smoker": sometimes(truth),
    "colour": sometimes(level("red", "green", "blue"), 0.1),
    "size": sometimes(level("S", "M", "L")),
    "since": sometimes(date),
    "seen": sometimes(time),
}
NUMBERS = {"x": uniform(-2, 2), "z": uniform(0, 4)}
COUNTS = {"x": uniform(-2, 2), "exposure": uniform(0.5, 3), "colour": level("red", "green", "blue")}


def literals(binary: str, path: Path, draw: random.Random) -> None:
    """One category whose levels are any texts and whose coefficients are any doubles."""
    texts = set(STRANGE_LEVELS)
    while len(texts) < 400:
        letters = [chr(draw.choice([draw.randrange(1, 128), draw.randrange(1, 0xD800), draw.randrange(0xE000, 0x110000)]))
                   for _ in range(draw.randrange(1, 8))]
        # Blank texts and words such as none are missing values.
        texts.add("x" + "".join(letters))
    texts = sorted(texts, key=lambda text: text.encode())
    weights: dict[str, float] = {}
    while len(weights) < len(texts):
        value = struct.unpack("d", draw.randbytes(8))[0] if draw.random() < 0.5 else draw.gauss(0, 1) * 10 ** draw.randint(-9, 9)
        if math.isfinite(value) and abs(value) < 1e307:
            weights[f"c={texts[len(weights)]}"] = value
    weights[f"c={texts[0]}"], weights[f"c={texts[1]}"] = 5e-324, 1.7976931348623157e308
    columns = [column(f"c={text}", [{"feature": "c", "level": text}]) for text in texts]
    estimator = {"family": "linear", "intercept": 0.0, "coefficients": weights}
    model_file.write(binary, path, [feature("c", "string", levels=texts)], columns, estimator, [texts[5]])


def functions(binary: str, path: Path, draw: random.Random) -> None:
    """Factors with functions, means and scales of their own, as imported models have."""
    features = [
        feature("a", positive=True, range=[1.0, 9.0]),
        feature("b", minimum=-0.5, range=[0.0, 1.0]),
        {**feature("c", minimum=0.0), "missing": {"impute": 2.25}, "missing_indicator": True},
        feature("d", "string", levels=["u", "v"]),
    ]
    columns = [
        column("log a", [{"feature": "a", "function": "log"}], 0.7, 1.3),
        column("log1p b", [{"feature": "b", "function": "log1p", "mean": 0.1, "scale": 0.3, "power": 3}], 0.2),
        column("sqrt c", [{"feature": "c", "function": "sqrt", "mean": 1.5, "scale": 0.5}]),
        column("product", [{"feature": "a", "mean": 4.0, "scale": 2.0}, {"feature": "c", "mean": 2.0, "scale": 3.0}], 0.1, 1.7),
        column("d scaled", [{"feature": "d", "level": "v", "mean": 0.5, "scale": 0.25}, {"feature": "a", "mean": 4.0}], 0.3, 0.9),
        column("c missing", [{"feature": "c", "missing": True}], 0.1, 0.3),
        column("c missing by d", [{"feature": "c", "missing": True}, {"feature": "d", "level": "u"}], 0.05, 0.2),
    ]
    weights = {one["name"]: round(draw.gauss(0, 2), 3) for one in columns}
    estimator = {"family": "linear", "intercept": 3.25, "coefficients": weights}
    model_file.write(binary, path, features, columns, estimator, [2.0, 0.5, None, "u"])


def far(binary: str, path: Path, draw: random.Random) -> None:
    """Powers and products of numbers far from zero, whose leading digits cancel."""
    narrow = [100_000_000.0, 100_000_010.0]
    features = [feature("t", range=narrow), feature("u", range=narrow), feature("v", range=[0.0, 1.0])]
    factor = lambda name, power: {"feature": name, "power": power}
    columns = [
        column("t", [{"feature": "t"}], 100_000_005.0, 2.9),
        column("t^2", [factor("t", 2)], 1.00000010000000e16, 5.8e8),
        column("t^3", [factor("t", 3)], 1.0000001500000075e24, 8.7e16),
        column("t:u", [{"feature": "t"}, {"feature": "u"}], 1.0000001000000025e16, 4.1e8),
        column("t^2:v", [factor("t", 2), {"feature": "v"}], 5.0000005e15, 2.9e15),
        column("u:t^2:v", [{"feature": "u"}, factor("t", 2), {"feature": "v"}], 5.00000075e23, 2.9e23),
    ]
    weights = {one["name"]: round(draw.gauss(0, 2), 3) for one in columns}
    estimator = {"family": "linear", "intercept": 3.25, "coefficients": weights}
    model_file.write(binary, path, features, columns, estimator, [1e8 + 2, 1e8 + 3, 0.5])


def wider(binary: str, path: Path, draw: random.Random) -> None:
    """600 features, of which half have a logarithm."""
    features = [feature(f"x{n}", range=[0.5, 2.0], **({"positive": True} if n % 2 else {})) for n in range(600)]
    of = lambda n: {"feature": f"x{n}", "function": "log"} if n % 2 else {"feature": f"x{n}"}
    columns = [column(f"x{n}", [of(n)], 0.5, 2.0) for n in range(600)]
    weights = {one["name"]: round(draw.gauss(0, 2), 3) for one in columns}
    estimator = {"family": "linear", "intercept": 3.25, "coefficients": weights}
    model_file.write(binary, path, features, columns, estimator, [1.5] * 600)


def pairs(binary: str, path: Path, draw: random.Random) -> None:
    """The products of the levels of two categories, whose missing values are a level."""
    levels = [f"l{n:02}" for n in range(25)]
    features = [{**feature(name, "string", levels=levels), "missing": {"impute": "l07"}} for name in ("a", "b")]
    of = lambda name, level: {"feature": name, "level": level}
    columns = [column(f"{a} {b}", [of("a", a), of("b", b)], 0.01) for a in levels for b in levels]
    weights = {one["name"]: round(draw.gauss(0, 2), 3) for one in columns}
    estimator = {"family": "linear", "intercept": 3.25, "coefficients": weights}
    model_file.write(binary, path, features, columns, estimator, ["l01", None])


NOT_BIGQUERY = ("duckdb", "sqlite", "postgres", "spark", "athena", "redshift", "snowflake")

CASES = [
    Case("mixed", trained(MIXED, linear, "--missing-indicator")),
    Case("median", trained(MIXED, linear, "--missing", "median", "--estimator", "ridge")),
    Case("category", trained(MIXED, linear, "--missing", "category", "--missing-values", "colour=?,-")),
    Case("reject", trained(MIXED, linear, "--missing", "drop")),
    Case("ignore", trained(MIXED, linear, "--unknown", "ignore", "--alpha", "0.1", "--estimator", "ridge")),
    Case("ignore-reject", trained(MIXED, linear, "--unknown", "ignore", "--missing", "drop")),
    Case("other", trained({**MIXED, "many": level(*(f"l{n}" for n in range(40)))}, linear, "--max-levels", "4")),
    Case("interactions", trained({name: MIXED[name] for name in ("x", "n", "smoker", "colour")}, linear,
                                 "--interactions", "--degree", "3", "--missing-indicator", "--max-levels", "2")),
    Case("origin", trained({**NUMBERS, "colour": level("red", "green")}, linear, "--no-intercept", "--degree", "2",
                           "--interactions")),
    Case("milliseconds", trained({"t": uniform(1.7e12, 1.71e12), "x": uniform(0, 1)}, lambda v, d: v["x"] + v["t"] / 1e10,
                                 "--degree", "2", "--estimator", "ridge", "--alpha", "0.01")),
    Case("far", far),
    Case("functions", functions),
    Case("literals", literals),
    Case("lasso", trained(MIXED, linear, "--estimator", "lasso", "--alpha", "3")),
    Case("elastic", trained(MIXED, linear, "--estimator", "elastic-net", "--alpha", "0.1")),
    Case("log-target", trained(NUMBERS, lambda v, d: math.exp(v["x"] + d.gauss(0, 0.1)), "--target-transform", "log")),
    Case("poisson", trained(COUNTS, count, "--estimator", "poisson", "--exposure", "exposure")),
    Case("gamma", trained(COUNTS, lambda v, d: math.exp(v["x"]) * d.gammavariate(3, 1), "--estimator", "gamma",
                          "--offset", "exposure")),
    Case("binary", trained({**MIXED}, one_of("no", "yes"))),
    Case("threshold", trained(NUMBERS, one_of("bad", "good"), "--threshold", "0.3", "--degree", "2")),
    Case("overfitted", trained({f"x{n}": uniform(-1, 1) for n in range(40)}, one_of("0", "1"), "--c", "1000", rows=120)),
    Case("boolean-target", trained(NUMBERS, one_of("true", "false"), "--estimator", "logistic")),
    Case("classes", trained({**MIXED}, one_of("a", "b", "c"), rows=500)),
    Case("numbered", trained(NUMBERS, one_of("1", "2", "3", "4"), "--estimator", "logistic")),
    Case("strange-classes", trained(NUMBERS, one_of("it's", "b\\c", "☃"), "--c", "100"), NOT_BIGQUERY),
    Case("strange", trained({**{name: uniform(0, 1) for name in STRANGE_NAMES}, "level's": level(*STRANGE_LEVELS)},
                            linear, rows=600), NOT_BIGQUERY),
    # Spark replaces ${x} by a variable.
    Case("variable", trained({"${x}": uniform(0, 1), "$2": uniform(0, 1)}, linear), tuple({*NOT_BIGQUERY} - {"spark"})),
    Case("wide", trained({f"x{n}": uniform(-1, 1) for n in range(250)} | {"c": level(*(f"l{n}" for n in range(90)))},
                         linear, "--estimator", "ridge", "--alpha", "1", rows=1200)),
    # SQLite parses expressions to a depth of 1,000.
    Case("wider", wider),
    # DuckDB plans a condition for each of these 625 products.
    Case("pairs", pairs),
]
