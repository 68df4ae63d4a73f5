"""Whatever is put in, every reader sees the same, and no changed header goes unnoticed."""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.assembling import code_files, payload_with, records_of, written
from support.readers import READERS, why_missing

from packager.assemble.reread import check_headers
from packager.errors import CannotBuild
from packager.model.canonical import EPOCH_STAMP, stamp_of

# Characters that are legal in file names on Linux and awkward somewhere: spaces, quotes, dashes
# at the front, letters outside ASCII and outside the first plane.
LETTERS = st.sampled_from(list("abcXYZ019_-+. ,'&()[]{}!@#$%^=~äß空🐍é"))
PARTS = st.text(LETTERS, min_size=1, max_size=9).filter(
    lambda part: part.strip(". ") == part and not part.startswith("-")
)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join) | st.just("deep/" * 30 + "file.py")
BYTES = st.binary(max_size=300) | st.sampled_from([b"", b"x", b"VALUE = 1\n" * 500])
TREES = st.dictionaries(PATHS, BYTES, max_size=6)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What goes into one zip."""

    payloads: tuple[Mapping[str, bytes], ...]
    code: Mapping[str, bytes]
    executables: frozenset[str]
    stamp: int


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Trees without a file beside its own folder, in no letter case either."""
    trees = draw(st.lists(TREES, min_size=1, max_size=3))
    code = draw(TREES)
    seen: dict[str, str] = {}
    for tree in [*trees, code]:
        for name in list(tree):
            parts = name.casefold().split("/")
            prefixes = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
            clash = name.casefold() in seen or any(seen.get(each) == "file" for each in prefixes)
            if clash or name.endswith((".pth", ".dist-info", ".data")):
                del tree[name]
                continue
            seen[name.casefold()] = "file"
            seen |= dict.fromkeys(prefixes, "folder")
    names = sorted({name for tree in [*trees, code] for name in tree})
    executables = draw(st.sets(st.sampled_from(names))) if names else set()
    stamp = draw(st.sampled_from([EPOCH_STAMP, stamp_of(1_700_000_000)]))
    return Plan(payloads=tuple(trees), code=code, executables=frozenset(executables), stamp=stamp)


def write(plan: Plan, folder: Path) -> tuple[Path, dict[str, tuple[str, int]]]:
    """Write the zip of `plan`; returns what every reader must find of the plan's own files."""
    payloads = [
        payload_with(folder, f"d{number}", tree, executables=plan.executables)
        for number, tree in enumerate(plan.payloads)
    ]
    code = code_files(folder / "src", plan.code, executables=plan.executables)
    artifact = written(folder / "a.zip", payloads, code, stamp=plan.stamp)
    check_headers(folder / "a.zip", records_of(artifact), stamp=plan.stamp)
    expected = {}
    for tree in (*plan.payloads, plan.code):
        for name, data in tree.items():
            mode = 0o755 if name in plan.executables else 0o644
            expected[name] = (hashlib.sha256(data).hexdigest(), mode)
    return folder / "a.zip", expected


@pytest.mark.parametrize("reader", ["python", "unzip", "7z", "bsdtar"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans())
def test_readers_see_what_was_put_in(reader: str, plan: Plan) -> None:
    missing = why_missing(reader)
    if missing is not None:
        pytest.skip(missing)
    with tempfile.TemporaryDirectory() as folder:
        path, expected = write(plan, Path(folder))
        seen = READERS[reader](path)
    described = {
        f"d{number}-1.0.dist-info/{name}"
        for number in range(len(plan.payloads))
        for name in ("METADATA", "WHEEL", "RECORD")
    }
    assert seen.keys() == expected.keys() | described
    for name, (digest, mode) in expected.items():
        assert seen[name] == (digest, mode), name


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans())
def test_equal_plans_give_equal_bytes(plan: Plan) -> None:
    digests = set()
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            digests.add(hashlib.sha256(write(plan, Path(folder))[0].read_bytes()).hexdigest())
    assert len(digests) == 1


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans(), where=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_a_changed_header_byte_is_noticed(plan: Plan, where: float, mask: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        code = code_files(folder / "src", plan.code, executables=plan.executables)
        payload = payload_with(folder, "one", plan.payloads[0] if not plan.code else {"m.py": b"1"})
        artifact = written(folder / "a.zip", [payload], code, stamp=plan.stamp)
        records = records_of(artifact)
        headers = [
            position
            for record in records
            for position in range(record.offset, record.offset + 30 + len(record.name))
        ]
        end_of_streams = records[-1].offset + 30 + len(records[-1].name)
        end_of_streams += records[-1].compressed_bytes
        headers += range(end_of_streams, artifact.compressed_bytes)
        data = bytearray((folder / "a.zip").read_bytes())
        data[headers[int(where * len(headers))]] ^= mask
        (folder / "a.zip").write_bytes(data)
        with pytest.raises(CannotBuild, match="reads back differently"):
            check_headers(folder / "a.zip", records, stamp=plan.stamp)
