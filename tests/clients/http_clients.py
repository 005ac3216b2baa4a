"""The HTTP clients of Python: requests, httpx and aiohttp, with JSON, CSV, strings, compression and errors.

    http_clients.py URL

Needs requests==2.34.2, httpx==0.28.1, aiohttp==3.14.5, and a server at URL that serves the bundled models.
"""

import asyncio
import gzip
import json
import sys

import aiohttp
import httpx
import requests

BASE = sys.argv[1]
FLOWER = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
BODY = {"X": [FLOWER], "probabilities": True}
CSV = ",".join(FLOWER) + "\n" + ",".join(map(str, FLOWER.values())) + "\n"
PATH = "/models/iris/predict"

# What each client is asked to send: the path, the arguments of `post`, and the expected status.
CALLS = {
    "json": (PATH, {"json": BODY}, 200),
    "a string": (PATH, {"data": json.dumps(BODY)}, 200),
    "a string that is text": (PATH, {"data": json.dumps(BODY), "headers": {"content-type": "text/plain"}}, 200),
    "CSV": (PATH, {"data": CSV.encode(), "headers": {"content-type": "text/csv"}}, 200),
    "gzip": (PATH, {"data": gzip.compress(json.dumps(BODY).encode()), "headers": {"content-encoding": "gzip"}}, 200),
    "parameters of the URL": (PATH, {"json": {"X": [FLOWER]}, "params": {"interval": "0.9", "explain": "true"}}, 200),
    "a value that does not fit": (PATH, {"json": {"X": [FLOWER | {"petal_width": "wide"}]}}, 422),
    "a parameter that does not exist": (PATH, {"json": BODY, "params": {"explian": "true"}}, 422),
    "an unknown model": ("/models/irish/predict", {"json": BODY}, 404),
}


def check(client: str, what: str, status: int, content_type: str, body) -> None:
    expected = CALLS[what][2]
    assert status == expected, (client, what, status, body)
    if expected == 200:
        assert content_type == "application/json" and body["y"] == ["setosa"], (client, what, body)
    else:
        assert content_type == "application/problem+json" and body["status"] == status, (client, what, body)
        described = requests.get(BASE + body["type"].split("#")[0])
        assert described.ok and f'id="{body["type"].split("#")[1]}"' in described.text, body["type"]
    print(f"ok {client}: {what}")


def blocking() -> None:
    with requests.Session() as session:
        for what, (path, arguments, _) in CALLS.items():
            answer = session.post(BASE + path, timeout=10, **arguments)
            check("requests", what, answer.status_code, answer.headers["content-type"], answer.json())
        assert session.get(BASE).json() == {"status": "alive"}
        assert session.get(f"{BASE}/models").json()["models"][0]["name"] == "line"
    with httpx.Client(base_url=BASE) as client:
        for what, (path, arguments, _) in CALLS.items():
            # The name of a body that is not a form.
            arguments = {"content" if key == "data" else key: value for key, value in arguments.items()}
            answer = client.post(path, **arguments)
            check("httpx", what, answer.status_code, answer.headers["content-type"], answer.json())


async def asynchronous() -> None:
    async with httpx.AsyncClient(base_url=BASE) as client:
        answers = await asyncio.gather(*(client.post("/predict", json={"X": [x]}) for x in range(20)))
        assert [answer.json()["y"] for answer in answers] == [[2.0 * x + 1] for x in range(20)]
    print("ok httpx: 20 requests at once")
    async with aiohttp.ClientSession() as session:
        for what, (path, arguments, _) in CALLS.items():
            async with session.post(BASE + path, **arguments) as answer:
                check("aiohttp", what, answer.status, answer.content_type, await answer.json(content_type=None))

        async def line(x: int) -> list[float]:
            async with session.post(f"{BASE}/predict", json={"X": [x]}) as answer:
                return (await answer.json())["y"]

        assert await asyncio.gather(*map(line, range(20))) == [[2.0 * x + 1] for x in range(20)]
    print("ok aiohttp: 20 requests at once")


blocking()
asyncio.run(asynchronous())
