"""Checks every example of the OpenAPI document against its schema.

    examples.py FILE

Needs jsonschema-rs, a dependency of Schemathesis.
"""

import json
import sys
from pathlib import Path

from jsonschema_rs import Draft202012Validator

document = json.loads(Path(sys.argv[1]).read_text())
checked = 0


def resolve(part):
    """The component that a part of the document refers to, or the part itself."""
    if "$ref" not in part:
        return part
    _, components, kind, name = part["$ref"].split("/")
    return document[components][kind][name]


for path, item in document["paths"].items():
    for method, operation in item.items():
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for name, body in bodies.items():
            for media_type, content in resolve(body).get("content", {}).items():
                # References in the schema point to the components of the document.
                validator = Draft202012Validator({**content["schema"], "components": document["components"]})
                examples = {key: example["value"] for key, example in content.get("examples", {}).items()}
                examples |= {"example": content["example"]} if "example" in content else {}
                for key, value in examples.items():
                    wrong = [error.message for error in validator.iter_errors(value)]
                    assert not wrong, f"{method} {path}, {name}, {media_type}, {key}: {wrong}"
                    checked += 1
assert checked > 150, checked
print("ok", checked, "examples")
