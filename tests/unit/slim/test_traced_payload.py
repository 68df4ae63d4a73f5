"""Reduced payloads and their archives, read back with the standard library."""

import hashlib
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from support.assembling import payload_file
from support.bundles import compile_library
from support.fixture_wheels import CHECKOUT
from support.traced_world import FILES, TOUCHED, make_traced
from support.wheel_builder import build_wheel

from packager.model.canonical import NotCanonicalError
from packager.slim.traced_payload import FOLDER, traced_payload, write_files_payload

STAYS = {"demo/__init__.py", "demo/used.py", "demo/data/known.json", "demo/data/secret.pem"}
STAYS |= {"lonely.py", *(f"demo-1.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL"))}


def members(path: Path, archive: str) -> dict[str, bytes | str]:
    """The files of an archive as bytes, its links as what they name."""
    with (
        zipfile.ZipFile(path) as opened,
        tarfile.open(fileobj=io.BytesIO(lzma.decompress(opened.read(archive)))) as inner,
    ):
        found: dict[str, bytes | str] = {}
        for member in inner:
            stream = inner.extractfile(member) if member.isreg() else None
            found[member.name] = member.linkname if stream is None else stream.read()
        return found


def test_every_file_is_in_the_payload_or_in_the_archive(tmp_path: Path) -> None:
    made = make_traced(tmp_path, FILES, TOUCHED)
    archive = f"{FOLDER}/demo-1.0.tar.xz"
    assert made.fallback.archive == archive
    with zipfile.ZipFile(tmp_path / "payload.zip") as before:
        whole = {name: before.read(name) for name in before.namelist()}
    with zipfile.ZipFile(tmp_path / "traced.zip") as after:
        assert after.testzip() is None
        shipped = {name: after.read(name) for name in after.namelist()}
        assert after.getinfo(archive).compress_type == zipfile.ZIP_STORED
        assert after.namelist() == sorted(after.namelist(), key=str.encode)
    inside = members(tmp_path / "traced.zip", archive)
    moved = {name: data for name, data in inside.items() if isinstance(data, bytes)}
    assert shipped.keys() == STAYS | {archive, f"{FOLDER}/demo-1.0.json"}
    assert {**moved, **{name: shipped[name] for name in STAYS}} == whole
    links = {name: text for name, text in inside.items() if isinstance(text, str)}
    assert links == {name: name for name in STAYS if ".dist-info/" not in name}


def test_the_facts_are_those_of_the_files(tmp_path: Path) -> None:
    made = make_traced(tmp_path, FILES, TOUCHED)
    path = tmp_path / "traced.zip"
    with zipfile.ZipFile(path) as opened:
        data = opened.read(made.fallback.archive)
        known = json.loads(opened.read(f"{FOLDER}/demo-1.0.json"))
        sizes = sum(entry.file_size for entry in opened.infolist())
    moved = {name: len(FILES[name]) for name in FILES.keys() - STAYS}
    assert made.fallback.sha256 == hashlib.sha256(data).hexdigest() == known["sha256"]
    assert made.fallback.archive_bytes == len(data)
    assert made.fallback.moved_files == len(moved)
    assert made.fallback.moved_uncompressed_bytes == sum(moved.values())
    assert made.fallback.disk_bytes >= sum(moved.values())
    assert {
        f"{folder}/{name}": length
        for folder, files in known["folders"].items()
        for name, length in files.items()
    } == moved
    assert made.payload.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert made.payload.uncompressed_bytes == sizes
    assert [(each.path, each.tier) for each in made.payload.dropped] == [
        (name, "traced") for name in sorted(moved)
    ]


def test_equal_traces_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_traced(tmp_path / name, FILES, sorted(TOUCHED, reverse=name == "two"))
    one, two = ((tmp_path / name / "traced.zip").read_bytes() for name in ("one", "two"))
    assert one == two


def test_unpacking_takes_little_memory(tmp_path: Path) -> None:
    made = make_traced(tmp_path, FILES, TOUCHED)
    with zipfile.ZipFile(tmp_path / "traced.zip") as opened:
        data = opened.read(made.fallback.archive)
    # Bytes. The compressor takes about twelve times the dictionary that this is for.
    assert lzma.decompress(data, memlimit=3 << 20)


def test_nothing_is_written_when_nothing_is_worth_it(tmp_path: Path) -> None:
    path, _ = payload_file(build_wheel(tmp_path, "demo", "1.0"))
    result = traced_payload(
        path, frozenset(), tmp_path / "out.zip", key="k", name="demo", version="1.0"
    )
    assert result is None
    assert not (tmp_path / "out.zip").exists()


def test_needed_libraries_are_moved_and_plugins_stay(tmp_path: Path) -> None:
    inner = compile_library(tmp_path / "l" / "libinner.so.1", "-Wl,-soname,libinner.so.1")
    link = ("-L", str(tmp_path / "l"), "-l:libinner.so.1")
    outer = compile_library(tmp_path / "l" / "outer.so", *link, source="int f(void); int g(void) "
        "{ return f(); }\n")  # fmt: skip
    plugin = compile_library(tmp_path / "l" / "libplugin.so")
    files = {
        **FILES,
        "demo/outer.abi3.so": outer,
        "demo.libs/libinner.so.1": inner,
        "demo/plugins/libplugin.so": plugin,
    }
    made = make_traced(tmp_path / "w", files, TOUCHED)
    moved = {each.path for each in made.payload.dropped}
    assert {"demo/outer.abi3.so", "demo.libs/libinner.so.1"} <= moved
    assert "demo/plugins/libplugin.so" not in moved


def test_a_damaged_payload_is_refused(tmp_path: Path) -> None:
    make_traced(tmp_path, FILES, TOUCHED)
    path = tmp_path / "payload.zip"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(NotCanonicalError):
        traced_payload(path, frozenset(), tmp_path / "x", key="k", name="demo", version="1.0")


def test_files_from_memory_become_a_payload(tmp_path: Path) -> None:
    files = {"b/x.py": b"x = 1\n" * 50, "a.py": b""}
    payload = write_files_payload(files, tmp_path / "p.zip", key="k")
    with zipfile.ZipFile(tmp_path / "p.zip") as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == files
        assert opened.namelist() == ["a.py", "b/x.py"]
    assert (payload.entries, payload.uncompressed_bytes) == (2, 300)


MEASURE = """
import resource, sys
from pathlib import Path
from support.assembling import payload_file
from packager.slim.traced_payload import traced_payload
wheel, destination = map(Path, sys.argv[1:])
source, _ = payload_file(wheel)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
made = traced_payload(
    source, frozenset({"large/__init__.py"}), destination, key="k", name="large", version="1.0"
)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, made is not None)
"""


def test_a_large_file_fills_no_memory(tmp_path: Path) -> None:
    large = b"[0]," * (16 << 20)
    files = {"large/__init__.py": b"", "large/other.json": large}
    wheel = build_wheel(tmp_path, "large", "1.0", files=files, compress=False)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(wheel), str(tmp_path / "traced.zip")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / 'tests'}"},
    )
    grown, made = done.stdout.split()
    # KiB; the file has 64 MiB.
    assert int(grown) < 40 << 10
    assert made == "True"
