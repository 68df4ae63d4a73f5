"""Both resolvers, as real processes against a real index, for targets that are not this machine."""

import hashlib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.index_server import Fault, IndexServer
from support.lock_world import (
    PASSWORD,
    USER,
    Locker,
    chosen,
    declared,
    pack_sdist,
    source_project,
)
from support.wheel_builder import build_wheel

from packager.errors import CannotBuild, UsageError
from packager.lock.backend import Resolver
from packager.lock.lockfile import lock_of, parse_lock, render_lock
from packager.model.attestation import LockedFile
from packager.model.requirement import IndexSettings, LocalProject, RequirementSet

CASES = Path(__file__).parents[2] / "cases" / "lock" / "failures" / "cases.toml"
FAILURES: list[dict[str, Any]] = tomllib.loads(CASES.read_text(encoding="utf-8"))["case"]
both = pytest.mark.parametrize("resolver", ["uv", "pip"])


@both
@pytest.mark.parametrize(
    ("runtime", "architecture", "leaf", "python", "machine"),
    [
        ("python3.11", "x86_64", "1.0", "cp311", "x86_64"),
        ("python3.13", "x86_64", "2.0", "cp313", "x86_64"),
        ("python3.11", "arm64", "1.0", "cp311", "aarch64"),
        ("python3.13", "arm64", "2.0", "cp313", "aarch64"),
    ],
)
def test_markers_and_tags_are_the_targets(
    locker: Locker,
    resolver: Resolver,
    runtime: str,
    architecture: str,
    leaf: str,
    python: str,
    machine: str,
) -> None:
    locked = locker(
        "marked",
        "native",
        "stable",
        'plain==1.0; python_version < "3.12"',
        resolver=resolver,
        runtime=runtime,
        architecture=architecture,
    )
    expected = {
        "leaf": f"leaf-{leaf}-py3-none-any.whl",
        "marked": "marked-1.0-py3-none-any.whl",
        "native": f"native-1.0-{python}-{python}-manylinux_2_17_{machine}.whl",
        "stable": f"stable-1.0-cp39-abi3-manylinux_2_17_{machine}.whl",
    }
    if machine == "aarch64":
        expected["other"] = "other-1.0-py3-none-any.whl"
    if runtime == "python3.11":
        expected["plain"] = "plain-1.0-py3-none-any.whl"
    assert chosen(locked) == expected
    assert locked.selection.resolver.startswith(f"{resolver} ")
    assert [pin.name for pin in locked.selection.pins] == sorted(expected)


@both
def test_digests_and_places_are_those_of_the_index(
    locker: Locker, index: IndexServer, world: Path, resolver: Resolver
) -> None:
    (pin,) = locker("other", resolver=resolver).selection.pins
    wheel = pin.wheel
    assert wheel.sha256 == hashlib.sha256((world / wheel.filename).read_bytes()).hexdigest()
    # The download needs the credentials; the lock that may be written must not have them.
    assert wheel.url == f"{index.url_with(USER, PASSWORD).removesuffix('/simple')}/files/" + (
        wheel.filename
    )


@both
def test_extras_and_constraints(locker: Locker, resolver: Resolver) -> None:
    requirements = RequirementSet(
        declared=declared("plain[more]"), constraints=declared("leaf<2", "nosuch==4")
    )
    locked = locker(resolver=resolver, requirements=requirements)
    assert set(chosen(locked)) == {"leaf", "other", "plain"}
    assert chosen(locked)["leaf"] == "leaf-1.0-py3-none-any.whl"


def test_what_uv_cannot_be_told_is_resolved_by_pip(locker: Locker) -> None:
    # Amazon Linux 2 has glibc 2.26; uv knows 2.17 and 2.28, and this wheel needs 2.24.
    locked = locker("middle", resolver="uv", runtime="python3.11")
    assert chosen(locked) == {"middle": "middle-1.0-cp311-cp311-manylinux_2_24_x86_64.whl"}
    assert locked.selection.resolver.startswith("pip ")


@both
@pytest.mark.parametrize("case", FAILURES, ids=[case["title"] for case in FAILURES])
def test_failures_are_told_in_the_projects_words(
    locker: Locker, resolver: Resolver, case: dict[str, Any]
) -> None:
    with pytest.raises(CannotBuild) as caught:
        locker(
            *case["requirements"],
            resolver=resolver,
            runtime=case.get("runtime", "python3.13"),
            architecture=case.get("architecture", "x86_64"),
        )
    error = caught.value
    assert (error.message, error.hint) == (case["message"], case["hint"])
    told = "\n".join(error.details)
    assert [text for text in case["details"] if text not in told] == []
    assert PASSWORD not in told
    assert "s3cret" not in told


@both
def test_a_closed_door_is_told_apart_from_no_network(
    locker: Locker, index: IndexServer, resolver: Resolver
) -> None:
    with pytest.raises(CannotBuild) as denied:
        locker("leaf", resolver=resolver, settings=IndexSettings(index_url=index.url))
    assert denied.value.message == (
        f"the package index `127.0.0.1:{index.port}` refuses access (401)"
    )
    nobody = IndexSettings(index_url="http://127.0.0.1:9/simple")
    with pytest.raises(CannotBuild) as unreachable:
        locker("leaf", resolver=resolver, settings=nobody)
    assert unreachable.value.message == "cannot reach the package index `127.0.0.1:9`"


@both
def test_offline_uses_no_network(locker: Locker, index: IndexServer, resolver: Resolver) -> None:
    before = len(index.requests)
    with pytest.raises(CannotBuild) as caught:
        locker("intel", resolver=resolver, offline=True)
    assert "--offline" in caught.value.message
    assert len(index.requests) == before


@both
def test_a_folder_of_wheels_serves_offline(locker: Locker, world: Path, resolver: Resolver) -> None:
    spaced = world.with_name("with a space")
    if not spaced.exists():
        spaced.symlink_to(world)
    folder = IndexSettings(find_links=(str(spaced),), no_index=True)
    locked = locker("new", resolver=resolver, settings=folder, offline=True)
    assert set(chosen(locked)) == {"leaf", "new"}
    assert all(pin.wheel.path and pin.wheel.path.is_file() for pin in locked.selection.pins)


def test_pip_does_not_merge_a_strangers_index(locker: Locker, index: IndexServer) -> None:
    mixed = IndexSettings(index_url=index.url, extra_index_urls=("http://127.0.0.1:9/simple",))
    with pytest.raises(CannotBuild) as caught:
        locker("leaf", resolver="pip", settings=mixed)
    assert 'index-strategy = "unsafe-best-match"' in str(caught.value.hint)


def test_first_index_wins_with_uv(locker: Locker, tmp_path: Path) -> None:
    from support.wheel_builder import build_wheel  # noqa: PLC0415 -- only this test adds one

    build_wheel(tmp_path / "private", "leaf", "0.5")
    with IndexServer([tmp_path / "private"]) as private:
        first = replace(locker.settings, extra_index_urls=(private.url,))
        assert chosen(locker("leaf", resolver="uv", settings=first)) == {
            "leaf": "leaf-0.5-py3-none-any.whl"
        }
        merged = replace(first, strategy="unsafe-best-match")
        for resolver in ("uv", "pip"):
            assert chosen(locker("leaf", resolver=resolver, settings=merged)) == {
                "leaf": "leaf-2.0-py3-none-any.whl"
            }


@both
def test_yanked_versions_are_taken_only_when_pinned(tmp_path: Path, resolver: Resolver) -> None:
    wheels = [build_wheel(tmp_path / "wheels", "beta", version) for version in ("1.0", "2.0")]
    with IndexServer(wheels, faults={wheels[1].name: Fault(yanked="it deletes files")}) as index:
        locker = Locker(index, tmp_path / "built")
        for line, version in (("beta", "1.0"), ("beta>=1", "1.0"), ("beta==2.0", "2.0")):
            [pin] = locker(line, resolver=resolver).selection.pins
            assert str(pin.version) == version, line


def test_what_is_not_approved_is_neither_fetched_nor_built(
    index: IndexServer, locker: Locker, world: Path
) -> None:
    """Who approves sees the source itself, not what would be built of it."""
    source = "sourced-1.0.tar.gz"
    digest = hashlib.sha256((world / source).read_bytes()).hexdigest()
    place = f"{index.url.removesuffix('/simple')}/files/{source}"
    row = {"name": "sourced", "version": "1.0",
           "sdist": {"name": source, "url": place, "hashes": {"sha256": digest}}}  # fmt: skip
    seen: list[LockedFile] = []

    def refuse(files: Sequence[LockedFile], indexes: IndexSettings) -> None:
        assert indexes.index_url == locker.settings.index_url
        seen.extend(files)
        raise CannotBuild("not approved")

    before = len(index.requests)
    options: dict[str, Any] = {"allow_sdist": ("sourced",), "approve": refuse}
    lock = lock_of([row], created_by="t")
    with pytest.raises(CannotBuild, match="not approved"):
        locker("sourced", resolver="uv", remembered=lock, **options)
    indexes = (locker.settings.index_url or "",)
    assert seen == [LockedFile("sourced", source, digest, indexes)]
    assert index.requests[before:] == []


@both
def test_a_project_in_quarantine_is_refused(tmp_path: Path, resolver: Resolver) -> None:
    wheels = [build_wheel(tmp_path / "wheels", name, "1.0") for name in ("evil", "finished")]
    with IndexServer(wheels) as index:
        index.statuses.update(evil="quarantined", finished="archived")
        locker = Locker(index, tmp_path / "built")
        with pytest.raises(CannotBuild, match="`evil`") as caught:
            locker("evil", resolver=resolver)
        assert "quarantine" in str(caught.value.hint)
        # Nobody works on it any more, and it is as good as it was.
        assert set(chosen(locker("finished", resolver=resolver))) == {"finished"}


@both
def test_a_source_distribution_is_built_only_by_name(locker: Locker, resolver: Resolver) -> None:
    locked = locker("sourced", resolver=resolver, allow_sdist=("Sourced",))
    files = {str(pin.name): pin.wheel for pin in locked.selection.pins}
    assert files["sourced"].filename == "sourced-1.0-py3-none-any.whl"
    assert files["leaf"].filename == "leaf-2.0-py3-none-any.whl"
    path = files["sourced"].path
    assert path is not None
    assert hashlib.sha256(path.read_bytes()).hexdigest() == files["sourced"].sha256


@both
def test_a_resolver_that_builds_to_learn_requirements_shows_no_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resolver: Resolver
) -> None:
    seen, files = tmp_path / "seen", tmp_path / "files"
    files.mkdir()
    pack_sdist(source_project(tmp_path / "asked", "asked", spy=seen, dynamic=True), files)
    monkeypatch.setenv("GITHUB_TOKEN", "x")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with IndexServer([files]) as index:
        Locker(index, tmp_path / "built")("asked", resolver=resolver, allow_sdist=("asked",))
    # Once the resolver asks, once lpack builds.
    runs = [line.split() for line in seen.read_text().splitlines()]
    assert len(runs) >= 2
    assert not any("GITHUB_TOKEN" in names for names in runs)


@both
def test_a_resolver_builds_no_build_requirement_that_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resolver: Resolver
) -> None:
    seen, files = tmp_path / "seen", tmp_path / "files"
    files.mkdir()
    pack_sdist(source_project(tmp_path / "tool", "tool", spy=seen), files)
    asked = source_project(
        tmp_path / "asked", "asked", spy=seen, dynamic=True, build_requires=["tool"]
    )
    pack_sdist(asked, files)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with IndexServer([files]) as index:
        locker = Locker(index, tmp_path / "built")
        with pytest.raises(CannotBuild, match="tool"):
            locker("asked", resolver=resolver, allow_sdist=("asked",))
        assert not seen.exists()
        locker("asked", resolver=resolver, allow_sdist=("asked", "tool"))
    assert {line.split()[0] for line in seen.read_text().splitlines()} == {"asked", "tool"}


@both
def test_a_binary_built_here_is_refused(locker: Locker, resolver: Resolver) -> None:
    with pytest.raises(CannotBuild, match="was built for this machine") as caught:
        locker("compiled", resolver=resolver, allow_sdist=("compiled",), runtime="python3.11")
    assert caught.value.details == ("built: cp311-cp311-linux_x86_64",)


@both
def test_local_projects_ship_with_their_requirements(
    locker: Locker, tmp_path: Path, resolver: Resolver
) -> None:
    first = source_project(tmp_path / "first", "first", requires=["second", "old"])
    second = source_project(tmp_path / "second", "second", requires=["leaf"])
    requirements = RequirementSet(
        declared=declared("first"),
        local_projects=(
            LocalProject(path=first, origin="requirements.txt:1"),
            LocalProject(path=second, origin="requirements.txt:2"),
            LocalProject(path=tmp_path, origin="requirements.txt:3", marker='os_name == "nt"'),
        ),
    )
    locked = locker(resolver=resolver, requirements=requirements)
    assert set(chosen(locked)) == {"first", "second", "old", "leaf"}
    assert chosen(locked)["leaf"] == "leaf-1.0-py3-none-any.whl"
    assert [(str(d.requirement), d.origin) for d in locked.declared[1:]] == [
        ("first", "requirements.txt:1"),
        ("second", "requirements.txt:2"),
    ]


def test_a_remembered_lock_needs_no_resolver(locker: Locker) -> None:
    first = locker("marked", resolver="uv")
    again = locker(
        "marked",
        resolver="uv",
        frozen=True,
        remembered=parse_lock(render_lock(first.pylock), origin="memory"),
        settings=IndexSettings(index_url="http://127.0.0.1:9/simple"),
    )
    assert chosen(again) == chosen(first)
    assert again.selection.resolver == first.selection.resolver


def test_frozen_without_a_lock_is_refused(locker: Locker, index: IndexServer) -> None:
    before = len(index.requests)
    with pytest.raises(UsageError, match="--frozen"):
        locker("leaf", resolver="uv", frozen=True)
    assert len(index.requests) == before


def test_nothing_asked_for_needs_no_resolver(locker: Locker) -> None:
    assert locker(resolver="uv").selection.pins == ()


def test_credentials_are_neither_arguments_nor_in_the_lock(
    locker: Locker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from packager.lock.backend import find_uv  # noqa: PLC0415 -- asked before it is replaced

    spy = tmp_path / "uv"
    spy.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\nexec {find_uv()} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("UV", str(spy))
    locked = locker("leaf", resolver="uv")
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8")
    assert "pip compile" in arguments
    assert "s3cret" not in arguments
    assert "s3cret" not in render_lock(locked.pylock)
    assert "s3cret" in json.dumps([pin.wheel.url for pin in locked.selection.pins])


def test_uv_asked_for_and_missing(locker: Locker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="`uv` is not installed") as caught:
        locker("leaf", resolver="uv")
    assert caught.value.hint == "pip install uv, or use --resolver pip"


def test_a_lock_among_the_requirements_decides(locker: Locker, tmp_path: Path, world: Path) -> None:
    (tmp_path / "wheels").mkdir()
    wheel = world / "leaf-1.0-py3-none-any.whl"
    (tmp_path / "wheels" / wheel.name).write_bytes(wheel.read_bytes())
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (tmp_path / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "hand"\n[[packages]]\nname = "leaf"\nversion = "1.0"\n'
        f'wheels = [{{ path = "wheels/{wheel.name}", hashes = {{ sha256 = "{digest}" }} }}]\n',
        encoding="utf-8",
    )
    requirements = RequirementSet(
        declared=declared("leaf"),
        lock=tmp_path / "pylock.toml",
        hashes={("leaf", "1.0"): frozenset({digest})},
    )
    locked = locker(resolver="uv", requirements=requirements, frozen=True)
    (pin,) = locked.selection.pins
    assert pin.wheel.path == tmp_path / "wheels" / wheel.name
    assert locked.selection.resolver == "pylock.toml (hand)"
    wrong = replace(requirements, hashes={("leaf", "1.0"): frozenset({"0" * 64})})
    with pytest.raises(CannotBuild, match="hash mismatch"):
        locker(resolver="uv", requirements=wrong)
