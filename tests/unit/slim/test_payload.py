import base64
import csv
import hashlib
import importlib.metadata
import io
import os
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from support.assembling import admitted, payload_file
from support.readers import read_with_python, read_with_unzip
from support.wheel_builder import build_wheel, record_hash

from packager.errors import WheelRefused
from packager.model.canonical import CENTRAL, END
from packager.slim.layout import lay_out
from packager.slim.payload import write_payload

INFO = "demo-1.0.dist-info"
DATA = "demo-1.0.data"
SPREAD = {
    "demo/__init__.py": b"VALUE = 1\n" * 9,
    f"{DATA}/purelib/demo/pure.py": b"PURE = 1\n",
    f"{DATA}/platlib/demo/plat.so": b"\x7fELF" + bytes(200),
    f"{DATA}/data/share/demo/größe.txt": b"data",
    f"{DATA}/scripts/demo": b"#!python\n",
    f"{DATA}/headers/demo.h": b"#define X\n",
}


def files_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_plain_wheel_ships_as_it_is(tmp_path: Path) -> None:
    wheel = build_wheel(
        tmp_path,
        "demo",
        "1.0",
        files={"demo/b.py": b"B = 1\n" * 50, "demo/a.py": b"A = 1\n", "demo/run": b"#!"},
        executables={"demo/run"},
        directories=["demo"],
    )
    path, payload = payload_file(wheel)
    assert files_of(path) == {n: d for n, d in files_of(wheel).items() if not n.endswith("/")}
    *names, last = files_of(path)
    # RECORD comes last: it lists what the others became.
    assert (names, last) == (sorted(names, key=str.encode), "demo-1.0.dist-info/RECORD")
    modes = {name: mode for name, (_, mode) in read_with_python(path).items()}
    assert {name for name, mode in modes.items() if mode == 0o755} == {"demo/run"}
    assert set(modes.values()) == {0o644, 0o755}
    assert payload.dropped == ()


def test_streams_are_the_wheels_own(tmp_path: Path) -> None:
    text = b"".join(b"VALUE_%d = %d\n" % (n, n * n) for n in range(500))
    wheel = build_wheel(tmp_path, "demo", "1.0", files={"demo.py": text}, level=1)
    path, _ = payload_file(wheel)
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(path) as after:
        one, two = before.getinfo("demo.py"), after.getinfo("demo.py")
        assert one.compress_size == two.compress_size
        start = one.header_offset + 30 + len("demo.py")
        stream = wheel.read_bytes()[start : start + one.compress_size]
    assert stream in path.read_bytes()


def test_the_facts_are_those_of_the_file(tmp_path: Path) -> None:
    path, payload = payload_file(build_wheel(tmp_path, "demo", "1.0", files=SPREAD))
    data = path.read_bytes()
    assert payload.sha256 == hashlib.sha256(data).hexdigest()
    assert payload.file_bytes == len(data)
    assert payload.compressed_bytes == len(data) - END.size
    assert data[payload.body_bytes : payload.body_bytes + 4] == b"PK\x01\x02"
    files = files_of(path)
    assert payload.entries == len(files)
    assert payload.uncompressed_bytes == sum(map(len, files.values()))
    names = sum(len(name.encode()) for name in files)
    assert payload.compressed_bytes - payload.body_bytes == CENTRAL.size * len(files) + names
    assert read_with_unzip(path).keys() == files.keys()


def test_the_data_folder_is_spread_over_the_root(tmp_path: Path) -> None:
    path, payload = payload_file(build_wheel(tmp_path, "demo", "1.0", files=SPREAD))
    files = files_of(path)
    assert files["demo/pure.py"] == b"PURE = 1\n"
    assert files["demo/plat.so"] == SPREAD[f"{DATA}/platlib/demo/plat.so"]
    assert files["share/demo/größe.txt"] == b"data"
    assert not [name for name in files if name.startswith(DATA)]
    assert [(each.path, each.tier, each.rule) for each in payload.dropped] == [
        (f"{DATA}/headers/demo.h", "format", "headers serve compilers only"),
        (f"{DATA}/scripts/demo", "format", "scripts are not on a function's path"),
    ]


@pytest.mark.parametrize(
    ("names", "moved"),
    [
        (list(SPREAD), True),
        (["demo/__init__.py", f"{DATA}/purelib/demo/pure.py"], True),
        (["demo/__init__.py", f"{DATA}/scripts/demo"], True),
        (["demo/__init__.py"], False),
    ],
    ids=["everything", "moved", "dropped", "neither"],
)
def test_record_is_written_anew_only_when_it_must(
    tmp_path: Path, names: list[str], moved: bool
) -> None:
    files = {name: SPREAD[name] for name in names}
    wheel = build_wheel(tmp_path, "demo", "1.0", files=files)
    path, _ = payload_file(wheel)
    shipped = files_of(path)
    record = shipped[f"{INFO}/RECORD"]
    assert (record == files_of(wheel)[f"{INFO}/RECORD"]) is not moved
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(record.decode()))}
    assert rows.keys() == shipped.keys()
    for name, data in shipped.items():
        if name == f"{INFO}/RECORD":
            assert rows[name] == ["", ""]
        else:
            assert rows[name] == [record_hash(data), str(len(data))]


def test_importlib_metadata_finds_everything(tmp_path: Path) -> None:
    wheel = build_wheel(
        tmp_path,
        "demo",
        "1.0",
        files=SPREAD,
        requires=["other>=2"],
        entry_points="[console_scripts]\ndemo = demo:main\n[demo.plugins]\nx = demo:X\n",
    )
    path, _ = payload_file(wheel)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "site")
    [found] = importlib.metadata.distributions(path=[str(tmp_path / "site")])
    assert (found.name, found.version, found.requires) == ("demo", "1.0", ["other>=2"])
    points = {(point.group, point.name, point.value) for point in found.entry_points}
    assert points == {("console_scripts", "demo", "demo:main"), ("demo.plugins", "x", "demo:X")}
    listed = found.files or []
    assert {str(each) for each in listed} == files_of(path).keys()
    for each in listed:
        if each.hash is not None:
            digest = hashlib.new(each.hash.mode, each.read_binary()).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == each.hash.value
            assert each.size == len(each.read_binary())


@pytest.mark.parametrize("signature", ["RECORD.jws", "RECORD.p7s"])
def test_a_signature_goes_with_the_record_it_signs(tmp_path: Path, signature: str) -> None:
    for folder, files in (("moved", SPREAD), ("plain", {"demo.py": b""})):
        # A signature is not listed in RECORD, so the wheel is made without and it is added.
        wheel = build_wheel(tmp_path / folder, "demo", "1.0", files=files)
        info = zipfile.ZipInfo(f"{INFO}/{signature}", (1980, 1, 1, 0, 0, 0))
        info.create_system = 3
        info.external_attr = 0o100644 << 16
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr(info, b"{}")
    path, payload = payload_file(tmp_path / "moved" / "demo-1.0-py3-none-any.whl")
    assert f"{INFO}/{signature}" not in files_of(path)
    reasons = {each.path: each.rule for each in payload.dropped}
    assert reasons[f"{INFO}/{signature}"] == "it signs a RECORD that no longer holds"
    assert signature not in files_of(path)[f"{INFO}/RECORD"].decode()
    path, payload = payload_file(tmp_path / "plain" / "demo-1.0-py3-none-any.whl")
    assert f"{INFO}/{signature}" in files_of(path)
    assert payload.dropped == ()


def test_stored_members_are_deflated_when_that_helps(tmp_path: Path) -> None:
    files = {"demo/text.py": b"X = 1\n" * 300, "demo/noise": os.urandom(500), "demo/empty": b""}
    wheel = build_wheel(
        tmp_path, "demo", "1.0", files=files, compress=False, executables={"demo/text.py"}
    )
    path, _ = payload_file(wheel)
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("demo/text.py").compress_type == zipfile.ZIP_DEFLATED
        assert archive.getinfo("demo/text.py").compress_size < 100
        assert archive.getinfo("demo/text.py").external_attr >> 16 == 0o100755
        assert archive.getinfo("demo/noise").compress_type == zipfile.ZIP_STORED
        assert archive.getinfo("demo/empty").compress_type == zipfile.ZIP_STORED
    assert files_of(path) == files_of(wheel)


@pytest.mark.parametrize("key", ["purelib", "platlib", "data"])
def test_two_files_on_one_name(tmp_path: Path, key: str) -> None:
    files = {"demo/x.py": b"one", f"{DATA}/{key}/demo/x.py": b"two"}
    wheel = build_wheel(tmp_path, "demo", "1.0", files=files)
    # Admission sees the two that pip installs side by side, the layout sees all of them.
    with pytest.raises(
        WheelRefused, match=r"^demo-1\.0-py3-none-any\.whl is refused: .*`demo/x\.py`"
    ):
        payload_file(wheel)


@pytest.mark.parametrize("key", ["purelib", "platlib", "data"])
def test_the_layout_itself_refuses_two_files_on_one_name(tmp_path: Path, key: str) -> None:
    files = {f"{DATA}/{key}/demo/x.py": b"two", "demo/y.py": b"one"}
    wheel = admitted(build_wheel(tmp_path, "demo", "1.0", files=files))
    renamed = (
        member._replace(name="demo/x.py") if member.name == "demo/y.py" else member
        for member in wheel.members
    )
    with pytest.raises(WheelRefused, match=r"two of its files would be installed as `demo/x\.py`"):
        lay_out(replace(wheel, members=tuple(renamed)))


def test_an_unknown_scheme(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "demo", "1.0", files={f"{DATA}/stdlib/os.py": b""})
    with pytest.raises(WheelRefused, match=r"stdlib/os\.py"):
        payload_file(wheel)


def test_same_wheel_same_bytes(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "demo", "1.0", files=SPREAD)
    assert payload_file(wheel)[0].read_bytes() == payload_file(wheel)[0].read_bytes()


def test_the_order_within_the_wheel_does_not_matter(tmp_path: Path) -> None:
    digests = set()
    record = None
    for folder, names in (("a", sorted(SPREAD)), ("b", sorted(SPREAD, reverse=True))):
        files = {name: SPREAD[name] for name in names}
        wheel = build_wheel(tmp_path / folder, "demo", "1.0", files=files, record=record)
        record = files_of(wheel)[f"{INFO}/RECORD"]
        digests.add(payload_file(wheel)[1].sha256)
    assert len(digests) == 1


def test_a_wheel_that_became_shorter(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "demo", "1.0", files={"demo/x": os.urandom(5000)})
    known = admitted(wheel)
    wheel.write_bytes(wheel.read_bytes()[:2000])
    with pytest.raises(OSError, match="became shorter"):
        write_payload(wheel, known, tmp_path / "p.zip", key="key")


def test_unzip_is_content(tmp_path: Path) -> None:
    path, _ = payload_file(build_wheel(tmp_path, "demo", "1.0", files=SPREAD))
    done = subprocess.run(
        ["unzip", "-t", str(path)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stdout
    assert "No errors detected" in done.stdout
