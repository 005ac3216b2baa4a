"""Generates a Python client from the OpenAPI document with openapi-python-client, and calls the server with it.

    openapi_python.py URL
"""

import importlib
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

base = sys.argv[1]
folder = Path(tempfile.mkdtemp())
generator = Path(sys.executable).with_name("openapi-python-client")
arguments = ["--url", f"{base}/openapi.json", "--output-path", folder / "generated", "--meta", "none"]
generated = subprocess.run([generator, "generate", *arguments], capture_output=True, text=True, check=True)

# All operations and all schemas; only bodies of text and bytes have no types.
for line in generated.stdout.splitlines():
    assert "Unable to" not in line and "will not be generated" not in line, generated.stdout
with urllib.request.urlopen(f"{base}/openapi.json") as answer:
    document = json.load(answer)
operations = {each["operationId"] for item in document["paths"].values() for each in item.values()}
sys.path.append(str(folder))
modules = {path.stem: path for path in (folder / "generated/api").rglob("*.py") if path.stem != "__init__"}
assert modules.keys() == operations, modules.keys() ^ operations
api = {
    name: importlib.import_module(".".join(path.relative_to(folder).with_suffix("").parts))
    for name, path in modules.items()
}

from generated import Client  # noqa: E402
from generated.models import IrisAnswer, IrisRequest, IrisRow, Model, Problem, V2Model  # noqa: E402

client = Client(base_url=base)

# A prediction: the request and the answer have types.
flower = IrisRow(sepal_length=5.1, sepal_width=3.5, petal_length=1.4, petal_width=0.2)
answer = api["post_models_iris_predict"].sync(client=client, body=IrisRequest(x=[flower], probabilities=True))
assert isinstance(answer, IrisAnswer) and answer.y == ["setosa"], answer
assert answer.probabilities[0].setosa > 0.9, answer.probabilities

# Metadata.
model = api["get_models_name"].sync("iris", client=client)
assert isinstance(model, Model) and model.classes == ["setosa", "versicolor", "virginica"], model
tensors = api["get_v2_models_model"].sync("iris", client=client)
assert isinstance(tensors, V2Model) and tensors.inputs[0].shape == [-1, 4], tensors

# An error.
flower = {**flower.to_dict(), "petal_width": "wide"}
body = IrisRequest.from_dict({"X": [flower]})
problem = api["post_models_iris_predict"].sync(client=client, body=body)
assert isinstance(problem, Problem) and (problem.status, problem.code) == (422, "invalid_value"), problem
assert problem.errors[0].pointer == "#/X/0/petal_width", problem

print("ok", len(operations), "operations")
