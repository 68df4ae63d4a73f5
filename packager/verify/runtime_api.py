"""A Runtime API for one event on 127.0.0.1: what awslambdaric asks for its work.

Source: Lambda Developer Guide, runtimes-api (version 2018-06-01).
"""

import re
import threading
import time
import uuid
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, NamedTuple, Self

_PREFIX = "/2018-06-01/runtime"
_ANSWER = re.compile(rf"{_PREFIX}/invocation/([\w-]+)/(response|error)")
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:function"
_JSON = "application/json"

Kind = Literal["response", "error", "init-error"]


class Outcome(NamedTuple):
    """What the runtime client handed in, and when (seconds of `time.monotonic`).

    `asked` is when it asked for the event, that is when init was over; None when it never did.
    """

    kind: Kind
    body: bytes
    asked: float | None
    answered: float


class RuntimeApi:
    """Hands out one event and keeps the answer; to be used in a `with` block.

    `deadline_seconds` is what the handler is told to have.
    """

    def __init__(self, event: bytes, *, deadline_seconds: float) -> None:
        """Listen on a free port of 127.0.0.1."""
        self.event = event
        self.deadline_seconds = deadline_seconds
        self.request_id = str(uuid.uuid4())
        self.asked: float | None = None
        self.outcome: Outcome | None = None
        self.closing = threading.Event()
        self._answered = threading.Event()
        self._lock = threading.Lock()
        api = self

        class Handler(_Handler):
            """Serves this very API."""

            state = api

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`, for AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let waiting requests go and stop."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> Outcome | None:
        """Wait for the answer; None when there is none after `seconds`."""
        self._answered.wait(seconds)
        return self.outcome

    def take_event(self) -> bool:
        """Note that the event is asked for; only the first time it is handed out."""
        with self._lock:
            if self.asked is not None:
                return False
            self.asked = time.monotonic()
            return True

    def keep(self, kind: Kind, body: bytes) -> None:
        """Keep the first answer."""
        with self._lock:
            if self.outcome is None:
                self.outcome = Outcome(kind, body, self.asked, time.monotonic())
        self._answered.set()


class _Handler(BaseHTTPRequestHandler):
    """The endpoints that a runtime client uses."""

    protocol_version = "HTTP/1.1"
    state: RuntimeApi

    def do_GET(self) -> None:
        """Hand out the event; whoever asks again waits until the end, as in Lambda."""
        if self.path == f"{_PREFIX}/invocation/next":
            if self.state.take_event():
                self._send_event()
            else:
                self.state.closing.wait()
                self.close_connection = True
        elif self.path == f"{_PREFIX}/restore/next":
            self._send(HTTPStatus.OK, b"")
        else:
            self._send(HTTPStatus.NOT_FOUND, b'{"errorType":"NotFound"}')

    def do_POST(self) -> None:
        """Take the answer, or the error of the handler or of its import."""
        body = self._body()
        found = _ANSWER.fullmatch(self.path)
        if self.path == f"{_PREFIX}/init/error":
            self.state.keep("init-error", body)
        elif found is not None and found[1] == self.state.request_id:
            self.state.keep("response" if found[2] == "response" else "error", body)
        else:
            self._send(HTTPStatus.NOT_FOUND, b'{"errorType":"NotFound"}')
            return
        self._send(HTTPStatus.ACCEPTED, b'{"status":"OK"}')

    def log_message(self, *_: object) -> None:
        """Write nothing: the lines on stderr are the function's."""

    def _send_event(self) -> None:
        state = self.state
        deadline_ms = int((time.time() + state.deadline_seconds) * 1000)
        trace = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0"
        headers = {
            "Lambda-Runtime-Aws-Request-Id": state.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": _ARN,
            "Lambda-Runtime-Trace-Id": trace,
        }
        self._send(HTTPStatus.OK, state.event, headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": _JSON, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        """Read the body, whether its length is announced or it comes in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while length := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)
