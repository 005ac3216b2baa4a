"""The runtime of SageMaker with the resources and serializers of its Python SDK.

    sagemaker_core_client.py URL [--record DIRECTORY]

Needs sagemaker-core==2.27.0, and a server at URL that serves the bundled models: `ordinate serve`. Prints one line per
check. With --record it writes the requests, head and body, to DIRECTORY/sagemaker-core/*.http; `cargo test --test service`
sends those in tests/wire.
"""

import os
from pathlib import Path

import boto3
import numpy as np
from botocore.exceptions import ClientError
from recorder import Recorder, arguments
from sagemaker.core.deserializers import CSVDeserializer, JSONDeserializer, JSONLinesDeserializer, NumpyDeserializer
from sagemaker.core.resources import Endpoint
from sagemaker.core.serializers import CSVSerializer, JSONLinesSerializer, JSONSerializer, NumpySerializer

FLOWERS = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]])
LABELS = ["setosa", "virginica"]


def check(what: str, holds) -> None:
    assert holds, what
    print("ok sagemaker-core:", what)


class Checks:
    def __init__(self, url: str, record: Path | None) -> None:
        self.recorder = Recorder(url, record and record / "sagemaker-core")
        os.environ["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] = f"http://127.0.0.1:{self.recorder.port}"
        self.session = boto3.Session("none", "none", region_name="eu-central-1")

    def invoke(self, name: str, endpoint: str, data, serializer, deserializer, **options):
        """The deserialized answer; the request is recorded under this name."""
        self.recorder.name = name
        resource = Endpoint(endpoint_name=endpoint, serializer=serializer, deserializer=deserializer)
        options = {"content_type": serializer.CONTENT_TYPE, "accept": ", ".join(deserializer.ACCEPT)} | options
        options = {key: value for key, value in options.items() if value is not None}
        return resource.invoke(data, session=self.session, region="eu-central-1", **options).body

    def rejected(self, name: str, endpoint: str, data, serializer, *expected: str) -> bool:
        try:
            self.invoke(name, endpoint, data, serializer, JSONDeserializer())
        except ClientError as error:
            message = error.response["Error"]["Message"]
            print(f"   {message}")
            return all(part in message for part in expected) and "dataframe" not in message
        return False

    def rows(self) -> None:
        scores = {"predictions": [{"score": 3.0}, {"score": 5.0}]}
        to_json, from_json = JSONSerializer(), JSONDeserializer()
        column = np.array([[1.0], [2.0]])
        check("JSONSerializer of an array", self.invoke("json-array", "line", column, to_json, from_json) == scores)
        check("of a list", self.invoke("json-list", "line", [[1], [2]], to_json, from_json) == scores)
        check("of a vector", self.invoke("json-vector", "line", [1, 2], to_json, from_json) == scores)
        long = {"instances": [{"data": {"features": {"values": [1]}}}, {"data": {"features": {"values": [2]}}}]}
        check("of the long form", self.invoke("json-long", "line", long, to_json, from_json) == scores)
        one = {"data": {"features": {"values": FLOWERS[0].tolist()}}}
        (row,) = self.invoke("json-long-row", "iris", one, to_json, from_json)["predictions"]
        check("of one row in the long form", row["predicted_label"] == "setosa")
        (row,) = self.invoke("json-row", "iris", FLOWERS[0], to_json, from_json)["predictions"]
        check("of one row", row["predicted_label"] == "setosa")
        unnamed = {"content_type": None, "accept": None}
        check("without a content type", self.invoke("json-untyped", "line", [[1], [2]], to_json, from_json, **unnamed) == scores)

        rows = self.invoke("csv", "iris", FLOWERS, CSVSerializer(), CSVDeserializer())
        check("CSVSerializer", [row[-1] for row in rows] == LABELS and len(rows[0]) == 4)
        lines = [{"features": row} for row in FLOWERS.tolist()]
        rows = self.invoke("json-lines", "iris", lines, JSONLinesSerializer(), JSONLinesDeserializer())
        check("JSONLinesSerializer", [row["predicted_label"] for row in rows] == LABELS)

    def arrays(self) -> None:
        to_npy, from_npy = NumpySerializer(), NumpyDeserializer()
        invoke = lambda name, data, model="line", serializer=to_npy, **options: self.invoke(
            name, model, data, serializer, from_npy, **options
        )
        expected = [3.0, 5.0]
        for kind in ("<f8", ">f8", "<f4", "<f2", "<i8", ">i4", "|i1", "|u1", "<u2"):
            answer = invoke("npy" if kind == "<f8" else f"npy-{np.dtype(kind).name}", np.array([[1], [2]], dtype=kind))
            check(f"NumpySerializer, {kind}", answer.tolist() == expected and answer.dtype == np.float64)
        check("a vector", invoke("npy-vector", np.array([1.0, 2.0])).tolist() == expected)
        check("a list", invoke("npy-list", [[1], [2]], serializer=NumpySerializer(dtype="float32")).tolist() == expected)
        wide = np.asfortranarray(FLOWERS)
        answers = [invoke("npy-rows", FLOWERS, "iris"), invoke("npy-fortran", wide, "iris")]
        check("rows in either order", all(answer.tolist() == LABELS for answer in answers))
        check("one row", invoke("npy-row", FLOWERS[0], "iris").tolist() == LABELS[:1])
        answer = self.invoke("npy-for-json", "line", [[1], [2]], to_npy, JSONDeserializer())
        check("an array, answered in JSON", answer == {"predictions": [{"score": 3.0}, {"score": 5.0}]})
        answer = self.invoke("json-for-npy", "iris", FLOWERS, JSONSerializer(), from_npy)
        check("JSON, answered with an array", answer.tolist() == LABELS)

    def errors(self) -> None:
        rejected = self.rejected
        check("a wrong key", rejected("refused-key", "line", {"rows": [[1]]}, JSONSerializer(), '"instances"'))
        check("a wide row", rejected("refused-width", "line", [[1, 2]], JSONSerializer(), "expected 1 value (x), got 2"))
        text = np.array([["one"]])
        check("an array of text", rejected("refused-text", "line", text, NumpySerializer(), 'got the string "one"'))
        objects = np.array([[1.0]], dtype=object)
        check("an array of objects", rejected("refused-objects", "line", objects, NumpySerializer(), "not supported", "astype"))


def main() -> None:
    checks = Checks(*arguments())
    checks.rows()
    checks.arrays()
    checks.errors()


if __name__ == "__main__":
    main()
