"""The official Python SDK of the Model Context Protocol."""

import asyncio
import sys

from mcp import Client

url = sys.argv[1] + "/mcp"
flower = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


async def ask():
    # `auto` first tries a newer version, which the server rejects; the client then negotiates the version.
    for mode in ("legacy", "auto"):
        async with Client(url, mode=mode) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert list(tools) == ["predict_line", "predict_diabetes", "predict_iris", "predict_breast-cancer"], tools
            # The client validates structured content against the output schema.
            answer = await client.call_tool("predict_line", {"rows": [{"x": 1}, {"x": 2}], "explain": True})
            assert not answer.is_error and answer.structured_content["y"] == [3.0, 5.0], answer
            assert answer.content[0].text.startswith("row 0: y = 3, 95 % prediction interval"), answer
            answer = await client.call_tool(
                "predict_iris", {"rows": [flower | {"petal_width": 9}], "probabilities": True, "explain": True}
            )
            assert answer.structured_content["y"] == ["virginica"], answer
            assert "warning: petal_width = 9 is outside the training range" in answer.content[0].text, answer
            wrong = await client.call_tool("predict_iris", {"rows": [flower | {"petal_width": "wide"}]})
            assert wrong.is_error and "expected a number" in wrong.content[0].text, wrong


asyncio.run(ask())
