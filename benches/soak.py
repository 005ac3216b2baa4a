"""Mixed load for minutes: valid, hostile and slow requests while new versions of the model are released.

`make soak` builds the command line and the function, and runs this program against both, each for half of MINUTES: the
command line as `ordinate serve`. The function talks to a Runtime API of this program, with 8 invocations in flight, as
on Lambda Managed Instances. Every prediction is the version of the model that has computed it, so that an answer that
mixes two versions would be found. The program fails if a valid request fails, if an invalid one is not an error of the
caller, or if the memory of the process grows after the warm-up, the first half.
"""

import base64
import http.server
import json
import os
import queue
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

# Commands run in other folders.
ORDINATE, FUNCTION = map(os.path.abspath, sys.argv[1:3])
MINUTES = float(sys.argv[3])
CALLERS = 8
# Between two requests of a caller, so that the machine is not saturated.
PAUSE = 0.005
# Between two releases.
RELEASE = 2
SETTINGS = {
    "MODEL_REFRESH_SECONDS": "1",
    "MODEL_CACHE_BYTES": "100000",
    "LOG_REQUESTS": "none",
    "DEFAULT_MODEL": "price",
}


class Catalog:
    """A folder whose model `price` gets a new version every few seconds: y = version · x."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        self.released = 0
        self.stopped = threading.Event()
        self.release()
        self.thread = threading.Thread(target=self.keep_releasing, daemon=True)

    def release(self):
        version = self.released + 1
        with open(f"{self.folder}/data.csv", "w") as file:
            file.write("x,y\n" + "".join(f"{x},{version * x}\n" for x in range(1, 21)))
        for command in [
            "train data.csv --target y --name price --no-intercept --test-fraction 0 --out price.json",
            "publish price.json models/ --alias live",
        ]:
            done = subprocess.run([ORDINATE, *command.split()], cwd=self.folder, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        self.released = version

    def keep_releasing(self):
        while not self.stopped.wait(RELEASE):
            self.release()


class Results:
    """What the callers saw."""

    def __init__(self):
        self.lock = threading.Lock()
        self.times, self.kinds, self.failures, self.versions = [], {}, [], set()

    def add(self, kind, seconds, failure, version=None):
        with self.lock:
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            if kind == "one row":
                self.times.append(seconds)
            if version:
                self.versions.add(version)
            if failure:
                self.failures.append(f"{kind}: {failure}")

    def percentile(self, percent):
        return sorted(self.times)[int(len(self.times) * percent / 100)] * 1e3


def rows(count):
    return json.dumps({"X": [[1]] * count}).encode()


# Weight, kind, path, content type, body.
VALID = [
    (60, "one row", "/predict", "application/json", rows(1)),
    (5, "1,000 rows", "/predict", "application/json", rows(1_000)),
    (1, "20,000 rows", "/models/price@live/predict", "application/json", rows(20_000)),
    (5, "CSV", "/predict", "text/csv", b"x\n1\n1\n"),
    (5, "explanation", "/predict", "application/json", b'{"X":[[1],[1]],"explain":true}'),
]
INVALID = [
    (3, "not JSON", "/predict", "application/json", b'{"X":[[1'),
    (3, "wrong value", "/predict", "application/json", b'{"X":[["a"]]}'),
    (2, "wrong width", "/predict", "application/json", b'{"X":[[1,2]]}'),
    (2, "unknown model", "/models/prize/predict", "application/json", rows(1)),
    (2, "unknown version", "/models/price@999999/predict", "application/json", rows(1)),
    (2, "unknown route", "/../../etc/passwd", "application/json", rows(1)),
    (2, "deep JSON", "/predict", "application/json", b"[" * 100_000),
    (2, "not UTF-8", "/predict", "application/json", b'{"X":"\xff\xfe"}'),
    (1, "unknown type", "/predict", "image/png", b"\x89PNG"),
    (1, "7 MB", "/predict", "application/json", b" " * 7_000_000),
]


def check(kind, status, headers, body):
    """The reason of a failure, and the version that has answered."""
    if all(kind != valid for _, valid, *_ in VALID):
        return (None if 400 <= status < 500 else f"{status} {body[:200]}"), None
    if status != 200:
        return f"{status} {body[:200]}", None
    version = int(headers["x-ordinate-model"].split("@")[1])
    if any(abs(y - version) > 1e-6 * version for y in json.loads(body)["y"]):
        return f"version {version} answered {body[:200]}", version
    return None, version


class Server:
    """`ordinate serve`, and its callers on sockets."""

    name = "ordinate serve"

    def __init__(self, catalog):
        self.process = subprocess.Popen(
            [ORDINATE, "serve", "--port", "0"],
            env=os.environ | SETTINGS | {"MODEL_URI": f"{catalog.folder}/models/"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.port = int(re.search(r":(\d+);", self.process.stderr.readline()).group(1))
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.local = threading.local()

    def connect(self):
        stream = socket.create_connection(("127.0.0.1", self.port))
        stream.settimeout(60)
        return stream

    def call(self, path, kind, body):
        if not hasattr(self.local, "stream"):
            self.local.stream = self.connect()
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            self.local.stream.sendall(head.encode() + body)
        except OSError:
            pass  # The server answers a body that is too large before it has read it.
        status, headers, answer = receive(self.local.stream)
        if headers.get("connection") == "close":
            del self.local.stream
        return status, headers, answer

    def disturb(self):
        """Slow and broken clients. Returns the kind and, if it must succeed, the answer."""
        kinds = ["slow body", "slow head", "garbage", "gone in a body", "slow reader"]
        stream, kind = self.connect(), random.choice(kinds)
        head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
        answer = None
        if kind in ("slow body", "slow head"):
            whole = head + b'{"X":[1]}'
            start = len(head) if kind == "slow body" else 0
            stream.sendall(whole[:start])
            for position in range(start, len(whole), 1 + len(whole[start:]) // 10):
                time.sleep(0.1)
                stream.sendall(whole[position : position + 1 + len(whole[start:]) // 10])
            answer = receive(stream)
        elif kind == "garbage":
            stream.sendall(random.randbytes(200) + b"\r\n\r\n")
        elif kind == "gone in a body":
            stream.sendall(head + b'{"X"')
        else:
            body = rows(20_000)
            stream.sendall(head.replace(b": 9", b": %d" % len(body)) + body)
            while True:
                time.sleep(0.05)
                part = stream.recv(4096)
                answer = answer or (int(part.split()[1]), {}, b"")
                if len(part) < 4096:
                    break
        stream.close()
        return kind, answer

    def stop(self):
        self.process.terminate()
        assert self.process.wait() == 0


def receive(stream):
    """Status, headers and body of an HTTP response with a length or in chunks."""
    file = stream.makefile("rb")
    status = int(file.readline().split()[1])
    headers = {}
    while line := file.readline().strip():
        name, value = line.decode().split(":", 1)
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(file.readline(), 16):
            body += file.read(size)
            file.readline()
        file.readline()
    else:
        body = file.read(int(headers["content-length"]))
    return status, headers, body


class Function:
    """The function, and a Runtime API that gives it events."""

    name = "the function"

    def __init__(self, catalog):
        self.events, self.waiting, self.numbers, self.most = queue.Queue(), {}, iter(range(10**9)), 0
        function = self

        class RuntimeApi(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # A head and its body are two packets; the second would wait for the acknowledgement of the first.
            disable_nagle_algorithm = True

            def do_GET(self):
                number, event = function.events.get()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", str(number))
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1e3) + 10_000))
                arn = "arn:aws:lambda:eu-west-1:123456789012:function:api"
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", arn)
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self):
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b""
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                parts = self.path.split("/")
                answered, slot = function.waiting.pop(int(parts[-2]))
                slot.append((parts[-1], body))
                answered.set()
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        api = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
        api.daemon_threads = True
        threading.Thread(target=api.serve_forever, daemon=True).start()
        environment = SETTINGS | {
            "PATH": os.environ["PATH"],
            "MODEL_URI": f"{catalog.folder}/models/",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "api",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_MAX_CONCURRENCY": str(CALLERS),
            "AWS_LAMBDA_LOG_LEVEL": "ERROR",
        }
        self.process = subprocess.Popen([FUNCTION], env=environment, stdout=subprocess.DEVNULL)
        with open(os.path.join(os.path.dirname(__file__), "../events/v2.json")) as file:
            self.event = json.load(file)

    def invoke(self, event):
        number, answered, slot = next(self.numbers), threading.Event(), []
        self.waiting[number] = answered, slot
        self.most = max(self.most, len(self.waiting))
        self.events.put((number, json.dumps(event).encode()))
        assert answered.wait(60), "no response within 60 s"
        return slot[0]

    def call(self, path, kind, body):
        event = dict(self.event, rawPath=path, isBase64Encoded=True, body=base64.b64encode(body).decode())
        event["requestContext"] = dict(event["requestContext"], http=dict(event["requestContext"]["http"], path=path))
        event["headers"] = {"content-type": kind}
        outcome, response = self.invoke(event)
        assert outcome == "response", response
        response = json.loads(response)
        headers = {name.lower(): value for name, value in response["headers"].items()}
        return response["statusCode"], headers, response["body"].encode()

    def disturb(self):
        """Events that are not requests. They fail the invocation, or are answered as bodies."""
        kind, event = random.choice([
            ("event of SQS", {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}),
            ("direct invocation", {"X": [[1]]}),
            ("null", None),
            ("broken base64", dict(self.event, isBase64Encoded=True, body="%%%")),
        ])
        outcome, response = self.invoke(event)
        failed = kind in ("event of SQS", "null")
        assert (outcome == "error") == failed, (kind, outcome, response)
        return kind, None

    def stop(self):
        self.process.kill()
        self.process.wait()


def megabytes(process):
    with open(f"/proc/{process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6


def caller(target, results, end):
    requests = VALID + INVALID
    weights = [weight for weight, *_ in requests]
    while time.time() < end:
        start = time.perf_counter()
        kind = "disturbance"
        try:
            if random.random() < 0.02:
                kind, answer = target.disturb()
                failure = answer and answer[0] != 200 and f"{answer[0]} {answer[2][:200]}"
                results.add(kind, 0, failure)
            else:
                _, kind, path, content_type, body = random.choices(requests, weights)[0]
                status, headers, answer = target.call(path, content_type, body)
                results.add(kind, time.perf_counter() - start, *check(kind, status, headers, answer))
        except Exception as error:  # noqa: BLE001: every failure is reported
            results.add(kind, 0, repr(error))
            if getattr(target, "local", None):
                target.local.__dict__.clear()
        time.sleep(PAUSE)


def soak(kind, seconds):
    catalog, results = Catalog(), Results()
    target = kind(catalog)
    catalog.thread.start()
    end, memory = time.time() + seconds, []
    callers = [threading.Thread(target=caller, args=(target, results, end)) for _ in range(CALLERS)]
    for thread in callers:
        thread.start()
    while time.time() < end:
        time.sleep(0.5)
        if target.process.poll() is not None:
            results.add("process", 0, f"it ended with {target.process.returncode}")
            break
        memory.append(megabytes(target.process))
    for thread in callers:
        thread.join()
    catalog.stopped.set()
    catalog.thread.join()
    target.stop()
    quarter = len(memory) // 4
    before, after = (statistics.median(memory[quarter * i : quarter * (i + 1)]) for i in (2, 3))
    total, failed = sum(results.kinds.values()), len(results.failures)
    print(f"{kind.name}, {seconds / 60:.1f} minutes, {CALLERS} callers: {total} requests, {failed} failures")
    print(f"  {catalog.released} versions released, {len(results.versions)} of them have answered")
    p50, p99 = results.percentile(50), results.percentile(99)
    print(f"  one row: p50 {p50:.1f} ms, p99 {p99:.1f} ms, n = {len(results.times)}")
    print(f"  memory: {before:.1f} MB in the third quarter, {after:.1f} in the last, at most {max(memory):.1f}")
    if kind is Function:
        print(f"  at most {target.most} invocations in flight")
    print(f"  {dict(sorted(results.kinds.items()))}")
    for failure in results.failures[:20]:
        print(f"  FAILED {failure}")
    grown = after > before * 1.05 + 2
    if grown:
        print("  FAILED the memory grows")
    return not results.failures and not grown


if __name__ == "__main__":
    outcomes = [soak(kind, MINUTES * 30) for kind in (Server, Function)]
    sys.exit(not all(outcomes))
