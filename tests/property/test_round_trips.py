"""What is written is read again as the same: RECORD, locks, and the sizes of zip64 records."""

import os
import struct
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.pylock import Pylock
from support.intensity import examples

from packager.lock.lockfile import parse_lock, render_lock
from packager.model.record import RecordEntry, parse_record, render_record
from packager.wheels.zip_end import MalformedZip
from packager.wheels.zip_reader import read_archive, resolve_zip64

PATHS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12) | st.text(
    'a,"\r\n\t/é', min_size=1, max_size=6
)
ENTRIES = st.builds(RecordEntry, PATHS | st.just(""), st.none() | st.integers(0, 10**18))
BOUNDARIES = [0, 1, 0xFFFFFFFE, 0xFFFFFFFF, 0x100000000, 2**31, 2**63 - 1, 2**64 - 1]
WIDE = st.sampled_from(BOUNDARIES) | st.integers(0, 2**64 - 1)

NAMES = st.sampled_from(["alpha", "beta-x", "g"])
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10)
URLS = st.text("aZ09-_.~/%+", max_size=10).map(lambda text: f"https://h/{text}a")
FILES = st.one_of(
    [
        st.fixed_dictionaries(
            {"hashes": st.just({"sha256": "0" * 64}), place: values},
            optional={"size": st.integers(0, 2**40)},
        )
        for place, values in (("url", URLS), ("path", TEXTS))
    ]
)
PACKAGES = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "version": st.sampled_from(["1", "2.0rc1", "1!3+l"]),
        "marker": st.sampled_from(["python_version > '3'", "'x' in extras", "os_name == '\"'"]),
        "requires-python": st.just(">=3.9"),
        "index": URLS,
        "dependencies": st.lists(st.fixed_dictionaries({"name": NAMES}), max_size=2),
        "tool": st.dictionaries(TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=2),
    },
)


@settings(max_examples=examples(1000))
@given(st.dictionaries(PATHS, ENTRIES, max_size=4))
def test_a_record(entries: dict[str, RecordEntry]) -> None:
    text = render_record(entries)
    assert list(parse_record(text).items()) == list(entries.items())
    assert render_record(parse_record(text)) == text


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(PACKAGES, FILES), max_size=3), st.sampled_from(["sdist", "archive"]))
def test_a_lock(packages: list[tuple[dict[str, Any], Mapping[str, Any]]], kind: str) -> None:
    tables = []
    for package, file in packages:
        archive = f"{package['name'].replace('-', '_')}-{package.get('version', '1')}.tar.gz"
        named = {"name": archive} if kind == "sdist" else {}
        tables.append({**package, kind: {**file, **named}})
    document = {"lock-version": "1.0", "created-by": "lpack", "packages": tables}
    lock = Pylock.from_dict(document)
    text = render_lock(lock)
    again = parse_lock(text, origin="again")
    assert again.to_dict() == lock.to_dict()
    assert render_lock(again) == text


@settings(max_examples=examples(1000))
@given(st.tuples(WIDE, WIDE, WIDE), st.sets(st.integers(0, 2)))
def test_the_sizes_of_a_zip64_record(sizes: tuple[int, ...], widened: set[int]) -> None:
    """APPNOTE 4.5.3: what does not fit stands in the record, in the order of the header."""
    wide = [n for n, size in enumerate(sizes) if size >= 0xFFFFFFFF or n in widened]
    header = tuple(0xFFFFFFFF if n in wide else size for n, size in enumerate(sizes))
    record = struct.pack(f"<{len(wide)}Q", *(sizes[n] for n in wide))
    assert resolve_zip64(header, record if wide else None, "x") == sizes
    for wrong in (record + bytes(8), record + b"\0", record[:-1] if wide else b"\0"):
        with pytest.raises(MalformedZip, match="does not fit its header"):
            resolve_zip64(header, wrong, "x")
    if wide:
        with pytest.raises(MalformedZip, match="does not fit its header"):
            resolve_zip64(header, None, "x")


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([-2, -1, 0, 1, 2, 22, 2**20, 2**31]), st.integers(1, 3))
def test_a_directory_around_four_gibibytes(distance: int, members: int) -> None:
    """zipfile writes the directory, behind a hole: it is found, and the hole is refused."""
    with tempfile.NamedTemporaryFile() as file:
        start = 2**32 + distance
        os.truncate(file.name, start)
        with zipfile.ZipFile(file.name, "a") as archive:
            for number in range(members):
                archive.writestr(f"m{number}", b"x" * number)
        assert Path(file.name).stat().st_size > start
        descriptor = os.open(file.name, os.O_RDONLY)
        try:
            with pytest.raises(MalformedZip, match="bytes precede its first member"):
                read_archive(descriptor)
        finally:
            os.close(descriptor)
