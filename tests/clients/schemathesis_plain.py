"""Schemathesis without our hooks and configuration: all of its reports have a known reason.

    schemathesis_plain.py URL

Needs schemathesis==4.32.5. A JSON Schema cannot express every condition on a request, so that some generated requests are
valid by the schema and rejected, or the reverse. Prints the reports with their reasons, and fails for any other report.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

REJECTED, ACCEPTED = "ST202", "ST201"
ROWS = r"expected .* got |different|same form|no rows|first line|the body is empty|not valid CSV|too (large|many digits)"
TENSORS = r"shape|datatype|bytes|not valid JSON|feature|output|level|\"model_|missing|tensor|\"data\""
RPC = r"\"error\":\{\"code\":-32|^$"

# The code of a report, the operations, the answer of the service, and the reason.
KNOWN = [
    (REJECTED, r"/predict$", r"in the URL and in the body", "an option is in the URL and in the body"),
    (REJECTED, r"/predict$", ROWS, "rows have different forms, or a number is too large; text has no schema"),
    (REJECTED, r":(predict|explain)$", r"send one of the two", "the output is in two keys"),
    (REJECTED, r":(predict|explain)$|/vertex/predict$", ROWS, "the rows of other protocols have one schema for all models"),
    (REJECTED, r"/invocations$", rf"{ROWS}|\"columns\"|feature", "the same; text has no schema"),
    (REJECTED, r"/infer$", TENSORS, "the data do not match the shape, or the header is not the length of the JSON"),
    (REJECTED, r"/models$", r'the "next" of a page', "`after` is a text, but only the `next` of an answer is accepted"),
    (REJECTED, r"/(load|unload)$", r"clients cannot load or unload", "clients cannot load or unload models"),
    (ACCEPTED, r"/invocations$", r"predictions", "text has no schema: invalid text can be valid CSV"),
    (ACCEPTED, r"/mcp$", RPC, "errors of JSON-RPC have the status 200, and a message without `id` is a notification"),
]

# The errors of Schemathesis itself.
KNOWN_ERRORS = {"Serialization not possible": "Schemathesis cannot write JSON Lines and arrays of numpy"}


def run(base: str, folder: Path) -> dict:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"{base}/openapi.json", "--url", base, "--seed", "1", "--max-examples", "10", "--no-shrink"),
        # One worker, so that a seed has the same requests in every run.
        *("--phases", "examples,coverage,fuzzing", "--workers", "1", "--continue-on-failure"),
        *("--report", "json", "--report-json-path", str(folder / "report.json")),
        *("--report", "junit", "--report-junit-path", str(folder / "report.xml")),
    ]
    # In an empty folder, so that it finds no configuration. Its output is printed if there is a report that is not known.
    subprocess.run(command, cwd=folder, check=False)
    return json.loads((folder / "report.json").read_text())


def reports(folder: Path) -> list[tuple[str, str, str]]:
    """The reports: code, operation, and the body of the answer."""
    found = []
    for case in ElementTree.parse(folder / "report.xml").iter("testcase"):
        for failure in case.iter("failure"):
            code = re.search(r"ST\d+", failure.text or "")
            answer = re.search(r"^\[\d+\] [^\n]*\n\n    `(.*?)`\n", failure.text or "", re.MULTILINE | re.DOTALL)
            body = answer.group(1) if answer else ""
            found.append((code.group(), case.get("name", ""), body.replace('\\"', '"')))
    return found


def reason(code: str, operation: str, body: str) -> str:
    for known, operations, answer, text in KNOWN:
        if code == known and re.search(operations, operation.split()[1]) and re.search(answer, body, re.DOTALL):
            return text
    raise AssertionError(f"a report that is not known: {code}, {operation}: {body}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = run(sys.argv[1].rstrip("/"), Path(folder))
        found = reports(Path(folder))
    operations = report["operations"]
    assert report["complete"] and operations["tested"] == operations["selected"], operations
    listed = {each for failure in report["failures"] for each in failure["operations"]}
    assert {operation for _, operation, _ in found} == listed, listed
    counts: dict[tuple[str, str], int] = {}
    for code, operation, body in found:
        key = (code, reason(code, operation, body))
        counts[key] = counts.get(key, 0) + 1
    for error in report["errors"]:
        assert error["title"] in KNOWN_ERRORS, f"an error that is not known: {error}"
        counts["error", KNOWN_ERRORS[error["title"]]] = error["count"]
    for (kind, why), count in sorted(counts.items()):
        print(f"{kind}, {count} reports: {why}")
    print("ok", report["operations"]["tested"], "operations,", report["test_cases"], "requests")


if __name__ == "__main__":
    main()
