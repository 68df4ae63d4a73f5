"""A shared store behind nginx and in S3: what one machine made, the others need not make."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support.aws_world import AwsWorld, aws_world
from support.index_server import IndexServer
from support.nginx_store import PASSWORD, NginxStore, nginx_store
from support.shared_world import Machine, make_wheels

URL, MODE, KEY = "LPACK_SHARED_STORE", "LPACK_SHARED_STORE_MODE", "LPACK_SHARED_STORE_KEY"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_wheels(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def other_alpha(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_wheels(tmp_path_factory.mktemp("other"), alpha="1.0")[0]


@pytest.fixture(scope="module")
def index(wheels: list[Path], other_alpha: Path) -> Iterator[IndexServer]:
    with IndexServer([*wheels, other_alpha]) as server:
        yield server


def machine(
    folder: Path,
    index: IndexServer,
    wheels: list[Path],
    env: dict[str, str] | None = None,
    *,
    hashed: bool = True,
) -> Machine:
    made = Machine(folder=folder, index=index, environment=env or {})
    made.check_out(wheels, hashed=hashed)
    return made


class Filled(NamedTuple):
    """A store that one machine filled, and what that machine built."""

    nginx: NginxStore
    outputs: dict[str, bytes]
    said: str


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory, index: IndexServer, wheels: list[Path]
) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("filled")
    with nginx_store(folder / "nginx") as nginx:
        first = machine(folder / "first", index, wheels, {URL: nginx.url_with_password})
        done = first.build()
        assert done.exit_code == 0, done.explain()
        yield Filled(nginx, first.outputs(), done.stderr)


def test_a_second_machine_needs_neither_resolver_nor_wheels(
    tmp_path: Path, index: IndexServer, wheels: list[Path], filled: Filled
) -> None:
    nginx = filled.nginx
    alone = machine(tmp_path / "alone", index, wheels)
    second = machine(tmp_path / "second", index, wheels, {URL: nginx.url, MODE: "read"})
    assert alone.build().exit_code == 0
    assert "to the shared store" in filled.said
    asked, added = len(index.requests), nginx.values("ac") + nginx.values("cas")
    done = second.build()
    assert done.exit_code == 0, done.explain()
    assert "3 payloads from the shared store, no wheel fetched" in done.stderr
    assert index.requests[asked:] == []
    assert second.outputs() == filled.outputs == alone.outputs()
    assert nginx.values("ac") + nginx.values("cas") == added
    told = "".join(path.read_text(errors="replace") for path in nginx.values("ac"))
    assert PASSWORD not in told + done.stderr + filled.said


def test_open_requirements_are_resolved_and_the_rest_comes_from_the_store(
    tmp_path: Path, index: IndexServer, wheels: list[Path], filled: Filled
) -> None:
    env = {URL: filled.nginx.url_with_password}
    first = machine(tmp_path / "first", index, wheels, env, hashed=False)
    second = machine(tmp_path / "second", index, wheels, env, hashed=False)
    assert first.build().exit_code == 0
    asked, fetched = len(index.requests), len(index.downloads)
    assert second.build().exit_code == 0
    assert index.requests[asked:] != []
    assert index.downloads[fetched:] == []
    assert second.outputs() == first.outputs()


def test_only_the_wheel_that_changed_is_fetched(
    tmp_path: Path, index: IndexServer, wheels: list[Path], other_alpha: Path, filled: Filled
) -> None:
    env = {URL: filled.nginx.url_with_password}
    fetched = len(index.downloads)
    changed = [other_alpha, *wheels[1:]]
    second = machine(tmp_path / "second", index, changed, env)
    done = second.build()
    assert done.exit_code == 0, done.explain()
    assert "2 payloads from the shared store" in done.stderr
    assert index.downloads[fetched:] == [other_alpha.name]
    # Another slimming needs the wheels whose admission was only heard of.
    third = machine(tmp_path / "third", index, changed, env)
    done = third.build("--slim", "off")
    assert done.exit_code == 0, done.explain()
    alone = machine(tmp_path / "alone", index, changed)
    assert alone.build("--slim", "off").exit_code == 0
    assert third.outputs() == alone.outputs()


def test_a_bill_of_materials_needs_the_wheels_and_gets_them(
    tmp_path: Path, index: IndexServer, wheels: list[Path], filled: Filled
) -> None:
    pytest.importorskip("cyclonedx")
    fetched = len(index.downloads)
    one = machine(tmp_path / "one", index, wheels, {URL: filled.nginx.url})
    done = one.build("--sbom")
    assert done.exit_code == 0, done.explain()
    assert "3 payloads from the shared store" in done.stderr
    assert len(index.downloads[fetched:]) == 3
    assert "project.cdx.json" in one.outputs()


def test_what_nobody_with_the_key_wrote_is_not_used(
    tmp_path: Path, index: IndexServer, wheels: list[Path], filled: Filled
) -> None:
    env = {URL: filled.nginx.url_with_password, KEY: "0123456789abcdef"}
    first = machine(tmp_path / "first", index, wheels, env)
    done = first.build()
    assert done.exit_code == 0, done.explain()
    assert "is not signed with LPACK_SHARED_STORE_KEY" in done.stderr
    assert first.outputs() == filled.outputs
    # What was wrong was replaced.
    done = machine(tmp_path / "second", index, wheels, env).build()
    assert "no wheel fetched" in done.stderr, done.explain()
    assert "warning" not in done.stderr


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsWorld]:
    with aws_world(tmp_path_factory.mktemp("moto") / "log") as world:
        yield world


def test_two_machines_share_a_bucket(
    tmp_path: Path, index: IndexServer, wheels: list[Path], aws: AwsWorld
) -> None:
    pytest.importorskip("obstore")
    bucket = aws.bucket("shared-store")
    env = {**aws.environment, URL: f"s3://{bucket}/lpack"}
    first = machine(tmp_path / "first", index, wheels, env)
    second = machine(tmp_path / "second", index, wheels, env)
    done = first.build()
    assert done.exit_code == 0, done.explain()
    listed = aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert {each["Key"].split("/")[1] for each in listed} == {"ac", "cas"}
    fetched = len(index.downloads)
    done = second.build()
    assert "3 payloads from the shared store, no wheel fetched" in done.stderr, done.explain()
    assert index.downloads[fetched:] == []
    assert second.outputs() == first.outputs()
    assert "secret" not in done.stderr


def test_a_bucket_that_is_not_there_is_told_once(
    tmp_path: Path, index: IndexServer, wheels: list[Path], aws: AwsWorld
) -> None:
    pytest.importorskip("obstore")
    env = {**aws.environment, URL: "s3://no-such-bucket/lpack"}
    done = machine(tmp_path / "one", index, wheels, env).build()
    assert done.exit_code == 0, done.explain()
    assert done.stderr.count("warning") == 1, done.stderr
    assert "secret" not in done.stderr
