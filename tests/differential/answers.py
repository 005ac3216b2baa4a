"""Compares the answers of a served model with its file, through every protocol."""

import csv
import io
import json
import random
from math import exp, inf
from pathlib import Path

import protocols
import rows as requests
from exact import TINY, U, to_double
from model import SETS, Cell, Model, Open, Refused, conformal_rank
from ordinate import Server, run
from student import student_quantile
from tables import Table

# statrs' quantiles of Student's t have 12 digits: see the module `quantile` of ordinate-model.
QUANTILE = 1e-12
# The smallest double with all its digits; predictions of a logged target below it are refused.
NORMAL = 2.0**-1022


def near(got: float, expected, error: float) -> bool:
    """Whether a double is within the error bound; an exact value is rounded once."""
    distance = abs(got - to_double(expected)) if isinstance(got, float) else abs(float(got) - to_double(expected))
    return distance <= error + 2 * U * abs(to_double(expected)) + TINY


class Answers:
    """The checks of one model; errors are reported with `fault(kind, words)`."""

    def __init__(self, binary: str, path: Path, table: Table, rng: random.Random, fault):
        self.binary, self.path, self.table, self.rng, self.fault = binary, path, table, rng, fault
        self.model = Model(path)
        self.called = self.model.file["name"]
        self.answers = 0

    def check(self) -> None:
        rows = requests.draw(self.rng, self.table, self.model)
        with Server(self.binary, self.path) as server:
            good = []
            for row in rows:
                status, answer = protocols.JsonRows(self.model, self.called).ask(server, [row])
                self.answers += 1
                if self.expected(row, status, answer):
                    good.append(row)
                else:
                    self.refused_everywhere(server, row, status)
            if not good:
                return
            status, reference = protocols.JsonRows(self.model, self.called).ask(server, good)
            for protocol in protocols.ALL:
                self.same(server, protocol(self.model, self.called), good, reference)
            self.details(server, good)

    def expected(self, row: list[Cell], status: int, answer) -> bool:
        """Compares one answer with the file; whether there was an answer."""
        if status not in (200, 422):
            self.fault("status", f"{show(row)}: status {status}: {answer}")
            return False
        try:
            values = self.model.row(row)
        except Open:
            return status == 200
        except Refused as reason:
            if status == 200:
                self.fault("accepted", f"{show(row)} should be refused ({reason}), is answered {answer}")
            return status == 200
        try:
            if self.model.classes:
                expected = None
            else:
                expected = self.model.prediction(values)
                rounded = to_double(expected.value)
                if rounded in (float("inf"), float("-inf")) or (self.model.log and rounded < NORMAL):
                    raise OverflowError
        except OverflowError:
            if status == 200:
                self.fault("range", f"{show(row)}: no double holds the prediction, is answered {answer}")
            return status == 200
        if status != 200:
            if "overflow" not in answer and "too large" not in answer:
                self.fault("refused", f"{show(row)} should be answered, is refused: {detail(answer)}")
            return False
        if expected and not near(answer[0], expected.value, expected.error):
            self.fault(
                "prediction",
                f"{show(row)}: {answer[0]!r} should be {to_double(expected.value)!r} ± {expected.error:.1e}",
            )
        if self.model.classes:
            self.chosen(row, values, answer[0])
        return True

    def chosen(self, row, values, label) -> None:
        probabilities = self.model.probabilities(values)
        if label not in self.model.classes:
            self.fault("class", f"{show(row)}: {label!r} is no class")
            return
        own = probabilities[self.model.classes.index(label)]
        best = max(probabilities, key=lambda p: p.value)
        if to_double(best.value - own.value) > best.error + own.error:
            self.fault(
                "class",
                f"{show(row)}: {label!r} has the probability {to_double(own.value)}, another {to_double(best.value)}",
            )

    def refused_everywhere(self, server: Server, row: list[Cell], status: int) -> None:
        for kind in protocols.ALL[1:]:
            protocol = kind(self.model, self.called)
            got, answer = protocol.ask(server, [row])
            self.answers += 1
            if got == 200:
                self.fault("protocols", f"{show(row)}: refused as JSON rows ({status}), answered {answer} by {protocol.name}")
            elif got != protocol.refusal:
                self.fault(
                    "protocols", f"{show(row)}: status {got} by {protocol.name}, {protocol.refusal} is due: {detail(answer)}"
                )

    def same(self, server: Server, protocol: protocols.Protocol, good: list, reference: list) -> None:
        status, answer = protocol.ask(server, good)
        self.answers += len(good)
        if status == 200 and identical(answer, reference):
            return
        for row, expected in zip(good, reference):
            status, one = protocol.ask(server, [row])
            if status != 200:
                self.fault(
                    "protocols", f"{show(row)}: answered {expected!r} as JSON rows, refused by {protocol.name}: {detail(one)}"
                )
            elif not identical(one, [expected]):
                self.fault("protocols", f"{show(row)}: {expected!r} as JSON rows, {one[0]!r} by {protocol.name}")

    def command_line(self, good: list, document: dict, level: str) -> None:
        """`ordinate predict` on a CSV file, with all additional columns."""
        model, names = self.model, [feature["name"] for feature in self.model.features]
        data = self.path.with_suffix(".rows.csv")
        extra = ["--explain", "--warnings", *(["--probabilities"] if model.classes else [])]
        extra += ["--interval", level] if self.knows(level) else []
        extra += ["--mean-interval", level] if "mean_interval" in document else []
        data.write_text(protocols.as_csv(good, names, csv.QUOTE_MINIMAL), encoding="utf-8", newline="")
        done = run(self.binary, "predict", str(self.path), str(data), "--quiet", *extra)
        self.answers += len(good)
        if done.returncode:
            self.fault(
                "protocols", f"`ordinate predict` refuses rows that are answered as JSON: {done.stderr.strip()[:300]}"
            )
            return
        header, *lines = csv.reader(io.StringIO(done.stdout))
        for place, (row, line) in enumerate(zip(good, lines, strict=True)):
            # Added columns follow the columns of the file, and may have the same names.
            got = dict(zip(header[len(names) :], line[len(names) :]))
            for key, expected in self.added(document, place).items():
                text = got.get(key)
                same = (
                    text == expected
                    if isinstance(expected, str)
                    else text and repr(float(text)) == repr(float(expected))
                )
                if not same:
                    self.fault("protocols", f"{show(row)}: {key} is {text!r} by `ordinate predict`, {expected!r} as JSON")

    def added(self, document: dict, place: int) -> dict:
        """The columns that `ordinate predict` adds, from the answer to JSON rows."""
        model, y = self.model, document["y"][place]
        added = {"prediction": as_text(y) if model.classes else y}
        if SETS in document:
            quoted = [as_text(label).replace("\\", "\\\\").replace("|", "\\|") for label in document[SETS][place]]
            added["prediction_set"] = "|".join(quoted)
        for key, name in (("interval", "prediction"), ("mean_interval", "prediction_mean")):
            if key in document:
                added |= dict(zip([f"{name}_low", f"{name}_high"], document[key][place]))
        for label in model.classes or []:
            added[f"probability_{as_text(label)}"] = document["probabilities"][place][as_text(label)]
        base, parts = document["explanation"]["base"], document["explanation"]["contributions"][place]
        for label in model.classes if len(model.intercepts) > 1 else [None]:
            of_class = "" if label is None else f"_{as_text(label)}"
            added[f"base{of_class}"] = base if label is None else base[as_text(label)]
            own = parts if label is None else by_class(parts, label)
            added |= {f"contribution{of_class}_{name}": value for name, value in own.items()}
        return added

    def warned(self, row: list[Cell], values: dict, got: list[dict]) -> None:
        """Imputed and out-of-range values, and unknown categories; in rows without the latter two, high leverage."""
        expected = []
        imputed = {warning["feature"] for warning in got if warning["code"] == "imputed"}
        for feature, cell in zip(self.model.features, row):
            if cell.kind in ("missing", "number", "boolean") and (cell.kind == "missing") != (feature["name"] in imputed):
                self.fault("warnings", f"{show(row)}: imputed are {imputed}")
        for feature, cell in zip(self.model.features, row):
            low, high = feature.get("range", [-inf, inf])
            value = values[feature["name"]]
            if not low <= value <= high and feature["name"] not in imputed:
                expected.append(("outside_range", feature["name"]))
            if feature["type"] == "string" and value < 0:
                expected.append(("unknown_category", feature["name"]))
        found = [(warning["code"], warning.get("feature")) for warning in got if warning["code"] != "imputed"]
        if not expected and self.model.inference.get("r"):
            leverage, limit = self.model.leverage(values), self.limit()
            if abs(to_double(leverage.value - limit)) <= leverage.error + 1e-9 * limit:
                return
            if leverage.value > limit:
                expected.append(("leverage", None))
        if sorted(found, key=str) != sorted(expected, key=str):
            self.fault("warnings", f"{show(row)}: {found} should be {expected}")

    def limit(self) -> float:
        """Three times the mean leverage of the training rows: their independent parameters ÷ their number."""
        file, inference = self.model.file, self.model.inference
        rows = file["training"]["rows"]
        if "degrees_of_freedom" in inference:
            parameters = rows - inference["degrees_of_freedom"]
        else:
            parameters = self.model.rank() + (not file["preprocess"].get("through_origin"))
        return 3 * min(parameters, rows) / inference.get("weight", rows)

    def details(self, server: Server, good: list) -> None:
        """Probabilities, intervals, prediction sets, contributions."""
        level = self.rng.choice(["0.5", "0.8", "0.9", "0.95", "0.99"])
        options = '"explain":true' + (',"probabilities":true' if self.model.classes else "")
        options += f',"interval":{level}' if self.knows(level) else ""
        body = '{"X":[' + ",".join(map(protocols.listed, good)) + "]," + options + "}"
        status, answer, _ = server.post("/predict", body.encode(), content_type="application/json")
        if status != 200:
            if b"interval_overflow" not in answer and b"prediction_overflow" not in answer:
                self.fault("details", f"{options}: status {status}: {detail(answer.decode())}")
            return
        document = json.loads(answer)
        for place, row in enumerate(good):
            try:
                values = self.model.row(row)
            except (Open, Refused):
                continue
            if self.model.classes:
                self.probabilities(row, values, document["probabilities"][place])
            self.explained(row, values, document["explanation"], place)
            self.warned(row, values, [warning for warning in document.get("warnings", []) if warning["row"] == place])
            if self.knows(level):
                self.interval(row, values, document, place, level)
        self.tensors(server, good, document)
        self.command_line(good, document, level)

    def knows(self, level: str) -> bool:
        """Whether the file has the statistics that intervals of this level need."""
        inference = self.model.inference
        if inference.get("residual_variance") is not None:
            return True
        conformal = inference.get("conformal")
        return bool(conformal) and conformal_rank(conformal["rows"], level) <= conformal["rows"]

    def probabilities(self, row, values, got: dict) -> None:
        expected = self.model.probabilities(values)
        for label, score in zip(self.model.classes, expected):
            p = got[as_text(label)]
            if not near(p, score.value, score.error):
                self.fault(
                    "probability",
                    f"{show(row)}, {label}: {p!r} should be {to_double(score.value)!r} ± {score.error:.1e}",
                )

    def explained(self, row, values, explanation: dict, place: int) -> None:
        scores = self.model.contributions(values)
        got = explanation["contributions"][place]
        for position, parts in enumerate(scores):
            own = by_class(got, self.model.classes[position]) if len(scores) > 1 else got
            base = (
                explanation["base"][as_text(self.model.classes[position])] if len(scores) > 1 else explanation["base"]
            )
            if not near(base, self.model.intercepts[position] / self.model.temperature, 0.0):
                self.fault("explanation", f"base {base!r} is not the intercept {self.model.intercepts[position]!r}")
            for name, part in parts.items():
                if not near(own[name], part.value, part.error):
                    self.fault(
                        "explanation",
                        f"{show(row)}, {name}: {own[name]!r} should be {to_double(part.value)!r} ± {part.error:.1e}",
                    )

    def interval(self, row, values, document: dict, place: int, level: str) -> None:
        y, inference = document["y"][place], self.model.inference
        if self.model.classes:
            reach = inference["conformal"]["scores"][conformal_rank(inference["conformal"]["rows"], level) - 1]
            row_probabilities = document["probabilities"][place]
            expected = [label for label in self.model.classes if 1.0 - row_probabilities[as_text(label)] <= reach] or [
                y
            ]
            if document[SETS][place] != expected:
                self.fault("set", f"{show(row)}, level {level}: {document[SETS][place]} should be {expected}")
            return
        ends = document["interval"][place]
        if inference.get("residual_variance") is None:
            reach = inference["conformal"]["scores"][conformal_rank(inference["conformal"]["rows"], level) - 1]
            self.ends(row, "interval", ends, y, reach, 0.0, level)
            return
        t, leverage = student_quantile(level, inference["degrees_of_freedom"]), self.model.leverage(values)
        variance = inference["residual_variance"]
        for key, more in (("interval", 1.0), ("mean_interval", 0.0)):
            if key == "mean_interval" and self.model.log:
                continue
            spread = variance * (more + to_double(leverage.value))
            # The square root halves relative errors; a product or two follow.
            error = QUANTILE + 4 * U + (variance * leverage.error / spread / 2 if spread else 0.0)
            reach = float(t) * spread**0.5
            self.ends(row, key, document[key][place], y, reach, reach * error, level)

    def ends(self, row, key: str, got: list, y: float, reach: float, error: float, level: str) -> None:
        for end, sign in zip(got, (-1, 1)):
            if self.model.log:
                expected = y * exp(sign * reach)
                allowed = abs(expected) * (error + 4 * U)
            else:
                expected, allowed = y + sign * reach, error + U * abs(y + sign * reach)
            if not near(end, expected, allowed):
                self.fault("interval", f"{show(row)}, {key} {level}: {end!r} should be {expected!r} ± {allowed:.1e}")

    def tensors(self, server: Server, good: list, document: dict) -> None:
        """The same details as outputs of Open Inference, in bytes."""
        protocol = protocols.OpenInferenceBinary(self.model, self.called)
        protocol.outputs = ["predict", "explain", *(["predict_proba"] if self.model.classes else [])]
        status, got = protocol.infer(server, good)
        if status != 200:
            self.fault("protocols", f"outputs {protocol.outputs}: status {status}: {detail(got)}")
            return
        if self.model.classes:
            expected = [row[as_text(label)] for row in document["probabilities"] for label in self.model.classes]
            if not identical(got["predict_proba"], expected):
                self.fault("protocols", "predict_proba of Open Inference is not what /predict answers")
        names = [feature["name"] for feature in self.model.features]
        expected = []
        for row in document["explanation"]["contributions"]:
            parts = [by_class(row, label) for label in self.model.classes] if len(self.model.intercepts) > 1 else [row]
            expected += [part[name] for part in parts for name in names]
        if not identical(got["explain"], expected):
            self.fault("protocols", "explain of Open Inference is not what /predict answers")


def identical(one: list, other: list) -> bool:
    """Equality of all bits: 0.0 is not −0.0; 1 equals 1.0, since JSON may omit the point."""
    exact = lambda value: (
        repr(float(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
    )
    return len(one) == len(other) and all(exact(a) == exact(b) for a, b in zip(one, other))


def by_class(contributions: dict, label) -> dict:
    return {name: of_classes[as_text(label)] for name, of_classes in contributions.items()}


def as_text(label) -> str:
    return ("true" if label else "false") if isinstance(label, bool) else str(label)


def show(row: list[Cell]) -> str:
    return protocols.listed(row)


def detail(answer: str) -> str:
    try:
        document = json.loads(answer)
    except ValueError:
        return answer[:200]
    return str(document.get("detail") or document.get("error") or document.get("message") or document.get("Message"))[
        :300
    ]
