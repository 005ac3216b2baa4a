"""Generates a Python client for models whose names, features, categories and classes differ only in characters that
generated code leaves out, checks its types with mypy, and calls the server with it.

    openapi_names.py URL

The server has the models a.b, a_b, a-b and mcp, trained with names.csv.
"""

import subprocess
import sys
from datetime import date

from generated_client import call_every_post, generate

base = sys.argv[1]
made = generate(base)
models = made.package.models
client = made.package.Client(base_url=base)

mypy = [sys.executable, "-m", "mypy", "--cache-dir", made.folder / "cache", "generated"]
checked = subprocess.run(mypy, cwd=made.folder, capture_output=True, text=True, check=False)
assert checked.returncode == 0, checked.stdout + checked.stderr

# Features that are not attributes are items; categories with the same letters have names with numbers.
row = models.ABRow(language=models.ABRowLanguage.C_3, agrees=models.ABRowAgrees.YES_2, day=date(2026, 5, 1))
assert (row.language, row.agrees) == ("C++", "yes"), row
for name in ("Name (kg)", "Name [kg]", "d", "cast"):
    row[name] = 0.5
predict = made.api["post_models_a_b_predict"].sync
answer = predict(client=client, body=models.ABRequest(x=[row], probabilities=True, explain=True))
assert isinstance(answer, models.ABAnswer) and answer.y[0] in ("pos+", "pos-"), answer
probabilities = answer.probabilities[0]
assert abs(probabilities["pos+"] + probabilities["pos-"] - 1) < 1e-9, probabilities
assert answer.explanation.contributions[0]["Name [kg]"] != 0, answer.explanation

# Each model has an operation of its own.
predictions = [name for name in made.api if name.startswith("post_models_") and name.endswith("_predict")]
assert len(predictions) == 8, predictions
count = call_every_post(made, client, {"name": "a.b", "model": "a.b", "version": "1"})
print("ok", len(made.api), "operations,", count, "examples")
