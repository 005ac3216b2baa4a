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

# The type of a report, the operations, and the reason.
KNOWN = [
    ("RejectedPositiveData", r"/predict$", "an option is in the URL and in the body, or a number is too large"),
    ("RejectedPositiveData", r":(predict|explain)$|/vertex/predict$", "columns have different lengths, or a number is too large"),
    ("RejectedPositiveData", r"/invocations$", "the same, or the rows do not match the columns; text has no schema"),
    ("RejectedPositiveData", r"/infer$", "the data do not match the shape, or the header is not the length of the JSON"),
    ("RejectedPositiveData", r"/(load|unload)$", "clients cannot load or unload models"),
    ("AcceptedNegativeData", r"/invocations$", "text has no schema: text that was generated as invalid can be valid CSV"),
    ("AcceptedNegativeData", r"/mcp$", "errors of JSON-RPC have the status 200, and a message without `id` is a notification"),
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
    ]
    # In an empty folder, so that it finds no configuration. Its output is printed if there is a report that is not known.
    subprocess.run(command, cwd=folder, check=False)
    return json.loads((folder / "report.json").read_text())


def reason(kind: str, operation: str) -> str:
    for known, operations, text in KNOWN:
        if kind == known and re.search(operations, operation.split()[1]):
            return text
    raise AssertionError(f"a report that is not known: {kind}, {operation}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = run(sys.argv[1].rstrip("/"), Path(folder))
    assert report["complete"] and report["operations"]["tested"] == report["operations"]["selected"], report["operations"]
    counts: dict[tuple[str, str], int] = {}
    for failure in report["failures"]:
        for operation in failure["operations"]:
            key = (failure["type"], reason(failure["type"], operation))
            counts[key] = counts.get(key, 0) + 1
    for error in report["errors"]:
        assert error["title"] in KNOWN_ERRORS, f"an error that is not known: {error}"
        counts["error", KNOWN_ERRORS[error["title"]]] = error["count"]
    for (kind, why), count in sorted(counts.items()):
        print(f"{kind}, {count} operations: {why}")
    print("ok", report["operations"]["tested"], "operations,", report["test_cases"], "requests")


if __name__ == "__main__":
    main()
