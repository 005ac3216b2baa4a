import asyncio
import sys

from mcp import Client

base = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:9000"
flower = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


async def ask():
    async with Client(f"{base}/mcp") as client:
        answer = await client.call_tool("predict_iris", {"rows": [flower]})
        print(answer.content[0].text, answer.structured_content["y"])


asyncio.run(ask())
