"""The same rows through every protocol: encodes requests and decodes answers."""

import csv
import io
import json
import struct
from urllib.parse import quote

from model import Cell, Model
from ordinate import Server

DATATYPES = {"double": "FP64", "long": "FP64", "boolean": "BOOL", "string": "BYTES"}


def as_json(cell: Cell) -> str:
    if cell.kind == "missing":
        return "null"
    return json.dumps(cell.text, ensure_ascii=False) if cell.kind == "text" else cell.text


def listed(cells) -> str:
    return "[" + ",".join(as_json(cell) for cell in cells) + "]"


def as_object(names: list[str], cells: list[Cell]) -> str:
    return (
        "{"
        + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{as_json(cell)}" for name, cell in zip(names, cells))
        + "}"
    )


def as_csv(rows: list[list[Cell]], header: list[str] | None, quoting: int = csv.QUOTE_ALL) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n", quoting=quoting)
    writer.writerows([*([header] if header else []), *([cell.text for cell in row] for row in rows)])
    return file.getvalue()


class Protocol:
    """A protocol for requests of predictions."""

    name = "?"
    refusal = 422

    def __init__(self, model: Model, name: str):
        self.model, self.called = model, name
        self.names = [feature["name"] for feature in model.features]

    def ask(self, server: Server, rows: list[list[Cell]]) -> tuple[int, object]:
        raise NotImplementedError

    def json(
        self, server: Server, path: str, body: str, key: str, content: str = "application/json"
    ) -> tuple[int, object]:
        status, answer, _ = server.post(path, body.encode(), content_type=content)
        return status, json.loads(answer)[key] if status == 200 else answer.decode()


class JsonRows(Protocol):
    name = "JSON rows"

    def ask(self, server, rows):
        return self.json(server, "/predict", '{"X":[' + ",".join(map(listed, rows)) + "]}", "y")


class JsonObjects(Protocol):
    name = "JSON objects"

    def ask(self, server, rows):
        return self.json(
            server, "/predict", '{"X":[' + ",".join(as_object(self.names, row) for row in rows) + "]}", "y"
        )


class JsonColumns(Protocol):
    name = "JSON columns"

    def ask(self, server, rows):
        columns = ",".join(f"{json.dumps(name)}:{listed(cells)}" for name, cells in zip(self.names, zip(*rows)))
        return self.json(server, "/predict", '{"X":{' + columns + "}}", "y")


class Csv(Protocol):
    name = "CSV"

    def ask(self, server, rows):
        return self.json(server, "/predict", as_csv(rows, self.names), "y", "text/csv")


class KserveV1(Protocol):
    name, refusal = "KServe v1", 400

    def ask(self, server, rows):
        body = '{"instances":[' + ",".join(map(listed, rows)) + "]}"
        return self.json(server, f"/v1/models/{quote(self.called)}:predict", body, "predictions")


class TensorFlowColumns(Protocol):
    name, refusal = "TensorFlow inputs", 400

    def ask(self, server, rows):
        columns = ",".join(f"{json.dumps(name)}:{listed(cells)}" for name, cells in zip(self.names, zip(*rows)))
        return self.json(server, f"/v1/models/{quote(self.called)}:predict", '{"inputs":{' + columns + "}}", "outputs")


class MlflowSplit(Protocol):
    name, refusal = "MLflow dataframe_split", 400

    def ask(self, server, rows):
        body = f'{{"dataframe_split":{{"columns":{json.dumps(self.names)},"data":[{",".join(map(listed, rows))}]}}}}'
        return self.json(server, "/invocations", body, "predictions")


class MlflowRecords(Protocol):
    name, refusal = "MLflow dataframe_records", 400

    def ask(self, server, rows):
        body = '{"dataframe_records":[' + ",".join(as_object(self.names, row) for row in rows) + "]}"
        return self.json(server, "/invocations", body, "predictions")


class MlflowCsv(Protocol):
    name, refusal = "MLflow CSV", 400

    def ask(self, server, rows):
        # A category may have the name of a feature: then the first line alone does not show whether it is a header.
        body = as_csv(rows, self.names, csv.QUOTE_MINIMAL)
        return self.json(server, "/invocations", body, "predictions", "text/csv; header=present")


class SageMakerLines(Protocol):
    name, refusal = "SageMaker JSON lines", 400

    def ask(self, server, rows):
        body = "".join(f'{{"features":{listed(row)}}}\n' for row in rows)
        status, answer, _ = server.post(
            f"/endpoints/{quote(self.called)}/invocations", body.encode(), content_type="application/jsonlines"
        )
        if status != 200:
            return status, answer.decode()
        lines = [json.loads(line) for line in answer.decode().splitlines()]
        return status, [line["predicted_label" if self.model.classes else "score"] for line in lines]


class SageMakerCsv(Protocol):
    name, refusal = "SageMaker CSV", 400

    def ask(self, server, rows):
        path = f"/endpoints/{quote(self.called)}/invocations"
        status, answer = self.json(server, path, as_csv(rows, None), "predictions", "text/csv; header=absent")
        key = "predicted_label" if self.model.classes else "score"
        return status, [row[key] for row in answer] if status == 200 else answer


class OpenInference(Protocol):
    """One tensor per feature; with `binary` as bytes where bytes can represent it."""

    name, refusal, binary, outputs = "Open Inference JSON", 400, False, ["predict"]

    def ask(self, server, rows):
        status, answers = self.infer(server, rows)
        return status, answers["predict"] if status == 200 else answers

    def infer(self, server, rows):
        inputs, behind = [], b""
        for feature, cells in zip(self.model.features, zip(*rows)):
            datatype = DATATYPES[feature["type"]]
            if feature["type"] == "long" and all(map(is_int64, cells)):
                datatype = "INT64"
            tensor = {"name": feature["name"], "datatype": datatype, "shape": [len(cells)]}
            data = packed(datatype, cells) if self.binary else None
            if data is None:
                inputs.append(json.dumps(tensor)[:-1] + f',"data":{listed(cells)}}}')
            else:
                inputs.append(json.dumps(tensor | {"parameters": {"binary_data_size": len(data)}}))
                behind += data
        outputs = [{"name": name, "parameters": {"binary_data": self.binary}} for name in self.outputs]
        body = f'{{"inputs":[{",".join(inputs)}],"outputs":{json.dumps(outputs)}}}'.encode()
        headers = {"inference_header_content_length": str(len(body))} if behind else {}
        status, answer, got = server.post(f"/v2/models/{quote(self.called)}/infer", body + behind, **headers)
        if status != 200:
            return status, answer.decode()
        length = int(got.get("inference-header-content-length", len(answer)))
        document, rest = json.loads(answer[:length]), answer[length:]
        read = {}
        for output in document["outputs"]:
            size = output.get("parameters", {}).get("binary_data_size")
            read[output["name"]] = output["data"] if size is None else unpacked(output["datatype"], rest[:size])
            rest = rest[size or 0 :]
        return status, read


class OpenInferenceBinary(OpenInference):
    name, binary = "Open Inference binary", True


def packed(datatype: str, cells) -> bytes | None:
    """The bytes of a tensor, or None if bytes cannot represent it."""
    if datatype == "FP64":
        exact = all(cell.kind == "missing" or is_exact(cell.text) for cell in cells)
        return b"".join(struct.pack("<d", float(cell.text or "nan")) for cell in cells) if exact else None
    if any(cell.kind != {"INT64": "number", "BOOL": "boolean", "BYTES": "text"}[datatype] for cell in cells):
        return None
    if datatype == "INT64":
        return b"".join(
            struct.pack("<q", int(cell.text) if cell.text.lstrip("-").isdigit() else int(float(cell.text)))
            for cell in cells
        )
    if datatype == "BOOL":
        return bytes(cell.text == "true" for cell in cells)
    texts = [cell.text.encode() for cell in cells]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def is_int64(cell: Cell) -> bool:
    """Whether a tensor of integers can represent it: no value, digits, or `4.0`."""
    if cell.kind == "missing":
        return True
    if cell.text.lstrip("-").isdigit():
        return -(2**63) <= int(cell.text) < 2**63
    return float(cell.text).is_integer() and abs(float(cell.text)) <= 2**53


def is_exact(digits: str) -> bool:
    """Whether the double represents the digits: an integer must be equal, other digits are rounded."""
    return not digits.lstrip("-").isdigit() or int(digits) == float(digits)


def unpacked(datatype: str, data: bytes) -> list:
    if datatype == "BYTES":
        texts = []
        while data:
            [length] = struct.unpack_from("<I", data)
            texts.append(data[4 : 4 + length].decode())
            data = data[4 + length :]
        return texts
    code = {"FP64": "d", "INT64": "q", "BOOL": "?"}[datatype]
    return [value for [value] in struct.iter_unpack(f"<{code}", data)]


ALL = [
    JsonRows,
    JsonObjects,
    JsonColumns,
    Csv,
    OpenInference,
    OpenInferenceBinary,
    KserveV1,
    TensorFlowColumns,
    MlflowSplit,
    MlflowRecords,
    MlflowCsv,
    SageMakerLines,
    SageMakerCsv,
]
