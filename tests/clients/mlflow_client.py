"""The scoring server protocol of MLflow, with the client of MLflow.

    mlflow_client.py URL [--record DIRECTORY]

Needs mlflow==3.17.2, and a server at URL: `ordinate serve` for the bundled models, or the same with
MODEL_URI=file://$PWD/tests/clients/people.json for a model of every type that imputes one feature. Prints one
line per check. With --record it writes the requests, head and body, to DIRECTORY/mlflow/*.http; `cargo test --test service`
sends those in tests/wire.
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import requests
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from recorder import Recorder, arguments

PEOPLE = pd.DataFrame({
    "age": [41, 20],
    "smoker": [True, False],
    "city": ["Bern", "Basel"],
    "bmi": [22.5, 30.0],
    "income": [9.5, math.nan],
})


def check(what: str, holds) -> None:
    assert holds, what
    print("ok mlflow:", what)


class Checks:
    def __init__(self, url: str, record: Path | None) -> None:
        self.url = url
        self.recorder = Recorder(url, record and record / "mlflow")
        self.client = ScoringServerClient("127.0.0.1", self.recorder.port)

    def invoke(self, name: str, data, params: dict | None = None):
        """The predictions for data; the request is recorded under this name."""
        self.recorder.name = name
        return self.client.invoke(data, params)["predictions"]

    def rejected(self, name: str, data, status: int, *messages: str, params: dict | None = None) -> bool:
        try:
            self.invoke(name, data, params)
        except Exception as error:  # The client raises nothing more specific.
            return all(part in str(error) for part in (f"error code {status}", *messages))
        return False

    def server(self) -> list[str]:
        self.client.wait_server_ready(timeout=5)
        check("the server is ready", True)
        check("it has a version", self.client.get_version() == requests.get(f"{self.url}/version").text)
        return [model["name"] for model in requests.get(f"{self.url}/models").json()["models"]]

    def line(self) -> None:
        frame = pd.DataFrame({"x": [1.0, 2.0]})
        check("a frame", self.invoke("frame", frame) == [3.0, 5.0])
        wide = frame.assign(id=["a", "b"])
        check("a frame with an index and a column too many", self.invoke("wide-frame", wide.set_index("id", drop=False)) == [3.0, 5.0])
        check("an array", self.invoke("array", np.array([[1.0], [2.0]])) == [3.0, 5.0])
        check("a list", self.invoke("list", [[1], [2]]) == [3.0, 5.0])
        check("parameters without a meaning here", self.invoke("parameters", frame, {"temperature": 0.5}) == [3.0, 5.0])
        missing = pd.DataFrame({"x": [1.0, math.nan]})
        check("a missing value is rejected", self.rejected("refused-missing", missing, 400, "BAD_REQUEST", "is missing"))
        other = pd.DataFrame({"y": [1.0]})
        check("a missing column is rejected", self.rejected("refused-column", other, 400, "INVALID_PARAMETER_VALUE"))
        text = pd.DataFrame({"x": ["one"]})
        check("a string is rejected", self.rejected("refused-string", text, 400, "BAD_REQUEST", "expected a number"))
        wanted = {"predict_method": "predict_proba"}
        check("probabilities of a regression are rejected", self.rejected("refused-output", frame, 400, "predict_proba", params=wanted))

    def people(self) -> None:
        expected = [183.0, 100.0]
        check("a frame of every type, with a missing value", self.invoke("people", PEOPLE) == expected)
        check("its columns in another order", self.invoke("people-reversed", PEOPLE[PEOPLE.columns[::-1]]) == expected)
        # The client cannot write a dictionary itself: it stumbles over its items.
        records = json.dumps({"dataframe_records": PEOPLE.to_dict(orient="records")})
        check("records", self.invoke("people-records", records) == expected)
        columns = json.dumps({"inputs": PEOPLE.drop(columns="income").assign(income=50).to_dict(orient="list")})
        check("columns", self.invoke("people-inputs", columns) == [223.5, 100.0])


def main() -> None:
    checks = Checks(*arguments())
    if "people" in checks.server():
        checks.people()
    else:
        checks.line()


if __name__ == "__main__":
    main()
