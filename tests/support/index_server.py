"""A package index on 127.0.0.1: the simple API (PEP 503, 691) with metadata files (PEP 658, 714).

It serves wheels and sdists from folders, counts what is asked, can demand a password and can be
told to misbehave for a single file. pip and uv are both content with it.
"""

import base64
import hashlib
import html
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Self

from support.index_files import HELD_SECONDS, Fault, ServedFile, render_link, version_of
from support.quiet_server import QuietServer

__all__ = ["Fault", "IndexServer"]

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(kw_only=True)
class _State:
    """What the request threads share."""

    projects: dict[str, dict[str, ServedFile]] = field(default_factory=dict)
    files: dict[str, ServedFile] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    authorization: str | None = None
    with_metadata: bool = True
    requests: list[str] = field(default_factory=list)
    uploaded: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, bytes] = field(default_factory=dict)
    with_json: bool = True


class IndexServer:
    """The index, running in a thread while the context is open.

    `sources` are wheels, sdists, or folders searched recursively for them. `auth` is a user and
    a password, both demanded on every request. `faults` maps file names to misbehaviour.
    `requests` lists the method and path of every request so far.
    """

    def __init__(
        self,
        sources: Iterable[Path],
        *,
        auth: tuple[str, str] | None = None,
        faults: Mapping[str, Fault] | None = None,
        with_metadata: bool = True,
    ) -> None:
        """Collect the files; the port is opened on entering the context."""
        self._state = _State(faults=dict(faults or {}), with_metadata=with_metadata)
        if auth is not None:
            token = base64.b64encode(":".join(auth).encode()).decode()
            self._state.authorization = f"Basic {token}"
        for source in sources:
            self.add(source)
        self._server: QuietServer | None = None
        self._thread: threading.Thread | None = None

    def add(self, source: Path) -> None:
        """Serve `source` too: a file, or every wheel and sdist below a folder."""
        found = sorted(source.rglob("*")) if source.is_dir() else [source]
        for path in found:
            if path.name.endswith((".whl", ".tar.gz")):
                served = ServedFile(path=path)
                self._state.files[path.name] = served
                self._state.projects.setdefault(served.project, {})[path.name] = served

    def __enter__(self) -> Self:
        """Open the port and start answering."""
        handler = type("Handler", (_Handler,), {"state": self._state})
        self._server = QuietServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the port; open downloads are cut."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    @property
    def port(self) -> int:
        """The port in use while the context is open."""
        if self._server is None:
            raise RuntimeError("the index is not running")
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The index URL to hand to pip, uv or lpack."""
        return f"http://127.0.0.1:{self.port}/simple"

    def url_with(self, user: str, password: str) -> str:
        """The index URL with credentials inside."""
        quoted = f"{urllib.parse.quote(user, safe='')}:{urllib.parse.quote(password, safe='')}"
        return f"http://{quoted}@127.0.0.1:{self.port}/simple"

    @property
    def faults(self) -> dict[str, Fault]:
        """The misbehaviour by file name; may be changed while the index runs."""
        return self._state.faults

    @property
    def uploaded(self) -> dict[str, str]:
        """When a file came to the index (RFC 3339), by its name; otherwise long ago."""
        return self._state.uploaded

    @property
    def provenance(self) -> dict[str, bytes]:
        """What the index has as provenance (PEP 740), by file name; may be changed."""
        return self._state.provenance

    def speak_html(self) -> None:
        """Answer with HTML from now on, as old indexes do."""
        self._state.with_json = False

    @property
    def statuses(self) -> dict[str, str]:
        """The status (PEP 792) of projects that are not active; quarantined ones offer no files."""
        return self._state.statuses

    @property
    def reasons(self) -> dict[str, str]:
        """Why projects have their status, for those where the index tells it."""
        return self._state.reasons

    @property
    def requests(self) -> list[str]:
        """Every request so far, as `GET /path`."""
        return list(self._state.requests)

    @property
    def downloads(self) -> list[str]:
        """The names of the distribution files asked for, metadata files left out."""
        wanted = (r.removeprefix("GET /files/") for r in self.requests if "GET /files/" in r)
        return [urllib.parse.unquote(name) for name in wanted if not name.endswith(".metadata")]


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    state: _State
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer with headers and body."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with headers alone."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- inherited name
        """Keep quiet; `requests` is the log."""

    def _answer(self) -> None:
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        self.state.requests.append(f"{self.command} {path}")
        wanted = self.state.authorization
        if wanted is not None and self.headers.get("Authorization") != wanted:
            self._send(401, b"who are you?", {"WWW-Authenticate": 'Basic realm="index"'})
            return
        for pattern, method in self._routes():
            match = re.fullmatch(pattern, path)
            if match:
                method(*match.groups())
                return
        self._send(404, b"not here")

    def _routes(self) -> tuple[tuple[str, Callable[..., None]], ...]:
        return (
            (r"/simple/?", self._root),
            (r"/simple/([^/]+)/?", self._project),
            (r"/files/([^/]+)\.metadata", self._metadata),
            (r"/files/([^/]+)", self._file),
            (r"/integrity/([^/]+)/provenance", self._provenance),
        )

    def _wants_json(self) -> bool:
        return self.state.with_json and JSON_TYPE in self.headers.get("Accept", "")

    def _root(self) -> None:
        names = sorted(self.state.projects)
        page: dict[str, object] = {
            "meta": {"api-version": "1.1"},
            "projects": [{"name": name} for name in names],
        }
        links = [f'<a href="/simple/{name}/">{name}</a>' for name in names]
        self._send_page(page, links)

    def _project(self, name: str) -> None:
        files = self.state.projects.get(re.sub(r"[-_.]+", "-", name).lower())
        if files is None:
            self._send(404, b"no such project")
            return
        status = self.state.statuses.get(name, "active")
        files = {} if status == "quarantined" else files
        why = self.state.reasons.get(name, "")
        entries = [self._entry(served) for _, served in sorted(files.items())]
        page: dict[str, object] = {
            "meta": {"api-version": "1.4"},
            "project-status": {"status": status} | ({"reason": why} if why else {}),
            "name": name,
            "versions": sorted({version_of(served.name) for served in files.values()}),
            "files": entries,
        }
        told = f'<meta name="pypi:project-status" content="{status}">'
        if why:
            told += f'<meta name="pypi:project-status-reason" content="{html.escape(why)}">'
        self._send_page(page, [told, *(render_link(entry) for entry in entries)])

    def _entry(self, served: ServedFile) -> dict[str, object]:
        fault = self.state.faults.get(served.name, Fault())
        entry: dict[str, object] = {
            "filename": served.name,
            "url": f"/files/{urllib.parse.quote(served.name)}",
            "hashes": {"sha256": fault.sha256 or served.sha256},
            "size": served.path.stat().st_size,
            "upload-time": self.state.uploaded.get(served.name, "2020-01-01T00:00:00Z"),
            "yanked": fault.yanked or False,
        }
        if served.name in self.state.provenance:
            entry["provenance"] = f"/integrity/{urllib.parse.quote(served.name)}/provenance"
        if served.requires_python:
            entry["requires-python"] = served.requires_python
        metadata = fault.metadata or served.metadata
        if self.state.with_metadata and metadata:
            digest = hashlib.sha256(metadata).hexdigest()
            entry["core-metadata"] = entry["dist-info-metadata"] = {"sha256": digest}
        return entry

    def _provenance(self, name: str) -> None:
        fault = self.state.faults.get(f"{name}.provenance")
        if name not in self.state.provenance or (fault and fault.status and fault.due()):
            self._send((fault and fault.status) or 404, b"no provenance")
            return
        self._send(200, self.state.provenance[name])

    def _metadata(self, name: str) -> None:
        served = self.state.files.get(name)
        if served is None or not served.metadata or not self.state.with_metadata:
            self._send(404, b"no metadata")
            return
        fault = self.state.faults.get(name, Fault())
        self._send(200, fault.metadata or served.metadata)

    def _file(self, name: str) -> None:
        served = self.state.files.get(name)
        if served is None:
            self._send(404, b"no such file")
            return
        fault = self.state.faults.get(name)
        if fault is None or not fault.due():
            self._send_file(served.path)
            return
        time.sleep(fault.delay)
        until = time.monotonic() + HELD_SECONDS
        while not fault.until() and time.monotonic() < until:
            time.sleep(0.01)
        if fault.status is not None:
            self._send(fault.status, b"out of order")
        elif fault.body is not None:
            self._send(200, fault.body)
        elif fault.truncate_to is not None:
            self._send_truncated(served.path.read_bytes(), fault.truncate_to)
        else:
            self._send_file(served.path)

    def _send_file(self, path: Path) -> None:
        size = path.stat().st_size
        start, end, status = 0, size, HTTPStatus.OK
        wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
        if wanted and size:
            first, last = wanted.groups()
            start = int(first) if first else max(0, size - int(last))
            end = min(size, int(last) + 1) if first and last else size
            status = HTTPStatus.PARTIAL_CONTENT
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(end - start))
        self.send_header("Accept-Ranges", "bytes")
        if status == HTTPStatus.PARTIAL_CONTENT:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.flush()
        with path.open("rb") as source:
            self.connection.sendfile(source, offset=start, count=end - start)

    def _send_truncated(self, body: bytes, length: int) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:length])
        self.close_connection = True

    def _send_page(self, page: dict[str, object], links: list[str]) -> None:
        if self._wants_json():
            self._send(200, json.dumps(page).encode(), {"Content-Type": JSON_TYPE})
            return
        body = "<!DOCTYPE html><html><body>\n" + "<br>\n".join(links) + "\n</body></html>\n"
        self._send(200, body.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
