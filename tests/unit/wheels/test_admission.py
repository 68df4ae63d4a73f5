import hashlib
import random
import threading
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from support.demo_wheel import INFO, Shape
from support.golden import check_golden
from support.hostile_ends import refused_ends
from support.hostile_wheels import refused_wheels
from support.hostile_zips import refused_zips
from support.odd_zips import accepted
from support.wheel_builder import build_wheel, describe, record_hash

from packager.errors import CannotBuild, WheelRefused
from packager.model.wheel import AdmittedWheel
from packager.wheels.admission import admit

REFUSED = [*refused_zips(), *refused_ends(), *refused_wheels()]
ACCEPTED = list(accepted())
EXPECTED = Path(__file__).parents[2] / "cases" / "admission" / "expected"


def write(folder: Path, shape: Shape) -> Path:
    path = folder / "wheel.whl"
    path.write_bytes(shape.data)
    return path


def admit_built(path: Path, *, lenient: bool = False) -> AdmittedWheel:
    return admit(
        path,
        sha256=describe(path).sha256,
        filename=path.name,
        allow_record_mismatch=lenient,
    )


def test_there_are_many_hostile_shapes() -> None:
    assert len({shape.name for shape in REFUSED}) == len(REFUSED) >= 120


@pytest.mark.parametrize("shape", REFUSED, ids=lambda shape: shape.name)
def test_a_hostile_wheel_is_refused_with_its_reason(tmp_path: Path, shape: Shape) -> None:
    path = write(tmp_path, shape)
    began = time.process_time()
    with pytest.raises(WheelRefused) as caught:
        admit(path, sha256="0" * 64, filename=shape.filename)
    assert time.process_time() - began < 2
    assert any(reason in caught.value.reason for reason in shape.reason.split("|"))
    assert caught.value.message.startswith(f"{shape.filename} is refused: ")
    assert caught.value.message.isprintable()
    assert not caught.value.message.endswith(".")


@pytest.mark.parametrize("shape", ACCEPTED, ids=lambda shape: shape.name)
def test_an_odd_wheel_is_read_as_zipfile_reads_it(tmp_path: Path, shape: Shape) -> None:
    path = write(tmp_path, shape)
    wheel = admit(path, sha256="0" * 64, filename=shape.filename)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        infos = {info.filename: info for info in archive.infolist() if not info.is_dir()}
        assert [member.name for member in wheel.members] == sorted(infos)
        for member in wheel.members:
            info, data = infos[member.name], archive.read(member.name)
            assert member.uncompressed_bytes == len(data)
            assert (member.crc32, member.method) == (info.CRC, info.compress_type)
            stored = content[member.data_offset :][: member.compressed_bytes]
            unpacked = stored if member.method == 0 else zlib.decompress(stored, -15)
            assert unpacked == data
            expected = "" if member.name == f"{INFO}/RECORD" else record_hash(data)
            assert wheel.record[member.name] == expected
    assert any(shape.reason in finding for finding in (*wheel.findings, ""))


def test_what_is_said_of_every_hostile_wheel(tmp_path: Path, update_golden: bool) -> None:
    said = []
    for shape in REFUSED:
        with pytest.raises(WheelRefused) as caught:
            admit(write(tmp_path, shape), sha256="0" * 64, filename=shape.filename)
        said.append(f"{shape.name}: {caught.value.reason}\n")
    check_golden(EXPECTED / "refused.txt", "".join(said), update=update_golden)


def test_what_is_said_of_every_odd_wheel(tmp_path: Path, update_golden: bool) -> None:
    said = []
    for shape in ACCEPTED:
        wheel = admit(write(tmp_path, shape), sha256="0" * 64, filename=shape.filename)
        said += [f"{shape.name}: {finding}\n" for finding in wheel.findings]
    check_golden(EXPECTED / "accepted.txt", "".join(said), update=update_golden)


def test_the_facts_of_an_ordinary_wheel(tmp_path: Path) -> None:
    path = build_wheel(
        tmp_path,
        "My.Demo",
        "1.0",
        files={"my_demo/__init__.py": b"", "my_demo/run.sh": b"#!/bin/sh\n"},
        requires=["boto3>=1.34", "tomli; python_version<'3.11'"],
        extras={"fast": ["orjson"]},
        tag="py2.py3-none-any",
        entry_points="[console_scripts]\nx = my_demo:main\n",
        executables=["my_demo/run.sh"],
        directories=["my_demo/"],
    )
    wheel = admit_built(path)
    assert (wheel.name, str(wheel.version)) == ("my-demo", "1.0")
    assert (wheel.filename, wheel.sha256) == (path.name, describe(path).sha256)
    assert wheel.dist_info == "My_Demo-1.0.dist-info"
    assert wheel.data_folder == "My_Demo-1.0.data"
    assert wheel.root_is_purelib
    assert wheel.tags == ("py2-none-any", "py3-none-any")
    assert [m.name for m in wheel.members if m.executable] == ["my_demo/run.sh"]
    requirements = wheel.metadata.requires_dist
    assert requirements is not None
    assert [requirement.name for requirement in requirements] == ["boto3", "tomli", "orjson"]
    assert wheel.metadata.provides_extra == ["fast"]
    assert wheel.findings == ()


@pytest.mark.parametrize("stem", ["My_Demo-1.0", "my-demo-1.0", "my.demo-1.0.0", "my_demo-v1"])
def test_folders_may_spell_name_and_version_otherwise(tmp_path: Path, stem: str) -> None:
    folder = f"{stem}.dist-info"
    files = {f"{stem}.data/purelib/demo.py": b""}
    wheel = admit_built(build_wheel(tmp_path, "My.Demo", "1.0", files=files, dist_info=folder))
    assert (wheel.dist_info, wheel.data_folder) == (folder, f"{stem}.data")


def test_a_platform_wheel_with_a_data_folder(tmp_path: Path) -> None:
    files = {
        "demo/native.abi3.so": b"\x7fELF",
        "demo-1.0.data/platlib/demo/more.py": b"",
        "demo-1.0.data/scripts/demo": b"#!python\n",
    }
    wheel = admit_built(
        build_wheel(tmp_path, "demo", "1.0", files=files, tag="cp311-abi3-manylinux_2_28_aarch64")
    )
    assert not wheel.root_is_purelib
    assert wheel.data_folder == "demo-1.0.data"
    assert wheel.tags == ("cp311-abi3-manylinux_2_28_aarch64",)


def test_a_record_mismatch_can_be_allowed(tmp_path: Path) -> None:
    record = b"demo.py,sha256=wrong,9\nghost.py,sha256=x,1\n"
    path = build_wheel(tmp_path, "demo", "1.0", files={"demo.py": b"1\n"}, record=record)
    with pytest.raises(WheelRefused, match=r"another hash for `demo\.py`") as caught:
        admit_built(path)
    assert caught.value.hint is not None
    assert 'allow-record-mismatch = ["demo==1.0"] under [tool.lpack]' in caught.value.hint
    wheel = admit_built(path, lenient=True)
    assert wheel.record["demo.py"] == record_hash(b"1\n")
    assert "RECORD has another hash for `demo.py`" in wheel.findings
    assert "RECORD lists `ghost.py`, which the wheel does not contain" in wheel.findings


def test_edited_description_files_are_a_finding(tmp_path: Path) -> None:
    first = build_wheel(tmp_path / "a", "demo", "1.0", files={"demo.py": b""})
    with zipfile.ZipFile(first) as archive:
        record = archive.read("demo-1.0.dist-info/RECORD")
    second = build_wheel(
        tmp_path / "b",
        "demo",
        "1.0",
        files={"demo.py": b""},
        wheel=b"Wheel-Version: 1.9\nRoot-Is-Purelib: true\nTag: py2-none-any\n",
        record=record,
    )
    assert admit_built(second).findings == (
        "WHEEL is of the newer version 1.9",
        "the tags in WHEEL are not those of the file name",
        "RECORD has another hash for `demo-1.0.dist-info/WHEEL`",
    )


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_stronger_hashes_are_checked_too(tmp_path: Path, algorithm: str) -> None:
    hashed = record_hash(b"right", algorithm)
    record = f"demo.py,{hashed},5\n".encode()
    right = build_wheel(tmp_path / "a", "demo", "1", files={"demo.py": b"right"}, record=record)
    assert admit_built(right).record["demo.py"] == hashed
    wrong = build_wheel(tmp_path / "b", "demo", "1", files={"demo.py": b"wrong"}, record=record)
    with pytest.raises(WheelRefused, match="another hash"):
        admit_built(wrong)


def test_start_files_are_told(tmp_path: Path) -> None:
    files = {
        "demo.pth": b"demo/lib\n",
        "evil.pth": b"import os; os.system('x')\n",
        "demo-1.0.data/purelib/late.start": b"demo:run\n",
        "sitecustomize.py": b"",
        "usercustomize/__init__.py": b"",
        "demo/inner.pth": b"import os\n",
    }
    findings = admit_built(build_wheel(tmp_path, "demo", "1.0", files=files)).findings
    told = sorted(finding.partition(" (sha256 ")[0] for finding in findings)
    assert told == [
        "`demo.pth` adds folders to `sys.path`",
        "`evil.pth` runs code when the function starts: `import os; os.system('x')`",
        "`late.start` runs code when the function starts",
        "`sitecustomize.py` runs code when the function starts",
        "`usercustomize/__init__.py` runs code when the function starts",
    ]


def test_long_descriptions_and_start_files_are_read_whole(tmp_path: Path) -> None:
    noise = random.Random(7).randbytes(2**20).hex().encode()  # noqa: S311 -- no secret
    metadata = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\n" + noise
    files = {"demo.py": b"", "read.start": noise[: 2**20], "large.start": noise[: 2**20 + 1]}
    path = build_wheel(tmp_path, "demo", "1.0", files=files, metadata=metadata)
    wheel = admit_built(path)
    assert wheel.metadata.description == noise.decode()
    digest = hashlib.sha256(files["read.start"]).hexdigest()
    assert wheel.findings == (
        f"`read.start` runs code when the function starts (sha256 {digest})",
        "`large.start` runs code when the function starts (not read: it is too large)",
    )


def test_an_invalid_requires_python_does_not_refuse(tmp_path: Path) -> None:
    path = build_wheel(tmp_path, "demo", "1.0", requires_python=">=3.x", requires=["a"])
    wheel = admit_built(path)
    assert wheel.metadata.requires_python is None
    assert wheel.metadata.requires_dist is not None
    assert wheel.findings == ("METADATA has the invalid Requires-Python `>=3.x`",)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        CannotBuild, match=r"cannot read `demo-1\.0-py3-none-any\.whl`: No such file"
    ):
        admit(tmp_path / "x", sha256="", filename="demo-1.0-py3-none-any.whl")


def test_memory_stays_bounded_whatever_a_member_holds(tmp_path: Path) -> None:
    files = {"demo/big.bin": bytes(range(256)) * 2**17, "demo/zeros.bin": bytes(2**24)}
    path = build_wheel(tmp_path, "demo", "1.0", files=files, level=1)
    del files
    tracemalloc.start()
    try:
        admit(path, sha256="", filename=path.name)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 * 2**20


def test_several_threads_may_admit_one_wheel(tmp_path: Path) -> None:
    files = {f"demo/{number}.py": b"x = 1\n" * number for number in range(300)}
    path = build_wheel(tmp_path, "demo", "1.0", files=files)
    results: list[AdmittedWheel] = []
    threads = [threading.Thread(target=lambda: results.append(admit_built(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(result.members == results[0].members for result in results)
