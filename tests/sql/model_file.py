"""Model files with any coefficients, which no training makes."""

import hashlib
import json
import re
import subprocess


def number(value: float) -> str:
    """A number as ECMAScript prints it, which RFC 8785 requires."""
    if value == 0:
        return "0"
    if abs(value) < 2**53 and value == int(value):
        return str(int(value))
    digits, _, exponent = f"{abs(value)!r}".partition("e")
    integer, _, fraction = digits.partition(".")
    if fraction == "0":
        fraction = ""
    point = len(integer) + int(exponent or 0)
    all_digits = (integer + fraction).lstrip("0")
    point -= len(integer + fraction) - len(all_digits)
    all_digits = all_digits.rstrip("0")
    sign = "-" if value < 0 else ""
    count = len(all_digits)
    if count <= point <= 21:
        return sign + all_digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{all_digits[:point]}.{all_digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{all_digits}"
    mantissa = all_digits[0] + ("." + all_digits[1:] if count > 1 else "")
    return f"{sign}{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def canonical(value) -> str:
    """The canonical form of JSON by RFC 8785."""
    if isinstance(value, dict):
        order = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in order) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def write(binary: str, path, features: list, columns: list, estimator: dict, row: list) -> None:
    """Writes the regression of these features, columns and coefficients, with this row as its golden row."""
    document = {
        "format": "ordinate.model/1",
        "name": path.stem,
        "version": "1",
        "task": "regression",
        "signature": {"features": features, "target": {"name": "y", "type": "double"}},
        "preprocess": {"columns": columns},
        "estimator": estimator,
        "training": {"rows": 4, "parameters": {}, "seed": 0, "metrics": {}, "tool": "test"},
    }
    value = 0.0
    for _ in range(2):
        document["golden"] = {"X": [row], "y": [value]}
        sealed = {**document, "sha256": hashlib.sha256(canonical(document).encode()).hexdigest()}
        sealed["created"] = "2026-11-23T00:00:00Z"
        path.write_text(json.dumps(sealed, ensure_ascii=False), encoding="utf-8")
        # The error of the first file has the prediction.
        done = subprocess.run([binary, "inspect", str(path)], capture_output=True, text=True, encoding="utf-8")
        if done.returncode == 0:
            return
        got = re.search(r"golden row 0: expected 0, got ([^;]+);", done.stderr)
        assert got, done.stderr
        value = float(got[1])


def column(name: str, product: list, mean: float = 0.0, scale: float = 1.0) -> dict:
    return {"name": name, "product": product, "mean": mean, "scale": scale}


def feature(name: str, kind: str = "double", **members) -> dict:
    return {"name": name, "type": kind, "missing": "reject", **members}
