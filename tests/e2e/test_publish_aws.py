"""`lpack publish zip` and `layer` against moto's server over HTTP, and what moto never does.

The command runs in this process: loading boto3 anew for each of its runs would take most of the
time. One test runs it as people do.
"""

import base64
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.aws_world import (
    AwsFault,
    AwsWorld,
    aws_world,
    lambda_error,
    reset,
    s3_error,
)
from support.built_manifest import zip_and_manifest
from support.fixture_wheels import FIXTURES
from support.index_server import IndexServer
from support.lpack_runner import Finished, LpackRunner

from packager.cli.main import run

_MIB = 1024 * 1024
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsWorld]:
    with aws_world(tmp_path_factory.mktemp("moto") / "log") as world:
        yield world


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A built zip in a folder of its own, and the command that publishes it."""

    folder: Path
    aws: AwsWorld
    lpack: LpackRunner

    @property
    def zip(self) -> Path:
        return self.folder / "dist" / "api.zip"

    @property
    def code_sha256(self) -> str:
        return base64.b64encode(hashlib.sha256(self.zip.read_bytes()).digest()).decode()

    def run(self, *argv: str, env: dict[str, str] | None = None) -> Finished:
        """Run the command in this process, with an environment of its own."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                patch.delenv(name)
            environment = self.lpack.environment(self.aws.environment if env is None else env)
            for name, value in environment.items():
                patch.setenv(name, value)
            with redirect_stdout(out), redirect_stderr(err):
                code = run(["publish", *argv])
        done = Finished(
            argv=("publish", *argv),
            exit_code=code,
            stdout=out.getvalue(),
            stderr=err.getvalue(),
            seconds=0,
        )
        assert "Traceback" not in done.stderr, done.explain()
        assert "secret" not in done.stdout + done.stderr, done.explain()
        return done

    def ok(self, *argv: str) -> list[dict[str, Any]]:
        done = self.run(*argv, "--output-format", "json")
        assert done.exit_code == 0, done.explain()
        rows: list[dict[str, Any]] = json.loads(done.stdout)["published"]
        return rows

    def fails(self, *argv: str, code: int = 4, env: dict[str, str] | None = None) -> Finished:
        done = self.run(*argv, env=env)
        assert done.exit_code == code, done.explain()
        lines = [line for line in done.stderr.splitlines() if not line.startswith("  ")]
        assert [line.partition(":")[0] for line in lines[-2:]] == ["error", "hint"], done.explain()
        assert done.stdout == ""
        return done

    def grow(self, total_bytes: int, *, tail: bytes = b"") -> None:
        """Make the zip that large; its manifest keeps telling of it."""
        data = self.zip.read_bytes()
        filler = hashlib.shake_256(b"filler").digest(total_bytes - len(data) - len(tail))
        self._write(data + filler + tail)

    def set(self, setting: str, value: str) -> None:
        """Change a setting of the function in its manifest."""
        path = self.zip.with_name("api.lpack.json")
        manifest = json.loads(path.read_text())
        manifest["function"][setting] = value
        path.write_text(json.dumps(manifest))

    def _write(self, data: bytes) -> None:
        self.zip.write_bytes(data)
        path = self.zip.with_name("api.lpack.json")
        manifest = json.loads(path.read_text())
        manifest["artifact"]["sha256"] = hashlib.sha256(data).hexdigest()
        manifest["artifact"]["compressed_bytes"] = len(data)
        path.write_text(json.dumps(manifest))

    def object(self, key: str) -> bytes:
        answer = self.aws.client("s3").get_object(Bucket="code", Key=key)
        body: bytes = answer["Body"].read()
        return body


@pytest.fixture
def published(running: AwsWorld, tmp_path: Path, shared_lpack: LpackRunner) -> Published:
    reset(running)
    dist = tmp_path / "project" / "dist"
    dist.mkdir(parents=True)
    path, manifest = zip_and_manifest(tmp_path)
    (dist / "api.zip").write_bytes(path.read_bytes())
    (dist / "api.lpack.json").write_text(json.dumps(manifest))
    layers = tmp_path / "project" / "layers"
    layers.mkdir()
    (layers / "api.zip").write_bytes(path.read_bytes())
    (layers / "deps.layer.lpack.json").write_text(json.dumps(manifest))
    running.bucket("code")
    running.forget()
    return Published(folder=tmp_path / "project", aws=running, lpack=shared_lpack)


def test_a_zip_goes_to_s3_once(published: Published) -> None:
    (row,) = published.ok("zip", "--s3", "s3://code/api.zip")
    assert row["outcome"] == "uploaded"
    assert row["code_sha256"] == published.code_sha256
    assert published.object("api.zip") == published.zip.read_bytes()
    published.aws.forget()
    (again,) = published.ok("zip", "--s3", "s3://code/api.zip")
    assert again["outcome"] == "unchanged"
    assert published.aws.asked("^(PUT|POST) ") == []


def test_as_people_run_it(published: Published) -> None:
    environment = published.aws.environment
    argv = ("publish", "zip", "--s3", "s3://code/api.zip")
    done = published.lpack.run(*argv, cwd=published.folder, env=environment)
    assert done.exit_code == 0, done.explain()
    assert done.stdout == "s3://code/api.zip\n"
    assert published.object("api.zip") == published.zip.read_bytes()


def test_a_key_that_is_a_folder_gets_a_name_made_of_the_content(published: Published) -> None:
    done = published.run("zip", "--s3", "s3://code/lambda/")
    name = f"api-{hashlib.sha256(published.zip.read_bytes()).hexdigest()[:16]}.zip"
    assert done.stdout == f"s3://code/lambda/{name}\n"
    assert published.object(f"lambda/{name}") == published.zip.read_bytes()


def test_other_bytes_at_the_key_are_replaced(published: Published) -> None:
    published.aws.client("s3").put_object(Bucket="code", Key="api.zip", Body=b"x")
    (row,) = published.ok("zip", "--s3", "s3://code/api.zip")
    assert row["outcome"] == "uploaded"
    assert published.object("api.zip") == published.zip.read_bytes()


def test_the_version_of_a_versioned_object_is_told(published: Published) -> None:
    published.aws.bucket("versions", versioned=True)
    (row,) = published.ok("zip", "--s3", "s3://versions/api.zip")
    versions = published.aws.client("s3").list_object_versions(Bucket="versions")["Versions"]
    assert row["version"] == versions[0]["VersionId"]
    (again,) = published.ok("zip", "--s3", "s3://versions/api.zip")
    assert again["outcome"] == "unchanged"


def test_a_small_zip_goes_straight_into_its_function(published: Published) -> None:
    published.aws.function("api", EMPTY_ZIP)
    published.aws.forget()
    done = published.run("zip", "--function-name", "api")
    assert done.exit_code == 0, done.explain()
    assert "below 50.0 MiB: straight into the function `api`" in done.stderr
    assert done.stdout == "arn:aws:lambda:eu-central-1:123456789012:function:api\n"
    lambda_client = published.aws.client("lambda")
    configuration = lambda_client.get_function_configuration(FunctionName="api")
    assert configuration["CodeSha256"] == published.code_sha256
    published.aws.forget()
    (again,) = published.ok("zip", "--function-name", "api")
    assert again["outcome"] == "unchanged"
    assert published.aws.asked("^(PUT|POST) ") == []


def test_what_is_too_large_for_a_request_asks_for_a_bucket(published: Published) -> None:
    published.grow(52_428_800)
    done = published.fails("zip", "--function-name", "api", code=2)
    assert "has 50.0 MiB (52,428,800 bytes), not below 50.0 MiB: it goes through S3" in done.stderr
    assert "hint: --s3 s3://BUCKET/api.zip" in done.stderr


def test_a_function_gets_the_very_version_of_an_object(published: Published) -> None:
    published.set("upload", "s3")
    published.aws.bucket("versions", versioned=True)
    published.aws.function("api", EMPTY_ZIP)
    argv = ("zip", "--function-name", "api", "--s3", "s3://versions/api.zip")
    stored, function = published.ok(*argv)
    assert (stored["kind"], function["kind"]) == ("object", "function")
    assert (stored["outcome"], function["outcome"]) == ("uploaded", "uploaded")
    assert stored["version"]
    published.aws.forget()
    assert [row["outcome"] for row in published.ok(*argv)] == ["unchanged", "unchanged"]
    assert published.aws.asked("^(PUT|POST) ") == []


@pytest.mark.slow
@pytest.mark.index
def test_a_real_artifact_above_the_limit_goes_through_s3(
    running: AwsWorld,
    tmp_path: Path,
    shared_lpack: LpackRunner,
    real_index: Callable[[str], IndexServer],
) -> None:
    reset(running)
    running.bucket("code")
    running.function("data", EMPTY_ZIP, Runtime="python3.11", Handler="handler.lambda_handler")
    index = real_index("python3.11-x86_64")
    for name in ("handler.py", "requirements-py311.txt"):
        shutil.copy(FIXTURES / "workloads" / "W3" / name, tmp_path / name)
    options = ("--handler", "handler.lambda_handler", "--runtime", "python3.11", "--upload", "s3")
    requirements = ("--requirements", "requirements-py311.txt", "--index-url", index.url)
    shared_lpack.ok("build", *options, *requirements, cwd=tmp_path)
    (path,) = (tmp_path / "dist").glob("*.zip")
    assert path.stat().st_size > 52_428_800
    published = Published(folder=tmp_path, aws=running, lpack=shared_lpack)
    argv = ("zip", "--function-name", "data", "--s3", "s3://code/real/")
    running.faults.append(s3_error("partNumber=7(&|$)", "InternalError", 500))
    published.fails(*argv)
    running.forget()
    stored, function = published.ok(*argv)
    assert 0 < stored["sent_bytes"] < path.stat().st_size
    digest = base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()
    settled = running.client("lambda").get_function_configuration(FunctionName="data")
    assert settled["CodeSha256"] == digest == function["code_sha256"]
    running.forget()
    assert [row["outcome"] for row in published.ok(*argv)] == ["unchanged", "unchanged"]


def test_a_dry_run_does_nothing(published: Published) -> None:
    published.aws.function("api", EMPTY_ZIP)
    published.aws.forget()
    (row,) = published.ok("zip", "--function-name", "api", "--dry-run")
    assert row["outcome"] == "would-upload"
    (row,) = published.ok("zip", "--s3", "s3://code/api.zip", "--dry-run")
    assert row["outcome"] == "would-upload"
    (row,) = published.ok("layer", "deps", "--artifact", "layers", "--dry-run")
    assert row["outcome"] == "would-upload"
    assert published.aws.asked("^(PUT|POST) ") == []


def test_a_layer_gets_a_version_only_when_it_changed(published: Published) -> None:
    done = published.run("layer", "deps", "--artifact", "layers")
    assert done.stdout == "arn:aws:lambda:eu-central-1:123456789012:layer:deps:1\n"
    (again,) = published.ok("layer", "deps", "--artifact", "layers")
    assert (again["outcome"], again["version"]) == ("unchanged", "1")
    published.grow(published.zip.stat().st_size + 9)
    layers = published.folder / "layers"
    (layers / "api.zip").write_bytes(published.zip.read_bytes())
    manifest = published.zip.with_name("api.lpack.json").read_text()
    (layers / "deps.layer.lpack.json").write_text(manifest)
    argv = ("layer", "deps", "--artifact", "layers")
    (changed,) = published.ok(*argv)
    assert (changed["outcome"], changed["version"]) == ("uploaded", "2")
    (elsewhere,) = published.ok(*argv, "--layer-name", "other")
    assert elsewhere["place"].endswith(":layer:other:1")


_SIZE = 24 * _MIB
_PARTS = 3


def test_a_failed_part_ends_in_an_error_and_the_next_run_continues(published: Published) -> None:
    published.grow(_SIZE)
    fault = s3_error("partNumber=2(&|$)", "InternalError", 500, "We encountered an internal error.")
    published.aws.faults.append(fault)
    done = published.fails("zip", "--s3", "s3://code/api.zip")
    assert "parts are there and stay" in done.stderr
    published.aws.forget()
    (row,) = published.ok("zip", "--s3", "s3://code/api.zip")
    assert row["outcome"] == "uploaded"
    again = published.aws.asked("partNumber=")
    assert 1 <= len(again) < _PARTS
    assert row["sent_bytes"] == sum(size for _, size in again) < _SIZE
    assert published.aws.asked("partNumber=2(&|$)")
    assert published.aws.asked(r"POST .*\?uploads") == []
    assert published.object("api.zip") == published.zip.read_bytes()


def test_a_change_of_the_end_sends_only_the_end(published: Published) -> None:
    published.grow(_SIZE)
    published.aws.faults.append(s3_error("partNumber=3(&|$)", "InternalError", 500))
    published.fails("zip", "--s3", "s3://code/api.zip")
    data = published.zip.read_bytes()
    published._write(data[:-9] + b"other end")
    published.aws.forget()
    (row,) = published.ok("zip", "--s3", "s3://code/api.zip")
    assert "partNumber=1(&|$)" not in str(published.aws.asked("partNumber="))
    assert published.object("api.zip") == published.zip.read_bytes()
    assert row["code_sha256"] == published.code_sha256


def test_a_connection_that_is_cut_is_tried_again(published: Published) -> None:
    published.grow(_SIZE)
    published.aws.faults.append(AwsFault(request="partNumber=2(&|$)", status=0, times=1))
    (row,) = published.ok("zip", "--s3", "s3://code/api.zip")
    assert row["outcome"] == "uploaded"
    assert published.object("api.zip") == published.zip.read_bytes()


def test_a_throttled_call_is_tried_again_and_then_told(published: Published) -> None:
    published.aws.function("api", EMPTY_ZIP)
    fault = lambda_error("PUT .*/code$", "TooManyRequestsException", 429, "Rate exceeded")
    published.aws.faults.append(fault)
    published.aws.forget()
    published.aws.faults.append(fault)
    done = published.fails("zip", "--function-name", "api")
    assert "AWS asks to slow down" in done.stderr
    assert len(published.aws.asked("PUT .*/code$")) == 2
    published.aws.forget()
    (row,) = published.ok("zip", "--function-name", "api")
    assert row["outcome"] == "uploaded"


def test_throttling_in_the_middle_of_an_upload(published: Published) -> None:
    published.grow(_SIZE)
    slow = s3_error("partNumber=", "SlowDown", 503, "Please reduce your request rate.", after=2)
    published.aws.faults.append(slow)
    done = published.fails("zip", "--s3", "s3://code/api.zip")
    assert "AWS asks to slow down" in done.stderr
    assert "2 of 3 parts are there and stay" in done.stderr
    published.aws.forget()
    (row,) = published.ok("zip", "--s3", "s3://code/api.zip")
    assert row["sent_bytes"] == _SIZE - 2 * 8 * _MIB
    assert published.object("api.zip") == published.zip.read_bytes()


@pytest.mark.parametrize(
    "where",
    [
        "part",
        "lambda",
        pytest.param("get_attributes", marks=pytest.mark.slow),
        pytest.param("create", marks=pytest.mark.slow),
        pytest.param("complete", marks=pytest.mark.slow),
    ],
)
def test_expired_credentials_anywhere(published: Published, where: str) -> None:
    published.aws.function("api", EMPTY_ZIP)
    if where != "lambda":
        published.grow(_SIZE)
    said = "The provided token has expired."
    fault = {
        "get_attributes": s3_error("GET /code/api.zip", "ExpiredToken", 400, said),
        "create": s3_error(r"POST .*\?uploads", "ExpiredToken", 400, said),
        "part": s3_error("partNumber=", "ExpiredToken", 400, said, after=1),
        "complete": s3_error("POST .*uploadId=", "ExpiredToken", 400, said),
        "lambda": lambda_error(
            "PUT .*/code$",
            "ExpiredTokenException",
            403,
            "The security token included in the request is expired",
        ),
    }[where]
    argv = ["zip", "--s3", "s3://code/api.zip"] if where != "lambda" else ["zip"]
    argv += ["--function-name", "api"] if where == "lambda" else []
    published.aws.forget()
    published.aws.faults.append(fault)
    done = published.fails(*argv)
    assert "error: cannot publish `dist/api.zip`: the AWS credentials have expired" in done.stderr
    published.aws.forget()
    rows = published.ok(*argv)
    assert rows[-1]["outcome"] == "uploaded"
    if where == "complete":
        assert rows[-1]["sent_bytes"] == 0
    if where == "part":
        assert rows[-1]["sent_bytes"] < _SIZE


@pytest.mark.parametrize(
    ("argv", "said", "code"),
    [
        (("zip", "--s3", "s3://nowhere/api.zip"), "there is no such bucket", 4),
        (("zip", "--function-name", "nobody"), "there is no such function", 4),
        (("zip", "--s3", "code/api.zip"), "is no place in S3", 2),
        (("zip", "--s3", "s3://"), "is no place in S3", 2),
        (("zip",), "where `dist/api.zip` should go is not said", 2),
        (("zip", "other", "--s3", "s3://code/"), "no function is called `other`", 2),
        (("layer", "other", "--artifact", "layers"), "no layer is called `other`", 2),
        (("layer", "--artifact", "dist/api.lpack.json"), "is not a layer's manifest", 2),
        (("layer", "--artifact", "nowhere"), "there is no layer in `nowhere`", 2),
        (("zip", "--s3", "s3://code/a", "--profile", "none"), "no AWS credentials were found", 4),
    ],
)
def test_what_is_not_there(
    published: Published, argv: tuple[str, ...], said: str, code: int
) -> None:
    assert said in published.fails(*argv, code=code).stderr


@pytest.mark.parametrize(
    ("argv", "without", "said"),
    [
        (("--s3", "s3://code/a"), "AWS_ACCESS_KEY_ID", "no AWS credentials were found"),
        (("--function-name", "api"), "AWS_DEFAULT_REGION", "no region is set"),
    ],
)
def test_an_empty_configuration(
    published: Published, argv: tuple[str, ...], without: str, said: str
) -> None:
    environment = {k: v for k, v in published.aws.environment.items() if k != without}
    assert said in published.fails("zip", *argv, env=environment).stderr


def test_nobody_answers(published: Published) -> None:
    done = published.fails(
        "zip",
        "--s3",
        "s3://code/a",
        env=published.aws.environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
    )
    assert "AWS could not be reached" in done.stderr


def test_a_bucket_in_another_region(published: Published) -> None:
    said = "Error occurred while GetObject. S3 Error Code: PermanentRedirect. S3 Error Message: "
    said += "The bucket is in this region: us-east-1. Please use this region to retry the request"
    published.aws.function("api", EMPTY_ZIP)
    published.set("upload", "s3")
    fault = lambda_error("PUT .*/code$", "InvalidParameterValueException", 400, said)
    published.aws.faults.append(fault)
    argv = ("zip", "--function-name", "api", "--s3", "s3://code/api.zip")
    assert "the bucket is in another region" in published.fails(*argv).stderr


def test_without_the_permission_to_look_it_uploads_all_the_same(published: Published) -> None:
    published.aws.faults += [
        s3_error("GET /code/api.zip.*attributes", "AccessDenied", 403),
        AwsFault(request="HEAD /code/api.zip", status=403),
    ]
    (row,) = published.ok("zip", "--s3", "s3://code/api.zip")
    assert row["outcome"] == "uploaded"
    published.aws.faults = [s3_error("/code/api.zip", "AccessDenied", 403, "Access Denied")]
    assert (
        "these credentials may not do this"
        in published.fails("zip", "--s3", "s3://code/api.zip").stderr
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"Architectures": ["arm64"]}, "the function `api` is for arm64, the artifact for x86_64"),
        ({"Runtime": "python3.12"}, "runs on python3.12, the artifact is for python3.13"),
    ],
)
def test_code_that_the_function_could_not_run(
    published: Published, settings: dict[str, Any], said: str
) -> None:
    published.aws.function("api", EMPTY_ZIP, **settings)
    published.aws.forget()
    assert said in published.fails("zip", "--function-name", "api").stderr
    assert published.aws.asked("^(PUT|POST) ") == []


def test_other_code_than_was_sent(published: Published) -> None:
    published.aws.function("api", EMPTY_ZIP)
    answer = json.dumps({"CodeSha256": "AAAA", "FunctionName": "api"}).encode()
    published.aws.forget()
    published.aws.faults.append(AwsFault(request="PUT .*/code$", status=200, body=answer))
    assert (
        "has other code than was built" in published.fails("zip", "--function-name", "api").stderr
    )


def test_a_zip_that_changed_after_its_build(published: Published) -> None:
    with published.zip.open("ab") as file:
        file.write(b"x")
    done = published.fails("zip", "--s3", "s3://code/api.zip", code=2)
    assert "is not the zip its manifest describes" in done.stderr
