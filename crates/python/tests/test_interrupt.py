"""Ctrl-C ends training, predictions and loading with KeyboardInterrupt."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

PREDICT = """
import time
import numpy as np
import ordinate

model = ordinate.load("diabetes")
row, rows, duration = np.array([list(model.example().values())]), 50_000, 0.0
# Until one call takes seconds, in a debug build, too.
while duration < 3.0:
    rows = int(rows * min(10.0, max(1.5, 3.5 / max(duration, 1e-3))))
    X = np.tile(row, (rows, 1))
    started = time.monotonic()
    model.predict_interval(X)
    duration = time.monotonic() - started
print("ready", duration, flush=True)
model.predict_interval(X)
print("not interrupted", flush=True)
"""


def interrupted(code, *arguments, after=0.5, environment=None):
    """Runs code, sends Ctrl-C some time after it printed a line, and returns that line and how long it took to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        ready = process.stdout.readline()
        time.sleep(after)
        sent = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert ready.startswith("ready"), errors
    assert errors.rstrip().endswith("KeyboardInterrupt") and "not interrupted" not in rest, errors
    return ready, time.monotonic() - sent


def test_predictions_are_interrupted():
    ready, took = interrupted(PREDICT, after=0.2)
    assert took < 0.5 * float(ready.split()[1])


def test_training_is_interrupted_with_its_process(tmp_path):
    rows = tmp_path / "rows.csv"
    # Read for seconds by an optimized build, too.
    block = "".join(f"{i % 97},{i % 89}\n" for i in range(100_000))
    with open(rows, "w", encoding="utf-8") as file:
        file.write("x,y\n")
        for _ in range(500):
            file.write(block)
    code = "import ordinate, sys; print('ready', flush=True); ordinate.train(sys.argv[1], target='y')"
    interrupted(code, rows)
    deadline = time.monotonic() + 10.0
    while any(str(rows).encode() in command for command in commands()):
        assert time.monotonic() < deadline, "the training goes on"
        time.sleep(0.05)


def commands():
    """The command lines of all processes."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield (process / "cmdline").read_bytes()


def test_loading_is_interrupted():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = {
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_REGION": "eu-central-1",
        }
        code = "import ordinate; print('ready', flush=True); ordinate.load('s3://bucket/key.json')"
        _, took = interrupted(code, environment=settings)
    assert took < 1.0
