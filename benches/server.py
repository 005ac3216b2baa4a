"""Load on `ordinate serve`: stalled clients, idle connections, large stalled bodies, and SIGTERM under load.

`make bench-server` builds the command line and runs this program; it needs wrk (Debian's package `wrk`). Times are
ratios or milliseconds on one machine: the program prints them and asserts nothing.
"""

import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

ORDINATE = sys.argv[1]
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
REQUEST = HEAD + b'Content-Length: 9\r\n\r\n{"X":[1]}'
SCRIPT = 'wrk.method="POST"\nwrk.body=\'{"X":[1,2,3,4]}\'\n'


class Server:
    """`ordinate serve` on a free port."""

    def __init__(self, **settings):
        environment = os.environ | {"LOG_REQUESTS": "none"} | settings
        self.process = subprocess.Popen(
            [ORDINATE, "serve", "--port", "0"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.port = int(re.search(r":(\d+);", self.process.stderr.readline()).group(1))
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.live()

    def connect(self, data=b""):
        stream = socket.create_connection(("127.0.0.1", self.port))
        stream.settimeout(60)
        if data:
            stream.sendall(data)
        return stream

    def live(self):
        """The milliseconds of a request for /health/live on a connection of its own."""
        start = time.perf_counter()
        stream = self.connect(b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = stream.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200"), answer
        return (time.perf_counter() - start) * 1e3

    def megabytes(self):
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * 4096 / 1e6

    def stop(self):
        """The seconds from SIGTERM to the end of the process."""
        start = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait() == 0
        return time.perf_counter() - start


def wrk(server):
    """The 99th percentile in milliseconds, and the requests per second, of 64 connections for five seconds."""
    script = os.path.join(os.environ.get("TMPDIR", "/tmp"), "ordinate-wrk.lua")
    with open(script, "w") as file:
        file.write(SCRIPT)
    command = ["wrk", "-c", "64", "-t", "2", "-d", "5s", "--latency", "-s", script]
    printed = subprocess.run([*command, f"http://127.0.0.1:{server.port}/predict"], capture_output=True, text=True).stdout
    value, unit = re.search(r"99%\s+([\d.]+)(\w+)", printed).groups()
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", printed).group(1))
    return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit], rate


def stalled_clients():
    server = Server(HEADER_TIMEOUT_SECONDS="600", BODY_TIMEOUT_SECONDS="600")
    ratios = []
    for _ in range(5):
        without, rate = wrk(server)
        stalled = [server.connect(HEAD + b"Content-Length: 9\r\n\r\n{" if body else HEAD) for body in [0, 1] * 200]
        with_them, rate_with_them = wrk(server)
        for stream in stalled:
            stream.close()
        ratios.append(with_them / without)
        print(f"  p99 {without:.1f} ms ({rate:.0f}/s); with 400 stalled clients {with_them:.1f} ms ({rate_with_them:.0f}/s)")
    print(f"400 stalled clients: median ratio of p99 {statistics.median(ratios):.2f}")
    server.process.kill()


def idle_connections():
    server = Server()
    before, memory = statistics.median(server.live() for _ in range(50)), server.megabytes()
    idle = [server.connect() for _ in range(10_000)]
    after = statistics.median(server.live() for _ in range(50))
    grown = server.megabytes() - memory
    print(f"{len(idle)} idle connections: /health/live {before:.2f} ms, {after:.2f} ms with them; {grown:.0f} MB")
    print(f"  SIGTERM: {server.stop():.2f} s")


def stalled_bodies():
    server = Server()
    before, peak = server.megabytes(), 0.0
    body = b'{"X":[1' + b" " * 6_000_000
    head = HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) + 2)

    def stall():
        try:
            server.connect(head + body).recv(1)
        except OSError:
            pass

    for _ in range(300):
        threading.Thread(target=stall, daemon=True).start()
    time.sleep(2)
    start, answers = time.perf_counter(), []
    good = threading.Thread(target=lambda: answers.append(server.connect(head + body + b"]}").recv(12)))
    good.start()
    while good.is_alive() or time.perf_counter() - start < 20:
        time.sleep(0.2)
        peak = max(peak, server.megabytes())
        if not good.is_alive() and len(answers) == 1:
            answers.append(time.perf_counter() - start)
    print(f"300 stalled bodies of 6 MB: {before:.0f} MB before, at most {peak:.0f} MB; another body: {answers[0]} in {answers[1]:.1f} s")
    server.process.kill()


def drain():
    sent = lost = 0
    slowest = 0.0
    for _ in range(10):
        server = Server(DRAIN_SECONDS="5")
        answers = []

        def client():
            stream = server.connect()
            while True:
                start = time.time()
                try:
                    stream.sendall(REQUEST)
                    answer = stream.recv(4096)
                except OSError:
                    answer = b""
                answers.append((start, answer))
                if not answer or b"connection: close" in answer:
                    return

        clients = [threading.Thread(target=client) for _ in range(40)]
        for thread in clients:
            thread.start()
        stalled = [server.connect(HEAD) for _ in range(5)]
        time.sleep(0.3)
        fresh = [server.connect(REQUEST) for _ in range(200)]
        signalled = time.time()
        slowest = max(slowest, server.stop())
        for thread in clients:
            thread.join()
        answers += [(signalled - 1, stream.recv(4096)) for stream in fresh]
        received = [answer for start, answer in answers if start < signalled]
        sent += len(received)
        lost += sum(not answer.startswith(b"HTTP/1.1 200") for answer in received)
        del stalled
    print(f"SIGTERM under load, ten times: {lost} of {sent} requests lost that were sent before it; at most {slowest:.1f} s of 5")


def main():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    stalled_clients()
    idle_connections()
    stalled_bodies()
    drain()


main()
