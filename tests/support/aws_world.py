"""AWS on this machine: moto's server in a process of its own, behind a proxy that can fail.

The proxy passes everything through byte for byte, notes what was asked, and answers in moto's
place where a fault says so: failed parts, throttling, expired credentials. moto knows none of them.
"""

import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import boto3
from support.ports import free_port
from support.quiet_server import QuietServer

REGION = "eu-central-1"
_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


@dataclass(kw_only=True)
class AwsFault:
    """Answers in place of moto where the request's `METHOD PATH?QUERY` fits `request`.

    `after` requests pass first, then `times` are answered with `status` and `body` (None: all).
    A status of 0 cuts the connection.
    """

    request: str
    status: int = 503
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    after: int = 0
    times: int | None = None

    def strikes(self, line: str) -> bool:
        """Tell whether the fault answers this request, and count it."""
        if re.search(self.request, line) is None:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


def s3_error(request: str, code: str, status: int, message: str = "no", **more: Any) -> AwsFault:
    """A fault that answers as S3 does: XML with the code."""
    xml = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return AwsFault(request=request, status=status, body=xml.encode(), **more)


def lambda_error(request: str, code: str, status: int, message: str, **more: Any) -> AwsFault:
    """A fault that answers as Lambda does: JSON, with the code in a header."""
    body = json.dumps({"message": message}).encode()
    headers = {"x-amzn-ErrorType": code, "Content-Type": "application/json"}
    return AwsFault(request=request, status=status, body=body, headers=headers, **more)


@dataclass(kw_only=True)
class AwsWorld:
    """The proxy's address, what was asked through it, and the faults it plays."""

    url: str
    moto_url: str
    requests: list[tuple[str, int]] = field(default_factory=list)
    faults: list[AwsFault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environment(self) -> dict[str, str]:
        """What the command needs to find this AWS and no other."""
        return {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI-secret",
            "AWS_SESSION_TOKEN": "session-token-secret",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_MAX_ATTEMPTS": "2",
            "AWS_RETRY_MODE": "standard",
        }

    def client(self, service: str) -> Any:
        """A client that speaks to moto directly, to look at what is there."""
        return boto3.client(
            service,
            endpoint_url=self.moto_url,
            region_name=REGION,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="test",  # noqa: S106 -- moto takes any
        )

    def forget(self) -> None:
        """Drop what was asked and every fault."""
        self.requests.clear()
        self.faults.clear()

    def asked(self, pattern: str) -> list[tuple[str, int]]:
        """The requests that fit, each with the bytes of its body."""
        return [each for each in self.requests if re.search(pattern, each[0])]

    def bucket(self, name: str, *, versioned: bool = False) -> str:
        """Make an empty bucket of that name."""
        s3 = self.client("s3")
        place = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
        if versioned:
            status = {"Status": "Enabled"}
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=status)
        return name

    def function(self, name: str, zipped: bytes, **settings: Any) -> str:
        """Create a function with that code and return its name."""
        policy = '{"Version":"2012-10-17","Statement":[]}'
        role = self.client("iam").create_role(
            RoleName=f"role-of-{name}", AssumeRolePolicyDocument=policy
        )
        self.client("lambda").create_function(
            **{
                "FunctionName": name,
                "Role": role["Role"]["Arn"],
                "Runtime": "python3.13",
                "Handler": "app.handler",
                "Architectures": ["x86_64"],
                "Code": {"ZipFile": zipped},
                **settings,
            }
        )
        return name


@contextmanager
def aws_world(log: Path) -> Iterator[AwsWorld]:
    """Run moto and the proxy in front of it; moto's log goes to `log`."""
    port = free_port()
    with log.open("wb") as out:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        moto = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            _wait_for(port, moto, log)
            with _proxy(port) as world:
                yield world
        finally:
            moto.kill()
            moto.wait()


def reset(world: AwsWorld) -> None:
    """Forget everything moto has."""
    request = urllib.request.Request(f"{world.moto_url}/moto-api/reset", method="POST")
    with urllib.request.urlopen(request, timeout=30):
        pass
    world.forget()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"moto did not start:\n{log.read_text(errors='replace')}")


@contextmanager
def _proxy(port: int) -> Iterator[AwsWorld]:
    server = QuietServer(("127.0.0.1", 0), _Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    server.world = world = AwsWorld(url=url, moto_url=f"http://127.0.0.1:{port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def _pass(self) -> None:
        world: AwsWorld = self.server.world  # type: ignore[attr-defined]
        line = f"{self.command} {self.path}"
        body = self._body()
        with world.lock:
            world.requests.append((line, len(body)))
            fault = next((each for each in world.faults if each.strikes(line)), None)
        if fault is None:
            self._forward(world, body)
        elif fault.status == 0:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._answer(fault.status, list(fault.headers.items()), fault.body)

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            pass  # the standard library has answered already
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            raise AssertionError("no client here sends chunks")
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _forward(self, world: AwsWorld, body: bytes) -> None:
        address = world.moto_url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=60)
        # moto tells a service by the host that was signed for, so the header stays as it came.
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP | {"expect"}}
        try:
            connection.request(self.command, self.path, body=body, headers=headers)
            answer = connection.getresponse()
            data = answer.read()
            self._answer(answer.status, answer.getheaders(), data)
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass  # noqa: N815 -- http.server's names
