"""A proxy between a client and the server that can record the requests."""

import argparse
import re
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit


def arguments() -> tuple[str, Path | None]:
    """The URL of the server, and the directory for the requests, from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--record", type=Path)
    parsed = parser.parse_args()
    return parsed.url.rstrip("/"), parsed.record


class Recorder:
    """A proxy on its own port. The next request is written to `directory` under `name`."""

    def __init__(self, url: str, directory: Path | None) -> None:
        address = urlsplit(url)
        self.upstream = (address.hostname, address.port or 80)
        self.directory, self.name = directory, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self.upstream) as server:
            while request := _message(client):
                if self.directory and self.name:
                    # The port changes from run to run.
                    kept = re.sub(rb"(?i)(\r\nhost: )[^\r]*", rb"\g<1>localhost", request, count=1)
                    self.directory.mkdir(parents=True, exist_ok=True)
                    (self.directory / f"{self.name}.http").write_bytes(kept)
                self.name = None
                server.sendall(request)
                client.sendall(_message(server))


def _message(source: socket.socket) -> bytes:
    """Reads a request or a response: its head, and its body with a length or chunked."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = source.recv(65536)
        if not piece:
            return b""
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    missing = int(length[1]) - len(body) if length else 0
    while missing > 0:
        piece = source.recv(65536)
        received, missing = received + piece, missing - len(piece)
    if re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
        # Only the last chunk of our responses ends like this.
        while not received.endswith(b"0\r\n\r\n"):
            received += source.recv(65536)
    return received
