"""The binary under test: training, prediction from the command line, and a running server."""

import http.client
import os
import re
import subprocess
from pathlib import Path


class Panic(Exception):
    """The program crashed, or did not report the error in one message."""


def run(binary: str, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MODEL_", "DEFAULT_MODEL", "BASE_PATH"))
    }
    done = subprocess.run(
        [binary, *arguments], capture_output=True, input=text, encoding="utf-8", env=environment, timeout=120
    )
    if done.returncode not in (0, 1, 2) or "panicked" in done.stderr:
        raise Panic(f"exit code {done.returncode}: {done.stderr.strip()[:300]}")
    if done.returncode and not re.match(r"^(error|ordinate)?\b.+", done.stderr.strip()):
        raise Panic(f"exit code {done.returncode} without a message")
    return done


class Server:
    """`ordinate serve` with one model, on a free port."""

    def __init__(self, binary: str, model: Path):
        environment = dict(os.environ, MODEL_URI=f"file://{model}")
        self.process = subprocess.Popen(
            [binary, "serve", "--port", "0"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stderr.readline()
        found = re.search(r"http://([^:/\s]+):(\d+)", line)
        if not found:
            self.process.kill()
            raise Panic(f"the server did not start: {line.strip()}")
        self.address = (found[1], int(found[2]))
        self.connection = http.client.HTTPConnection(*self.address, timeout=30)

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request("POST", path, body, named)
        response = self.connection.getresponse()
        return response.status, response.read(), response.headers

    def close(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stderr.close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_) -> None:
        self.close()
