"""A shared store on 127.0.0.1 that keeps what is put into it and misbehaves as told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from support.quiet_server import QuietServer


@dataclass(kw_only=True)
class FaultyStore:
    """The running server: its values by path, every request, and what it does instead of answering.

    `faults` maps the beginning of `METHOD /path` to a script.
    """

    port: int = 0
    values: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    faults: dict[str, "Script"] = field(default_factory=dict)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """What `LPACK_SHARED_STORE` is set to."""
        return f"http://127.0.0.1:{self.port}"

    def asked(self, beginning: str) -> int:
        """How many requests began so."""
        return sum(line.startswith(beginning) for line in self.requests)


class Exchange(BaseHTTPRequestHandler):
    """One request; scripts answer through it."""

    store: FaultyStore
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Give a value."""
        self._serve(lambda: self.give(self.store.values.get(self.path)))

    def do_HEAD(self) -> None:
        """Tell whether a value is there."""
        self._serve(lambda: self.give(self.store.values.get(self.path)))

    def do_PUT(self) -> None:
        """Keep a value."""
        body = self.rfile.read(int(self.headers["Content-Length"]))

        def keep() -> None:
            self.store.values[self.path] = body
            self.say(201)

        self._serve(keep)

    def _serve(self, usual: Callable[[], None]) -> None:
        line = f"{self.command} {self.path}"
        self.store.requests.append(line)
        script = next((s for b, s in self.store.faults.items() if line.startswith(b)), None)
        with suppress(OSError):
            if script is None:
                usual()
            else:
                script(self)

    def value(self) -> bytes:
        """The value that was asked for, which is there."""
        return self.store.values[self.path]

    def give(self, value: bytes | None) -> None:
        """Answer as an honest server."""
        self.say(404 if value is None else 200, value or b"")

    def say(self, status: int, body: bytes = b"", *, length: int | None = None) -> None:
        """Answer with that status and body; `length` is what is announced."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.wfile.flush()
        if length is not None:
            self.close_connection = True

    def hang(self) -> None:
        """Say nothing until the server closes."""
        self.store.closing.wait(30)
        self.close_connection = True

    def drip(self) -> None:
        """Send the value byte by byte."""
        value = self.value()
        self.send_response(200)
        self.send_header("Content-Length", str(len(value)))
        self.end_headers()
        for byte in value:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.store.closing.wait(0.02):
                return

    def drip_headers(self) -> None:
        """Send a header that never ends."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.store.closing.wait(0.02):
            self.wfile.write(b"y")
            self.wfile.flush()

    def endless(self) -> None:
        """Send more than anybody can want."""
        self.send_response(200)
        self.end_headers()
        while not self.store.closing.is_set():
            self.wfile.write(bytes(1 << 20))

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""


Script = Callable[[Exchange], None]

READING: dict[str, Script] = {
    "failing": lambda e: e.say(500),
    "unauthorized": lambda e: e.say(401),
    "redirect": lambda e: e.say(302),
    "login-page": lambda e: e.say(200, b"<html>Sign in"),
    "empty": lambda e: e.say(200),
    "altered": lambda e: e.say(200, e.value()[:-1] + b"?"),
    "cut": lambda e: e.say(200, e.value()[:-9], length=len(e.value())),
    "short": lambda e: e.say(200, e.value()[:-9]),
    "longer": lambda e: e.say(200, e.value() + b"more"),
    "endless": Exchange.endless,
    "silence": Exchange.hang,
    "drip": Exchange.drip,
    "drip-headers": Exchange.drip_headers,
}
"""What a GET may be answered with instead of the value."""


@contextmanager
def faulty_store() -> Iterator[FaultyStore]:
    """Run the server."""
    store = FaultyStore()
    handler = type("Handler", (Exchange,), {"store": store})
    server = QuietServer(("127.0.0.1", 0), handler)
    store.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
