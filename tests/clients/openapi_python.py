"""Generates a Python client from the OpenAPI document with openapi-python-client, and calls the server with it.

    openapi_python.py URL
"""

import sys

from generated_client import call_every_post, generate

base = sys.argv[1]
made = generate(base)
api, models = made.api, made.package.models
client = made.package.Client(base_url=base)

# A prediction: the request and the answer have types. Rows have names, or positions, or are one column or value.
predict = api["post_models_iris_predict"].sync
flower = models.IrisRow(sepal_length=5.1, sepal_width=3.5, petal_length=1.4, petal_width=0.2)
answer = predict(client=client, body=models.IrisRequest(x=[flower], probabilities=True))
assert isinstance(answer, models.IrisAnswer) and answer.y == ["setosa"], answer
assert answer.probabilities[0].setosa > 0.9, answer.probabilities
answer = predict(client=client, body=models.IrisRequest(x=[[5.1, 3.5, 1.4, 0.2]]))
assert answer.y == ["setosa"], answer
columns = models.IrisColumns(sepal_length=[5.1], sepal_width=[3.5], petal_length=[1.4], petal_width=[0.2])
answer = predict(client=client, body=models.IrisRequest(x=columns))
assert answer.y == ["setosa"], answer
line = api["post_models_line_predict"].sync
for x in ([1.0, 2.0], [[1.0], [2.0]], [models.LineRow(x=1.0), models.LineRow(x=2.0)]):
    answer = line(client=client, body=models.LineRequest(x=x))
    assert answer.y == [3.0, 5.0], (x, answer)

# Metadata.
model = api["get_models_name"].sync("iris", client=client)
assert isinstance(model, models.Model) and model.classes == ["setosa", "versicolor", "virginica"], model
tensors = api["get_v2_models_model"].sync("iris", client=client)
assert isinstance(tensors, models.V2Model) and tensors.inputs[0].shape == [-1, 4], tensors

# An error.
wrong = {**flower.to_dict(), "petal_width": "wide"}
problem = predict(client=client, body=models.IrisRequest.from_dict({"X": [wrong]}))
assert isinstance(problem, models.Problem) and (problem.status, problem.code) == (422, "invalid_value"), problem
assert problem.errors[0].pointer == "#/X/0/petal_width", problem

count = call_every_post(made, client, {"name": "line", "model": "line", "version": "1"})
assert count > 50, count
print("ok", len(api), "operations,", count, "examples")
