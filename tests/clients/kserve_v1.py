"""The client of KServe for protocol v1."""

import asyncio
import sys

from httpx import HTTPStatusError
from kserve import InferenceRESTClient, RESTConfig

base = sys.argv[1]


async def ask():
    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    assert await client.is_server_live(base)
    assert await client.is_model_ready(base, "line")
    answer = await client.infer(base, {"instances": [[1], [2]]}, model_name="line")
    assert answer == {"predictions": [3.0, 5.0]}, answer
    answer = await client.infer(base, {"instances": [[5.1, 3.5, 1.4, 0.2]]}, model_name="iris")
    assert answer == {"predictions": ["setosa"]}, answer
    answer = await client.explain(base, "line", {"instances": [[1], [2]]})
    assert [row["x"] for row in answer["explanations"]["contributions"]] == [-3.0, -1.0], answer
    try:
        await client.infer(base, {"instances": [["one"]]}, model_name="line")
    except HTTPStatusError as error:
        assert error.response.status_code == 400, error
        assert "expected a number" in str(error) + error.response.text, error
    else:
        raise AssertionError("text was accepted as a number")


asyncio.run(ask())
