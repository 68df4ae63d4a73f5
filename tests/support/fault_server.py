"""A real HTTP server on 127.0.0.1 whose answers are scripts, nearly all of them bad.

The first part of a request's path names the script. Every script serves the same body, so that a
test can tell the right bytes from everything else.
"""

import base64
import gzip
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

BODY = bytes(range(256)) * 1200
WRONG = BODY[:-1] + b"?"
USER, PASSWORD = "builder", "s3cr3t-pa/ss"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@dataclass
class Request:
    """One request as it arrived; `number` counts the requests for this path from 1.

    A script that sets `keeps` leaves the connection open for the next request.
    """

    path: str
    number: int
    headers: dict[str, str]
    server: "FaultServer"
    connection: socket.socket
    keeps: bool = False

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(self, status: str, body: bytes = b"", **headers: str) -> None:
        """Send a whole response with an honest Content-Length, unless `headers` has another."""
        fields = {"Content-Length": str(len(body)), "Connection": "close"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"HTTP/1.1 {status}", *(f"{n}: {v}" for n, v in fields.items() if v != "-")]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def ok(self) -> None:
        self.answer("200 OK", BODY)

    def reset(self) -> None:
        """Make the close a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def hang(self) -> None:
        """Say nothing more until the client goes, or the server closes."""
        self.server.closing.wait(30)


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def wrong_once(r: Request) -> None:
    r.answer("200 OK", WRONG if r.number == 1 else BODY)


def failing_twice(r: Request) -> None:
    if r.number <= 2:
        r.answer("500 Internal Server Error")
    else:
        r.ok()


def unavailable_once(r: Request, retry_after: str) -> None:
    if r.number == 1:
        r.answer("503 Service Unavailable", Retry_After=retry_after)
    else:
        r.ok()


def basic(r: Request) -> None:
    if r.headers.get("authorization") == BASIC:
        r.ok()
    else:
        r.answer("401 Unauthorized", WWW_Authenticate='Basic realm="index"')


def reset_in_the_middle(r: Request, *, times: int) -> None:
    if r.number > times:
        r.ok()
        return
    r.answer("200 OK", BODY[:1000], Content_Length=str(len(BODY)))
    time.sleep(0.05)
    r.reset()


def reset_at_once(r: Request) -> None:
    if r.number == 1:
        r.reset()
    else:
        r.ok()


def stall(r: Request, *, times: int = 99) -> None:
    if r.number > times:
        r.ok()
        return
    r.answer("200 OK", BODY[:1000], Content_Length=str(len(BODY)))
    r.hang()


def drip(r: Request) -> None:
    r.answer("200 OK", Content_Length=str(len(BODY)))
    for byte in BODY:
        r.send(bytes([byte]))
        if r.server.closing.wait(0.05):
            return


def drip_headers(r: Request) -> None:
    r.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not r.server.closing.wait(0.05):
        r.send(b"y")


def endless(r: Request) -> None:
    r.answer("200 OK", Content_Length="-")
    while not r.server.closing.wait(0.02):
        r.send(BODY)


def redirect(r: Request, target: str, status: str = "302 Found") -> None:
    r.answer(status, b"moved", Location=target)


def elsewhere(r: Request) -> str:
    other = r.server.other
    assert other is not None
    return f"{other.scheme}://localhost:{other.port}"


def gzip_once(r: Request) -> None:
    if r.number == 1:
        r.answer("200 OK", gzip.compress(BODY), Content_Encoding="gzip")
    else:
        r.ok()


def chunked(r: Request, *pieces: bytes, end: bytes = b"0\r\n\r\n") -> None:
    r.answer("200 OK", b"".join(pieces) + end, Content_Length="-", Transfer_Encoding="chunked")


SCRIPTS: dict[str, Callable[[Request], None]] = {
    "ok": Request.ok,
    "ok-close-delimited": lambda r: r.answer("200 OK", BODY, Content_Length="-"),
    "truncated": lambda r: r.answer("200 OK", BODY[:5000], Content_Length=str(len(BODY))),
    "truncated-once": lambda r: (
        r.answer("200 OK", BODY[:5000], Content_Length=str(len(BODY))) if r.number == 1 else r.ok()
    ),
    "truncated-close-delimited": lambda r: r.answer("200 OK", BODY[:5000], Content_Length="-"),
    "length-too-short": lambda r: r.answer("200 OK", BODY, Content_Length="5000"),
    "length-too-long": lambda r: r.answer("200 OK", BODY, Content_Length=str(len(BODY) + 9)),
    "length-no-number": lambda r: r.answer("200 OK", BODY, Content_Length="many"),
    "wrong-once": wrong_once,
    "wrong": lambda r: r.answer("200 OK", WRONG),
    "longer": lambda r: r.answer("200 OK", BODY + b"more"),
    "empty": lambda r: r.answer("200 OK"),
    "no-content": lambda r: r.answer("204 No Content"),
    "partial": lambda r: r.answer("206 Partial Content", BODY),
    "login-page": lambda r: r.answer("200 OK", b"<html>Sign in", Content_Type="text/html"),
    "failing-twice": failing_twice,
    "failing": lambda r: r.answer("500 Internal Server Error"),
    "bad-gateway": lambda r: r.answer("502 Bad Gateway"),
    "slow-down": lambda r: unavailable_once(r, "1"),
    "slow-down-date": lambda r: unavailable_once(r, formatdate(time.time() + 1, usegmt=True)),
    "slow-down-junk": lambda r: unavailable_once(r, "soon"),
    "too-many": lambda r: r.answer("429 Too Many Requests", Retry_After="3600"),
    "request-timeout": lambda r: r.answer("408 Request Timeout") if r.number == 1 else r.ok(),
    "basic": basic,
    "forbidden": lambda r: r.answer("403 Forbidden"),
    "not-found": lambda r: r.answer("404 Not Found"),
    "gone": lambda r: r.answer("410 Gone"),
    "proxy-login": lambda r: r.answer("407 Proxy Authentication Required"),
    "reset-once": lambda r: reset_in_the_middle(r, times=1),
    "reset": lambda r: reset_in_the_middle(r, times=99),
    "reset-at-once": reset_at_once,
    "silence": Request.hang,
    "stall-once": lambda r: stall(r, times=1),
    "stall": stall,
    "drip": drip,
    "drip-headers": drip_headers,
    "endless": endless,
    "no-http": lambda r: r.send(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "redirect": lambda r: redirect(r, "/ok/after-redirect.whl"),
    "redirect-permanent": lambda r: redirect(r, "/ok/x.whl", "308 Permanent Redirect"),
    "redirect-nowhere": lambda r: r.answer("302 Found"),
    "redirect-loop": lambda r: redirect(r, r.path),
    "redirect-basic": lambda r: redirect(r, "/basic/x.whl"),
    "redirect-elsewhere": lambda r: redirect(r, f"{elsewhere(r)}/ok/x.whl"),
    "redirect-other-port": lambda r: redirect(
        r, f"{elsewhere(r).replace('localhost', '127.0.0.1')}/basic/x.whl"
    ),
    "redirect-elsewhere-basic": lambda r: redirect(r, f"{elsewhere(r)}/basic/x.whl"),
    "redirect-file": lambda r: redirect(r, "file:///etc/hostname"),
    "redirect-junk": lambda r: redirect(r, "http://[broken/x.whl"),
    "redirect-utf8": lambda r: redirect(r, "/ok/gr\u00fcn.whl".encode().decode("latin-1")),
    "gzip": lambda r: r.answer("200 OK", gzip.compress(BODY), Content_Encoding="gzip"),
    "gzip-once": gzip_once,
    "gzip-label-only": lambda r: r.answer("200 OK", BODY, Content_Encoding="gzip"),
    "chunked": lambda r: chunked(r, chunk(BODY[:7]), chunk(BODY[7:])),
    "chunked-cut": lambda r: chunked(r, chunk(BODY[:7]), end=b""),
    "chunked-cut-inside": lambda r: chunked(r, chunk(BODY)[:-5000], end=b""),
    "chunked-junk": lambda r: chunked(r, chunk(BODY[:7]), end=b"zz\r\n"),
}


@dataclass
class FaultServer:
    """A running server; `requests` are all that came, in order."""

    scheme: str
    port: int
    other: "FaultServer | None" = None
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    counts: Counter[str] = field(default_factory=Counter)
    scripts: "dict[str, Callable[[Request], None]]" = field(default_factory=lambda: dict(SCRIPTS))

    def url(self, script: str, *, user: str = "", name: str = "demo-1-py3-none-any.whl") -> str:
        """Give a URL for `script`, with `user` (`name:password@`) before the host."""
        return f"{self.scheme}://{user}127.0.0.1:{self.port}/{script}/{name}"


class _Handler(socketserver.BaseRequestHandler):
    faults: FaultServer
    tls: ssl.SSLContext | None

    def handle(self) -> None:
        with suppress(OSError):
            connection = self.request
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            try:
                while self._serve(connection):
                    pass
            finally:
                connection.close()

    def _serve(self, connection: socket.socket) -> bool:
        """Answer one request; tell whether the connection is kept."""
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65536)
            if not received:
                return False
            head += received
        first, *lines = head.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
        path = first.split(" ")[1]
        # A proxy is asked with a whole URL.
        path = "/" + path.split("/", 3)[3] if "://" in path else path
        self.faults.counts[path] += 1
        request = Request(path, self.faults.counts[path], headers, self.faults, connection)
        self.faults.requests.append(request)
        # An image registry's paths begin with its version: /v2/SCRIPT/...
        self.faults.scripts[path.removeprefix("/v2").split("/")[1]](request)
        return request.keeps


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def serving(
    *, other: FaultServer | None = None, certificate: Path | None = None
) -> Iterator[FaultServer]:
    """Run a fault server; `other` is where its redirects lead, `certificate` makes it https."""
    tls = None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    faults = FaultServer("https" if tls else "http", 0, other)
    handler = type("Handler", (_Handler,), {"faults": faults, "tls": tls})
    with _Server(("127.0.0.1", 0), handler) as server:
        faults.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield faults
        finally:
            faults.closing.set()
            server.shutdown()
            thread.join()


def make_certificate(folder: Path) -> Path:
    """Make a self-signed certificate with its key for 127.0.0.1, by openssl."""
    path = folder / "server.pem"
    key = folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(path)],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path
