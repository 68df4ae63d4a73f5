"""The bootstrap of `offload` against moto's server over HTTP, and what moto never does."""

import random
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from support.aws_world import REGION, AwsFault, AwsWorld, aws_world, reset, s3_error
from support.offload_world import CODE, DEMO, Task, make_task
from support.quiet_server import QuietServer
from support.traced_world import PYTHONS, python_of

from packager.bootstrap import lpack_offload

THIS = sys.executable
BUCKET = "archives"
# More than two ranges, and nothing that compresses.
LARGE = {**DEMO, "demo/large.bin": random.Random(1).randbytes(17 << 20)}  # noqa: S311 -- filling


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsWorld]:
    with aws_world(tmp_path_factory.mktemp("moto") / "log") as world:
        yield world


@pytest.fixture
def aws(running: AwsWorld) -> Iterator[AwsWorld]:
    yield running
    running.forget()
    reset(running)


def fetching(
    root: Path, aws: AwsWorld, *, versioned: bool = True, pin: bool = True, **more: Any
) -> Task:
    """A task whose archive is in a bucket, and which asks for the version that it has there."""
    aws.bucket(BUCKET, versioned=versioned)

    def upload(key: str, data: bytes) -> str | None:
        version = put(aws, key, data)
        return version if pin else None

    task = make_task(root, bucket=BUCKET, upload=upload, **more)
    variables = {**aws.environment, "AWS_REGION": REGION, "AWS_ENDPOINT_URL_S3": aws.url}
    return replace(task, variables=variables)


def put(aws: AwsWorld, key: str, data: bytes) -> str | None:
    answer = aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=data)
    version: str | None = answer.get("VersionId")
    return version


@pytest.fixture
def task(tmp_path: Path, aws: AwsWorld) -> Task:
    return fetching(tmp_path / "t", aws)


@pytest.mark.parametrize("version", PYTHONS)
def test_an_object_arrives(task: Task, aws: AwsWorld, version: str) -> None:
    python = python_of(version)
    assert task.ok(python).stdout == "whole\n"
    assert task.left() == ["folder", "lock"]
    assert task.ok(python).stdout == "whole\n"
    [(asked, _)] = aws.asked("GET ")
    assert "versionId=" in asked


def test_a_large_one_arrives_in_ranges(tmp_path: Path, aws: AwsWorld) -> None:
    task = fetching(tmp_path / "t", aws, distributions={"demo": LARGE})
    assert task.ok(THIS).stdout == "whole\n"
    assert len(aws.asked("GET ")) == 3


def test_the_version_that_was_pinned_arrives(task: Task, aws: AwsWorld) -> None:
    put(aws, task.archives[0].archive.object_key, b"something newer")
    assert task.ok(THIS).stdout == "whole\n"


@pytest.mark.parametrize("other", [b"short", b"x" * 1000])
def test_other_bytes_are_refused(tmp_path: Path, aws: AwsWorld, other: bytes) -> None:
    task = fetching(tmp_path / "t", aws, versioned=False, pin=False)
    length = task.archives[0].archive.compressed_bytes
    put(aws, task.archives[0].archive.object_key, (other * length)[:length])
    assert "demo-1.0.zip is not what was built" in task.refused(THIS)
    assert task.left() == ["lock"]


def test_what_s3_refuses_is_told_at_once(task: Task, aws: AwsWorld) -> None:
    aws.faults.append(s3_error("GET ", "AccessDenied", 403))
    line = task.refused(THIS)
    place = f"s3://{BUCKET}/{task.archives[0].archive.object_key}"
    assert line == f"cannot unpack demo 1.0: cannot fetch {place}: S3 answered 403 AccessDenied"
    assert len(aws.asked("GET ")) == 1


def test_an_object_that_is_gone(task: Task, aws: AwsWorld) -> None:
    key = task.archives[0].archive.object_key
    s3 = aws.client("s3")
    for each in s3.list_object_versions(Bucket=BUCKET)["Versions"]:
        s3.delete_object(Bucket=BUCKET, Key=key, VersionId=each["VersionId"])
    assert "S3 answered 404 NoSuch" in task.refused(THIS)


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("InternalError", 500)])
def test_trouble_that_passes_is_waited_for(
    task: Task, aws: AwsWorld, code: str, status: int
) -> None:
    aws.faults.append(s3_error("GET ", code, status, times=2))
    assert task.ok(THIS).stdout == "whole\n"
    assert len(aws.asked("GET ")) == 3


def test_trouble_that_stays_ends_with_the_deadline(task: Task, aws: AwsWorld) -> None:
    aws.faults.append(s3_error("GET ", "SlowDown", 503))
    hurry = "import lpack_offload\nlpack_offload._S3_SECONDS = 0.5\n"
    assert "not within 0 s: S3 answered 503 SlowDown" in task.refused(THIS, hurry + CODE)


def test_nobody_there(task: Task) -> None:
    hurry = "import lpack_offload\nlpack_offload._S3_SECONDS = 0.5\n"
    line = task.refused(THIS, hurry + CODE, AWS_ENDPOINT_URL_S3="http://127.0.0.1:1")
    assert "Connection refused" in line


def test_a_redirect_is_not_followed(task: Task, aws: AwsWorld) -> None:
    headers = {"Location": aws.moto_url}
    aws.faults.append(
        AwsFault(
            request="GET ", status=301, body=b"<Code>PermanentRedirect</Code>", headers=headers
        )
    )
    assert "S3 answered 301 PermanentRedirect" in task.refused(THIS)


def test_no_secret_is_in_any_text(task: Task, aws: AwsWorld) -> None:
    aws.faults.append(s3_error("GET ", "AccessDenied", 403))
    done = task.run(THIS)
    for secret in ("wJalrXUtnFEMI", "session-token-secret", "AKID", "Signature="):
        assert secret not in done.stdout + done.stderr


def test_without_credentials(task: Task) -> None:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    bare = {name: value for name, value in task.variables.items() if name not in names}
    line = replace(task, variables=bare).refused(THIS)
    assert "there are no AWS credentials in the environment" in line


class Vault(BaseHTTPRequestHandler):
    """Hands out credentials as the address that SnapStart functions have."""

    asked: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.asked.append(self.headers["authorization"])
        body = b'{"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "s", "Token": "t"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_credentials_of_snapstart(task: Task) -> None:
    bare = {name: value for name, value in task.variables.items() if "_KEY" not in name}
    with QuietServer(("127.0.0.1", 0), Vault) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/credentials"
        variables = {
            **bare,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": address,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "of the machine",
        }
        assert replace(task, variables=variables).ok(THIS).stdout == "whole\n"
        server.shutdown()
    assert Vault.asked == ["of the machine"]


PLACES: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "in the host": ({}, {}, "https://archives.s3.eu-central-1.amazonaws.com/p/a%2Bb%20c.zip"),
    "a dot": (
        {"bucket": "my.archives"},
        {},
        "https://s3.eu-central-1.amazonaws.com/my.archives/p/a%2Bb%20c.zip",
    ),
    "China": (
        {},
        {"AWS_REGION": "cn-north-1"},
        "https://archives.s3.cn-north-1.amazonaws.com.cn/p/a%2Bb%20c.zip",
    ),
    "an endpoint": (
        {},
        {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9000/base"},
        "http://127.0.0.1:9000/base/archives/p/a%2Bb%20c.zip",
    ),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("token", ["session/token+1=", ""])
@pytest.mark.parametrize("version", ["3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY/x.y_z", None])
def test_the_signature_is_botocores(
    monkeypatch: pytest.MonkeyPatch, place: str, token: str, version: str | None
) -> None:
    more, variables, url = PLACES[place]
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    own = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret/key"}
    region = {"AWS_REGION": "eu-central-1"}
    for name, value in {**own, **region, **variables}.items():
        monkeypatch.setenv(name, value)
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    known = {"bucket": "archives", "key": "p/a+b c.zip", "object_version": version, **more}
    wanted = lpack_offload._Object(known)
    headers = wanted._signed()

    quoted = f"?{wanted.query}" if version else ""
    assert f"{'https' if wanted.tls else 'http'}://{wanted.host}{wanted.path}" == url
    request = AWSRequest("GET", url + quoted, headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    request.context["timestamp"] = headers["x-amz-date"]
    request.context["payload_signing_enabled"] = False
    credentials = Credentials("AKID", "secret/key", token or None)
    signer = S3SigV4Auth(credentials, "s3", variables.get("AWS_REGION", "eu-central-1"))
    request.headers["X-Amz-Date"] = headers["x-amz-date"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    assert headers["authorization"].rpartition("Signature=")[2] == signature
