"""The runtime of SageMaker, with boto3.

    sagemaker_client.py URL [--record DIRECTORY]

Needs boto3==1.44.5, and a server at URL that serves the bundled models: `ordinate serve`. Prints one line per check.
With --record it writes the requests, head and body, to DIRECTORY/boto3/*.http; `cargo test --test service` sends those in
tests/wire.
"""

import json
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from recorder import Recorder, arguments

FLOWERS = "5.1,3.5,1.4,0.2\n6.3,3.3,6.0,2.5\n"
TUMOUR = Path(__file__).parents[2].joinpath("model/breast-cancer.csv").read_text().splitlines()[1].rsplit(",", 1)


def check(what: str, holds) -> None:
    assert holds, what
    print("ok boto3:", what)


class Checks:
    def __init__(self, url: str, record: Path | None) -> None:
        self.recorder = Recorder(url, record and record / "boto3")
        self.runtime = boto3.client(
            "sagemaker-runtime",
            endpoint_url=f"http://127.0.0.1:{self.recorder.port}",
            region_name="eu-central-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def invoke(self, name: str, endpoint: str, body, content_type: str, **options) -> tuple[str, str]:
        """Type and text of the answer; the request is recorded under this name."""
        self.recorder.name = name
        answer = self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type, **options)
        return answer["ContentType"], answer["Body"].read().decode()

    def rejected(self, name: str, endpoint: str, body, content_type: str, status: int, expected: str) -> bool:
        try:
            self.invoke(name, endpoint, body, content_type)
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            got = error.response["ResponseMetadata"]["HTTPStatusCode"]
            # Named, so that callers can catch it: `except runtime.exceptions.ValidationError`.
            named = isinstance(error, self.runtime.exceptions.ValidationError)
            return (got, code) == (status, "ValidationError") and expected in message and named
        return False

    def regression(self) -> None:
        expected = ("application/json", '{"predictions":[{"score":3.0},{"score":5.0}]}')
        check("CSV", self.invoke("csv", "line", "1\n2\n", "text/csv") == expected)
        rows = json.dumps({"instances": [{"features": [1]}, {"features": [2]}]})
        check("JSON", self.invoke("json", "line", rows, "application/json") == expected)
        lines = b'{"features": [1]}\n{"features": [2]}\n'
        expected_lines = ("application/jsonlines", '{"score":3.0}\n{"score":5.0}\n')
        check("JSON Lines", self.invoke("jsonlines", "line", lines, "application/jsonlines") == expected_lines)
        answer = self.invoke("csv-for-csv", "line", "1\n2\n", "text/csv", Accept="text/csv")
        check("CSV for CSV", answer == ("text/csv", "3.0\n5.0\n"))
        options = {"TargetVariant": "blue", "InferenceId": "7", "CustomAttributes": "trace=1"}
        check("options without meaning here", self.invoke("options", "line", "1\n2\n", "text/csv", **options) == expected)

    def classification(self) -> None:
        _, text = self.invoke("two-classes", "breast-cancer", TUMOUR[0], "text/csv")
        (row,) = json.loads(text)["predictions"]
        check("two classes", row["predicted_label"] == TUMOUR[1] and 0 <= row["score"] <= 1)
        _, text = self.invoke("three-classes", "iris", FLOWERS, "text/csv", Accept="application/jsonlines")
        rows = [json.loads(line) for line in text.splitlines()]
        labels = [row["predicted_label"] for row in rows]
        sums = [sum(row["score"]) for row in rows]
        check("three classes", labels == ["setosa", "virginica"] and all(abs(total - 1) < 1e-12 for total in sums))

    def refusals(self) -> None:
        csv = "text/csv"
        check("an unknown endpoint is rejected", self.rejected("refused-endpoint", "none", "1", csv, 400, '"none"'))
        check("a word is rejected", self.rejected("refused-word", "line", "one", csv, 400, "expected a number"))
        check("a wide row is rejected", self.rejected("refused-width", "line", "1,2", csv, 400, "expected 1 value"))
        recordio = "application/x-recordio-protobuf"
        check("RecordIO is rejected", self.rejected("refused-type", "line", b"\0", recordio, 415, "is not supported"))


def main() -> None:
    checks = Checks(*arguments())
    checks.regression()
    checks.classification()
    checks.refusals()


if __name__ == "__main__":
    main()
