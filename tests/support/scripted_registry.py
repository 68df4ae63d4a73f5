"""A registry on 127.0.0.1 that keeps what it gets, demands what it is told to, and can misbehave.

Source of the behaviour: OCI distribution specification 1.1. A fault is asked before each request;
when it answers, the registry does not.
"""

import base64
import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from support.quiet_server import QuietServer

USER, PASSWORD = "builder", "s3cr3t-pa/ss"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
TOKEN = "t0ken-of-this-registry"  # noqa: S105 -- of nobody's registry

Fault = Callable[["Handler"], bool]
"""Answers the request and returns True, or returns False to let it pass."""


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Registry:
    """What the registry has, what was asked, and how it behaves.

    `auth` is `none`, `basic` or `token`; `realm` replaces the place of its token server.
    """

    port: int = 0
    auth: str = "none"
    realm: str | None = None
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    mountable: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def count(self, method: str, pattern: str = "") -> int:
        """How many requests of `method` had a path that `pattern` is found in."""
        return sum(a.method == method and bool(re.search(pattern, a.path)) for a in self.asked)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send a response with an honest length; names of headers have `_` for `-`."""
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str = "UNKNOWN", **headers: str) -> None:
        """Send an error document."""
        message = f"{code.lower()} at {self.path[:20]}"
        errors = {"errors": [{"code": code, "message": message, "detail": {}}]}
        self.answer(status, json.dumps(errors).encode(), **headers)

    def cut(self) -> None:
        """End the connection with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.registry.asked.append(Asked(self.command, self.path, headers))
        with suppress(BrokenPipeError, ConnectionResetError):
            if any(fault(self) for fault in list(self.registry.faults)):
                return
            if urlsplit(self.path).path == "/token":
                self._token()
            elif self._let_in():
                self._registry()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _serve  # noqa: N815

    def _let_in(self) -> bool:
        given, auth = self.headers.get("Authorization"), self.registry.auth
        realm = self.registry.realm or f"http://{self.registry.host}/token"
        demands = {
            "basic": ('Basic realm="here"', BASIC),
            "token": (f'Bearer realm="{realm}",service="s",scope="x"', f"Bearer {TOKEN}"),
        }
        if auth == "none" or given == demands[auth][1]:
            return True
        self.body()
        self.refuse(401, "UNAUTHORIZED", WWW_Authenticate=demands[auth][0])
        return False

    def _token(self) -> None:
        body = self.body()
        ok = self.headers.get("Authorization") == BASIC or b"refresh_token=" in body
        if ok:
            self.answer(200, json.dumps({"token": TOKEN}).encode())
        else:
            self.refuse(401, "DENIED")

    def _registry(self) -> None:
        path = urlsplit(self.path).path
        found = re.fullmatch(r"/v2/(.+)/(blobs/uploads|blobs|manifests)/([^/]*)", path)
        if found is None:
            self.refuse(404, "NAME_UNKNOWN")
        elif found[2] == "blobs":
            self._blob(found[3])
        elif found[2] == "manifests":
            self._manifest(found[3])
        else:
            self._upload(found[1], found[3])

    def _blob(self, digest: str) -> None:
        content = self.registry.blobs.get(digest)
        if content is None:
            self.refuse(404, "BLOB_UNKNOWN")
        else:
            self.answer(200, content, Docker_Content_Digest=digest)

    def _manifest(self, name: str) -> None:
        if self.command == "PUT":
            content = self.body()
            digest = digest_of(content)
            kind = self.headers.get("Content-Type", "")
            self.registry.manifests[name] = self.registry.manifests[digest] = (kind, content)
            self.answer(201, Docker_Content_Digest=digest)
            return
        known = self.registry.manifests.get(name)
        if known is None:
            self.refuse(404, "MANIFEST_UNKNOWN")
        else:
            kind, content = known
            headers = {"Content_Type": kind, "Docker_Content_Digest": digest_of(content)}
            self.answer(200, content, **headers)

    def _upload(self, repository: str, name: str) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if self.command == "POST":
            self._begin(repository, query)
            return
        if name not in self.registry.uploads:
            self.body()
            self.refuse(404, "BLOB_UPLOAD_UNKNOWN")
            return
        kept = self.registry.uploads[name]
        if self.command in {"PATCH", "PUT"}:
            while left := int(self.headers["Content-Length"]) - getattr(self, "_got", 0):
                piece = self.rfile.read(min(left, 1 << 16))
                if not piece:
                    return
                kept += piece
                self._got = getattr(self, "_got", 0) + len(piece)
            self._got = 0
        if self.command == "PUT":
            self._end(query["digest"][0], bytes(kept))
            return
        status = HTTPStatus.NO_CONTENT if self.command == "GET" else HTTPStatus.ACCEPTED
        self.answer(status, Location=self.path, Range=f"0-{max(len(kept) - 1, 0)}")

    def _begin(self, repository: str, query: dict[str, list[str]]) -> None:
        self.body()
        mount = query.get("mount", [""])[0]
        if mount in self.registry.mountable:
            self.registry.blobs[mount] = self.registry.mountable[mount]
            self.answer(201, Docker_Content_Digest=mount)
            return
        name = f"u{len(self.registry.uploads)}"
        self.registry.uploads[name] = bytearray()
        self.answer(202, Location=f"/v2/{repository}/blobs/uploads/{name}?state=s")

    def _end(self, digest: str, content: bytes) -> None:
        if digest_of(content) != digest:
            self.refuse(400, "DIGEST_INVALID")
            return
        self.registry.blobs[digest] = content
        self.answer(201, Docker_Content_Digest=digest)


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def answering(
    method: str, pattern: str, respond: Callable[[Handler], None], *, times: int = 10**6
) -> Fault:
    """Let `respond` answer the first `times` requests of `method` to paths like `pattern`."""
    left = [times]

    def fault(handler: Handler) -> bool:
        matches = handler.command == method and re.search(pattern, handler.path)
        if not matches or left[0] == 0:
            return False
        left[0] -= 1
        respond(handler)
        return True

    return fault


@contextmanager
def serving_registry(**settings: str) -> Iterator[Registry]:
    """Run a registry; `settings` are fields of `Registry`."""
    registry = Registry(**settings)  # type: ignore[arg-type]  # texts are what is set here
    handler = type("Bound", (Handler,), {"registry": registry})
    server = QuietServer(("127.0.0.1", 0), handler)
    registry.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
