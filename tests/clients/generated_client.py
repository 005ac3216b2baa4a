"""A Python client that openapi-python-client generates from a server's document."""

import dataclasses
import importlib
import inspect
import json
import subprocess
import sys
import tempfile
import types
import typing
import urllib.request
from pathlib import Path
from types import ModuleType

JSON = "application/json"


@dataclasses.dataclass
class Generated:
    document: dict
    package: ModuleType
    folder: Path
    # The module of each operation, by its id.
    api: dict[str, ModuleType]


def generate(base: str) -> Generated:
    """The client has all operations and all schemas of the document; only bodies of text and bytes have no types."""
    folder = Path(tempfile.mkdtemp())
    generator = Path(sys.executable).with_name("openapi-python-client")
    arguments = ["--url", f"{base}/openapi.json", "--output-path", folder / "generated", "--meta", "none"]
    made = subprocess.run([generator, "generate", *arguments], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    lines = [line for line in made.stdout.splitlines() if "Unable to" in line or "will not be generated" in line]
    assert not lines, made.stdout
    with urllib.request.urlopen(f"{base}/openapi.json") as answer:
        document = json.load(answer)
    sys.path.append(str(folder))
    package = importlib.import_module("generated")
    modules = {path.stem: path for path in (folder / "generated/api").rglob("*.py") if path.stem != "__init__"}
    # The generator makes two words of a letter and a digit.
    ids = {each["operationId"].lower() for item in document["paths"].values() for each in item.values()}
    assert modules.keys() == ids, modules.keys() ^ ids
    api = {
        name: importlib.import_module(".".join(path.relative_to(folder).with_suffix("").parts))
        for name, path in modules.items()
    }
    return Generated(document, package, folder, api)


def read(kind: object, value: object) -> object:
    """The value as one of the types of an annotation, in which no part of it is lost."""
    for each in typing.get_args(kind) if isinstance(kind, types.UnionType) else [kind]:
        if not hasattr(each, "from_dict"):
            continue
        try:
            made = each.from_dict(value)
            if made.to_dict() == value:
                return made
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return value


def written(value: object) -> object:
    return value.to_dict() if hasattr(value, "to_dict") else value


def call_every_post(generated: Generated, client: object, parameters: dict[str, str]) -> int:
    """Sends every JSON example of every operation, and compares the answers with those of the document."""
    components, count = generated.document["components"], 0

    def examples(part: dict) -> dict:
        found = components[part["$ref"].split("/")[2]][part["$ref"].split("/")[3]] if "$ref" in part else part
        return found.get("content", {}).get(JSON, {}).get("examples", {})

    for path, item in generated.document["paths"].items():
        operation = item.get("post", {})
        answers = examples(operation.get("responses", {}).get("200", {}))
        for name, example in examples(operation.get("requestBody", {})).items():
            function = generated.api[operation["operationId"].lower()].sync
            body = read(typing.get_type_hints(function)["body"], example["value"])
            # A shared body has examples of the default model.
            named = [parameters[each] for each in inspect.signature(function).parameters if each in parameters]
            try:
                answer = written(function(*named, client=client, body=body))
            except Exception as error:
                raise AssertionError(f"{path}, {name}: {error!r}") from error
            assert answer == answers[name]["value"], f"{path}, {name}: {answer}"
            count += 1
    return count
