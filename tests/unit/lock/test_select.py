"""Choosing files from locks, without a resolver."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.pylock import Pylock

from packager.errors import CannotBuild
from packager.lock.hashes import HashRules
from packager.lock.select import Sources, choose, select
from packager.model.selection import WheelReference
from packager.runtime.targets import load_target

ARM = load_target("python3.13", "arm64")
INTEL = load_target("python3.11", "x86_64")
DIGESTS = {letter: letter * 64 for letter in "abcdef"}


def _lock(*packages: dict[str, Any], **top: object) -> Pylock:
    return Pylock.from_dict(
        {"lock-version": "1.0", "created-by": "test", **top, "packages": list(packages)}
    )


def _wheel(name: str, digest: str = "a", **more: object) -> dict[str, Any]:
    place = {} if "path" in more or "url" in more else {"url": f"https://h/{name}"}
    return {"name": name, **place, "hashes": {"sha256": DIGESTS[digest]}, **more}


def _package(name: str, version: str, *files: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"name": name, "version": version, "wheels": list(files), **more}


NATIVE = _package(
    "native",
    "1.0",
    _wheel("native-1.0-cp313-cp313-manylinux_2_17_aarch64.whl", "a", size=7),
    _wheel("native-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", "b"),
    _wheel("native-1.0-py3-none-any.whl", "c"),
)


def test_the_best_wheel_for_the_target() -> None:
    (arm,) = select(_lock(NATIVE), ARM).pins
    (intel,) = select(_lock(NATIVE), INTEL).pins
    assert arm.wheel == WheelReference(
        filename="native-1.0-cp313-cp313-manylinux_2_17_aarch64.whl",
        sha256=DIGESTS["a"],
        url="https://h/native-1.0-cp313-cp313-manylinux_2_17_aarch64.whl",
        size_bytes=7,
    )
    assert intel.wheel.sha256 == DIGESTS["b"]


def test_declared_hashes_choose_among_the_files() -> None:
    rules = HashRules(accepted={("native", "1.0"): frozenset({DIGESTS["c"].upper()})})
    (pin,) = select(_lock(NATIVE), ARM, hashes=rules).pins
    assert pin.wheel.filename == "native-1.0-py3-none-any.whl"


def test_a_hash_mismatch_names_both() -> None:
    rules = HashRules(accepted={("native", "1.0"): frozenset({DIGESTS["f"]})})
    with pytest.raises(CannotBuild, match=r"hash mismatch for `native==1\.0`") as caught:
        select(_lock(NATIVE), ARM, hashes=rules)
    told = "\n".join(caught.value.details)
    assert DIGESTS["f"] in told
    assert DIGESTS["a"] in told


def test_required_hashes_spare_what_the_target_does_not_want() -> None:
    other = _package("other", "1", _wheel("other-1-py3-none-any.whl"))
    windows = {**other, "marker": 'sys_platform == "win32"'}
    rules = HashRules(accepted={("native", "1.0"): frozenset({DIGESTS["a"]})}, required=True)
    assert len(select(_lock(NATIVE, windows), ARM, hashes=rules).pins) == 1
    with pytest.raises(CannotBuild, match="hashes are required and `other==1` has none"):
        select(_lock(NATIVE, other), ARM, hashes=rules)


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (
            _package("old", "1", _wheel("old-1-py3-none-any.whl", hashes={"md5": "0" * 32})),
            "is locked by md5 and not by sha256",
        ),
        ({"name": "repo", "vcs": {"type": "git", "url": "https://h/r", "commit-id": "1"}}, "a git"),
        ({"name": "mine", "directory": {"path": "."}}, "from the folder `.`"),
        (
            {
                "name": "source",
                "version": "1",
                "sdist": {
                    "name": "source-1.tar.gz",
                    "url": "https://h/source-1.tar.gz",
                    "hashes": {"sha256": DIGESTS["a"]},
                },
            },
            "no wheel of `source==1` fits",
        ),
        (
            _package("mac", "1", _wheel("mac-1-cp313-cp313-macosx_11_0_arm64.whl")),
            "no wheel of `mac==1` fits `python3.13/arm64`",
        ),
        (
            _package("late", "1", _wheel("late-1-py3-none-any.whl"), **{"requires-python": "<3"}),
            "`late==1` requires Python <3",
        ),
        (
            {
                "name": "zipped",
                "archive": {
                    "url": "https://me:s3cret@h/z.zip?key=s3cret",
                    "hashes": {"sha256": DIGESTS["a"]},
                },
            },
            "`zipped` is the archive `https://",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else value["name"],
)
def test_refusals(package: dict[str, Any], message: str) -> None:
    with pytest.raises(CannotBuild) as caught:
        select(_lock(package), ARM)
    assert message in caught.value.message
    assert caught.value.hint
    assert "s3cret" not in caught.value.message


def test_a_lock_for_another_python_is_refused() -> None:
    with pytest.raises(CannotBuild, match=r"the lock does not fit python3\.11/x86_64"):
        select(_lock(NATIVE, **{"requires-python": ">=3.12"}), INTEL)


def test_two_versions_of_one_name_need_markers() -> None:
    twice = [_package("a", v, _wheel(f"a-{v}-py3-none-any.whl")) for v in ("1", "2")]
    with pytest.raises(CannotBuild, match="Multiple packages"):
        select(_lock(*twice), ARM)
    twice[0]["marker"] = 'python_version < "3.12"'
    twice[1]["marker"] = 'python_version >= "3.12"'
    assert [str(pin.version) for pin in select(_lock(*twice), ARM).pins] == ["2"]
    assert [str(pin.version) for pin in select(_lock(*twice), INTEL).pins] == ["1"]


def test_relative_paths_are_the_locks(tmp_path: Path) -> None:
    here = _package("a", "1", _wheel("a-1-py3-none-any.whl", path="wheels/a-1-py3-none-any.whl"))
    there = {
        "name": "b",
        "version": "1",
        "archive": {"url": "file:///x%20y/b-1-py3-none-any.whl", "hashes": {"sha256": "0" * 64}},
    }
    pins = select(_lock(here, there), ARM, sources=Sources(base=tmp_path)).pins
    assert [pin.wheel.path for pin in pins] == [
        tmp_path / "wheels" / "a-1-py3-none-any.whl",
        Path("/x y/b-1-py3-none-any.whl"),
    ]
    assert [pin.wheel.url for pin in pins] == [None, None]


def test_allowed_source_distributions_are_given_back() -> None:
    sdist = {"url": "https://h/source-1.tar.gz", "hashes": {"sha256": DIGESTS["d"]}}
    lock = _lock({"name": "source", "version": "1", "sdist": sdist}, NATIVE)
    choice = choose(lock, ARM, sources=Sources(allow_sdist={"source"}))
    assert [pin.name for pin in choice.pins] == ["native"]
    assert [(s.name, s.filename, s.sha256) for s in choice.sdists] == [
        ("source", "source-1.tar.gz", DIGESTS["d"])
    ]


def test_a_lock_of_uv_selects_like_its_markers() -> None:
    text = (Path(__file__).parents[2] / "cases/lock/select/universal.toml").read_text("utf-8")
    lock = Pylock.from_dict(tomllib.loads(text))
    chosen = {
        target.label: {pin.name: pin.wheel.filename for pin in select(lock, target).pins}
        for target in (ARM, INTEL)
    }
    expected = (Path(__file__).parents[2] / "cases/lock/select/universal.json").read_text("utf-8")
    assert chosen == json.loads(expected)
