"""Open Inference Protocol v2 with its clients: tritonclient, blocking and asynchronous, and kserve.

    open_inference.py URL [--record DIRECTORY]

Needs tritonclient[http]==2.73.0 and kserve==0.21.0, and a server at URL: `ordinate serve` for the bundled models, or the same
with MODEL_URI=file://$PWD/tests/clients/typed.json for a model with features of several types. Prints one line per
check. With --record it writes the requests, head and body, to DIRECTORY/{tritonclient,tritonclient-aio,kserve}/*.http;
`cargo test --test service` sends those in tests/wire.
"""

import asyncio
from pathlib import Path

import numpy as np
from kserve import InferenceRESTClient, InferInput as KserveInput, InferRequest, RESTConfig
from recorder import Recorder, arguments
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.http.aio import InferenceServerClient as AsynchronousClient
from tritonclient.utils import InferenceServerException

NUMPY = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}
ROWS = [[50.5, 2, False, "north"], [62.0, 3, True, "south"], [44.0, 1, False, "west"]]


def check(what: str, holds) -> None:
    assert holds, what
    print("ok", what)


def tensor(name: str, values, datatype: str = "FP64", binary: bool = True) -> InferInput:
    array = np.array(values, dtype=NUMPY[datatype])
    return InferInput(name, list(array.shape), datatype).set_data_from_numpy(array, binary_data=binary)


def plain(array: np.ndarray) -> np.ndarray:
    """Strings are bytes in binary outputs and text in JSON."""
    return np.vectorize(lambda value: value.decode() if isinstance(value, bytes) else value)(array)


class Checks:
    def __init__(self, url: str, record: Path | None) -> None:
        self.recorders = {
            client: Recorder(url, record and record / client)
            for client in ("tritonclient", "tritonclient-aio", "kserve")
        }
        self.triton = InferenceServerClient(f"127.0.0.1:{self.recorders['tritonclient'].port}")

    def keep(self, client: str, name: str) -> None:
        """The next request of this client is recorded under this name."""
        self.recorders[client].name = name

    def rejected(self, what: str, status: str, mentions: str, call) -> None:
        try:
            call()
        except InferenceServerException as error:
            check(f"{what}: {error}", error.status() == status and mentions in error.message())
        else:
            raise AssertionError(f"{what} was not rejected")

    def six_modes(self, what: str, model: str, inputs, output: str, expected) -> None:
        """Inputs as JSON or bytes; the output as JSON, as bytes, or as it comes when none is asked for."""
        answers = []
        for given in ("json", "binary"):
            for wanted in ("json", "binary", "default"):
                if wanted == "default" and output != "predict":
                    continue
                outputs = None if wanted == "default" else [InferRequestedOutput(output, binary_data=wanted == "binary")]
                self.keep("tritonclient", f"{what}-{given}-in-{wanted}-out")
                result = self.triton.infer(model, inputs(given == "binary"), outputs=outputs, request_id="42")
                check(f"{what}: {given} in, {wanted} out", result.get_response()["id"] == "42")
                answers.append(plain(result.as_numpy(output)))
        check(f"{what}: all modes agree", all((answer == answers[0]).all() for answer in answers))
        check(f"{what}: as expected", expected(answers[0]))

    def server(self) -> list[str]:
        triton = self.triton
        check("live and ready", triton.is_server_live() and triton.is_server_ready())
        metadata = triton.get_server_metadata()
        check(f"metadata: {metadata}", metadata["name"] == "ordinate" and "binary_tensor_data" in metadata["extensions"])
        self.keep("tritonclient", "repository-index")
        index = triton.get_model_repository_index()
        check("repository index", all(model["state"] == "READY" for model in index))
        for model in index:
            name = model["name"]
            check(f"{name} is ready", triton.is_model_ready(name) and triton.is_model_ready(name, model["version"]))
            described = triton.get_model_metadata(name)
            check(f"{name} has outputs", described["outputs"][0]["name"] == "predict")
            check(f"{name} has a configuration", triton.get_model_config(name)["max_batch_size"] == 0)
        check("an unknown model is not ready", not triton.is_model_ready("none"))
        self.rejected("load", "400", "cannot load or unload", lambda: triton.load_model(index[0]["name"]))
        self.rejected("unload", "400", "cannot load or unload", lambda: triton.unload_model(index[0]["name"]))
        return [model["name"] for model in index]

    def gallery(self) -> None:
        triton = self.triton
        line = lambda binary: [tensor("X", [[1], [2]], binary=binary)]
        self.six_modes("line", "line", line, "predict", lambda y: y.tolist() == [[3.0], [5.0]])
        flower = lambda binary: [tensor("X", [[5.1, 3.5, 1.4, 0.2]], binary=binary)]
        self.six_modes("iris", "iris", flower, "predict", lambda y: y.tolist() == [["setosa"]])
        self.six_modes("iris-probabilities", "iris", flower, "predict_proba", lambda p: abs(p.sum() - 1) < 1e-12)

        petals = tensor("X", [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]])
        for binary in (True, False):
            asked = [InferRequestedOutput(name, binary_data=binary) for name in ("predict", "interval", "mean_interval")]
            sure = triton.infer("line", line(binary), outputs=asked, parameters={"interval": 0.9})
            y, (low, high) = sure.as_numpy("predict")[:, 0], sure.as_numpy("interval").T
            least, most = sure.as_numpy("mean_interval").T
            check(f"intervals, binary {binary}", all((low <= least) & (least <= y) & (y <= most) & (most <= high)))
            check("at their level", sure.get_output("interval")["parameters"]["level"] == 0.9)
            asked = [InferRequestedOutput("prediction_sets", binary_data=binary)]
            sets = triton.infer("iris", [petals], outputs=asked, parameters={"interval": 0.9}).as_numpy("prediction_sets")
            check(f"prediction sets, binary {binary}", sets.dtype == bool and sets.shape == (2, 3) and sets.any(axis=1).all())
        for binary in (True, False):
            self.keep("tritonclient", f"iris-classes-{'binary' if binary else 'json'}-out")
            asked = [InferRequestedOutput("predict_proba", binary_data=binary, class_count=2)]
            ranked = plain(triton.infer("iris", [petals], outputs=asked).as_numpy("predict_proba"))
            best = [row[0].split(":") for row in ranked]
            check(f"class_count, binary {binary}: {best}", [(i, label) for _, i, label in best] == [("0", "setosa"), ("2", "virginica")])
            check("the most probable first", ranked.shape == (2, 2) and float(best[0][0]) > 0.5)
        self.rejected(
            "class_count of labels", "400", "predict_proba",
            lambda: triton.infer("iris", [petals], outputs=[InferRequestedOutput("predict", class_count=2)]),
        )
        rows = [tensor("X", [[5.1, 3.5, 1.4, 0.2]])]
        because = triton.infer("iris", rows, outputs=[InferRequestedOutput("explain"), InferRequestedOutput("explain_base")])
        check("reasons a class", because.as_numpy("explain").shape == (1, 3, 4) and because.as_numpy("explain_base").shape == (1, 3))

        many = np.arange(10_000.0).reshape(-1, 1)
        for binary in (True, False):
            answer = triton.infer("line", [tensor("X", many, binary=binary)]).as_numpy("predict")
            check(f"10,000 rows, binary {binary}", (answer == 2 * many + 1).all())
        for algorithm in ("gzip", "deflate"):
            answer = triton.infer("line", [tensor("X", many)], response_compression_algorithm=algorithm)
            check(f"an answer that may be {algorithm}", (answer.as_numpy("predict") == 2 * many + 1).all())
        self.keep("tritonclient", "line-gzip")
        answer = triton.infer("line", line(True), request_compression_algorithm="gzip")
        check("a request in gzip", answer.as_numpy("predict").tolist() == [[3.0], [5.0]])
        integers = triton.infer("line", [tensor("x", [1, 2], "INT64")], model_version="1").as_numpy("predict")
        check("integers, by name and version", integers.tolist() == [[3.0], [5.0]])

        infer = lambda *inputs, model="line", **more: lambda: triton.infer(model, list(inputs), **more)
        self.rejected("an unknown model", "404", "no model", infer(*line(True), model="none"))
        self.rejected("an unknown version", "404", "no version", infer(*line(True), model_version="7"))
        self.rejected("an unknown output", "400", "no output", infer(*line(True), outputs=[InferRequestedOutput("z")]))
        self.rejected("an unknown input", "400", "not a feature", infer(tensor("a", [1]), tensor("x", [1])))
        self.rejected("too few columns", "400", "10 values", infer(tensor("X", [[1, 2]]), model="diabetes"))
        self.rejected("a missing value", "400", "missing", infer(tensor("X", [[float("nan")]])))
        self.rejected("text for a number", "400", "a number", infer(tensor("X", [["one"]], "BYTES")))
        self.rejected("too large an integer", "400", "exactly", infer(tensor("X", [[2**53 + 1]], "INT64")))

        before = triton.get_inference_statistics("line")["model_stats"][0]
        triton.infer("line", line(True))
        after = triton.get_inference_statistics("line")["model_stats"][0]
        check("statistics count requests", after["execution_count"] == before["execution_count"] + 1)
        check("statistics count rows", after["inference_count"] == before["inference_count"] + 2)
        check("statistics know failures", after["inference_stats"]["fail"]["count"] > 0)
        check("statistics of all models", len(triton.get_inference_statistics()["model_stats"]) > 1)

    def typed(self) -> None:
        inputs = self.triton.get_model_metadata("typed")["inputs"]
        check("a tensor a feature", [i["datatype"] for i in inputs] == ["FP64", "FP64", "BOOL", "BYTES"])
        columns = list(zip(*ROWS))
        build = lambda binary: [
            tensor(described["name"], [[value] for value in column], described["datatype"], binary)
            for described, column in zip(inputs, columns)
        ]
        self.six_modes("typed", "typed", build, "predict", lambda y: y.shape == (3, 1) and (abs(y) < 1000).all())

    async def asynchronous(self) -> None:
        """It says that it takes gzip with everything it asks, and unpacks none but predictions."""
        async with AsynchronousClient(f"127.0.0.1:{self.recorders['tritonclient-aio'].port}") as triton:
            check("asynchronous: live and ready", await triton.is_server_live() and await triton.is_server_ready())
            asked = {
                "server-metadata": (triton.get_server_metadata, (), lambda it: it["name"] == "ordinate"),
                "model-metadata": (triton.get_model_metadata, ("line",), lambda it: it["name"] == "line"),
                "model-config": (triton.get_model_config, ("line",), lambda it: it["max_batch_size"] == 0),
                "statistics": (triton.get_inference_statistics, ("line",), lambda it: it["model_stats"]),
                "repository-index": (triton.get_model_repository_index, (), lambda it: it[0]["name"] == "line"),
            }
            for name, (ask, arguments, expected) in asked.items():
                self.keep("tritonclient-aio", name)
                check(f"asynchronous: {name}", expected(await ask(*arguments)))
            for given in ("json", "binary"):
                for wanted in ("json", "binary"):
                    self.keep("tritonclient-aio", f"line-{given}-in-{wanted}-out")
                    outputs = [InferRequestedOutput("predict", binary_data=wanted == "binary")]
                    answer = await triton.infer("line", [tensor("X", [[1], [2]], binary=given == "binary")], outputs=outputs)
                    check(f"asynchronous: {given} in, {wanted} out", answer.as_numpy("predict").tolist() == [[3.0], [5.0]])
            many = np.arange(10_000.0).reshape(-1, 1)
            answer = await triton.infer("line", [tensor("X", many)])
            check("asynchronous: 10,000 rows", (answer.as_numpy("predict") == 2 * many + 1).all())
            try:
                await triton.get_model_metadata("none")
            except InferenceServerException as error:
                check(f"asynchronous: {error}", error.status() == "404" and "no model" in error.message())
            else:
                raise AssertionError("asynchronous: an unknown model has metadata")

    async def kserve(self, models: list[str]) -> None:
        client = InferenceRESTClient(RESTConfig(protocol="v2"))
        base = f"http://127.0.0.1:{self.recorders['kserve'].port}"
        check("kserve: ready", await client.is_server_ready(base) and await client.is_server_live(base))
        check("kserve: model ready", await client.is_model_ready(base, models[0]))
        if "line" in models:
            cases = {"line": ("line", [("X", np.array([[1.0], [2.0]]), "FP64")])}
        else:
            dtypes = [("area", "FP64"), ("rooms", "INT64"), ("garden", "BOOL"), ("district", "BYTES")]
            columns = zip(dtypes, zip(*ROWS))
            cases = {"typed": ("typed", [(n, np.array(c, dtype=NUMPY[d]), d) for (n, d), c in columns])}
        for what, (model, columns) in cases.items():
            for given in ("json", "binary"):
                for wanted in ("json", "binary"):
                    inputs = []
                    for name, array, datatype in columns:
                        inputs.append(KserveInput(name, list(array.shape), datatype))
                        inputs[-1].set_data_from_numpy(array, binary_data=given == "binary")
                    request = InferRequest(model, inputs, "42", parameters={"binary_data_output": wanted == "binary"})
                    self.keep("kserve", f"{what}-{given}-in-{wanted}-out")
                    answer = await client.infer(base, request, model_name=model)
                    rows = answer.outputs[0].as_numpy()
                    check(f"kserve: {what}, {given} in, {wanted} out", answer.id == "42" and len(rows) == len(array))
        await client.close()


def main() -> None:
    checks = Checks(*arguments())
    models = checks.server()
    if "typed" in models:
        checks.typed()
    else:
        checks.gallery()
        asyncio.run(checks.asynchronous())
    asyncio.run(checks.kserve(models))


if __name__ == "__main__":
    main()
