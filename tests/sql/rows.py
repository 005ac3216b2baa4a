"""Rows for a model: typical ones, and ones with a value at the edge of its type."""

import datetime
import math
import random

NUMBERS = [
    None, math.nan, math.inf, -math.inf, 0.0, -0.0, 0.5, 4.5, -1.0, -0.75, 5e-324, 1e-310, -1e-200, 1e-20, 1e15, 2.0**53, 1e100,
    -1e100, 1e250, 1e299, -1.7e308,
]
INTEGERS = [None, 0, -1, 7, 2**53, -(2**53)]
TEXTS = [
    None, "", " ", "\t\n", "NA", " none", "n/a", "NaN ", "nULL", "?", "-", "unheard of", "it's", "back\\slash", '"', "(missing)",
    "(other)", "\u00a0", "☃", "red ", "RED", "${x}", "\\",
]
TIMES = [None, "1970-01-01", "1969-12-31T23:59:59.999999", "1969-12-31T00:00:00.001", "0001-01-01", "9999-12-31T23:59:59.999",
         "2000-02-29", "2024-02-29T06:59:59.999999", "2024-03-01T07:00:00", "2023-12-31T23:59:59.123"]


def sql_types(features: list) -> list[str]:
    """The type of each column, in DuckDB: of numbers and of dates every other one, so that both are tested."""
    types = {"boolean": ["BOOLEAN"], "string": ["VARCHAR"], "double": ["DOUBLE"], "long": ["BIGINT", "DOUBLE"],
             "date": ["DATE", "TIMESTAMP"]}
    return [types[feature["type"]][place % len(types[feature["type"]])] for place, feature in enumerate(features)]


def draw_rows(features: list, types: list[str], draw: random.Random, count: int = 100) -> list[list]:
    rows = [[typical(feature, kind, draw) for feature, kind in zip(features, types)] for _ in range(count)]
    # Of many features, the edges of some.
    places = range(len(features)) if len(features) <= 16 else draw.sample(range(len(features)), 16)
    for place in places:
        for value in edges(features[place], types[place]):
            row = [typical(feature, kind, draw) for feature, kind in zip(features, types)]
            row[place] = value
            rows.append(row)
    return rows


def typical(feature: dict, kind: str, draw: random.Random):
    low, high = feature.get("range") or [0.1, 3.0]
    match kind:
        case "BOOLEAN":
            return draw.random() < 0.5
        case "VARCHAR":
            return draw.choice(feature["levels"])
        case "BIGINT":
            return draw.randint(int(low), int(high))
        case "DOUBLE":
            value = draw.uniform(low, high)
            return float(round(value)) if feature["type"] == "long" else value
    days = datetime.timedelta(days=draw.uniform(0, 4000))
    moment = datetime.datetime(2015, 1, 1) + days
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    return moment.date() if kind == "DATE" else moment


def edges(feature: dict, kind: str) -> list:
    match kind:
        case "BOOLEAN":
            return [None, True, False]
        case "VARCHAR":
            return TEXTS + feature["levels"][:500]
        case "BIGINT":
            return INTEGERS
        case "DOUBLE":
            return NUMBERS
    times = [value and datetime.datetime.fromisoformat(value) for value in TIMES]
    return [value and value.date() for value in times] if kind == "DATE" else times
