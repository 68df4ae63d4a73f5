"""The test tools themselves: a tool that cannot complain proves nothing."""

import hashlib
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from support.fixture_wheels import TARGETS, WORKLOADS, pins_of, read_pins, workload_requirements
from support.golden import check_golden, describe_changes, normalize, snapshot
from support.index_server import Fault, IndexServer
from support.readers import READERS, ReaderFailedError, assert_readers_agree, why_missing
from support.wheel_builder import build_wheel

CONTENT = {
    "a.py": b"x = 1\n" * 400,
    "b/c.bin": bytes(range(256)) * 20,
    "b/empty": b"",
    "ü.txt": b"u",
}


def write_zip(path: Path) -> Path:
    """Write CONTENT as a plain zip; `b/c.bin` is executable."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in CONTENT.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            mode = 0o755 if name.endswith(".bin") else 0o644
            info.external_attr = (0o100000 | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


@pytest.mark.parametrize("name", READERS)
def test_reader_reads_a_plain_zip(name: str, tmp_path: Path) -> None:
    if (reason := why_missing(name)) is not None:
        pytest.skip(reason)
    seen = READERS[name](write_zip(tmp_path / "plain.zip"))
    assert {member: digest for member, (digest, _) in seen.items()} == {
        member: hashlib.sha256(data).hexdigest() for member, data in CONTENT.items()
    }
    assert seen["b/c.bin"][1] in (None, 0o755)
    assert seen["a.py"][1] in (None, 0o644)


@pytest.mark.parametrize("name", READERS)
def test_reader_refuses_a_spoiled_stream(name: str, tmp_path: Path) -> None:
    if (reason := why_missing(name)) is not None:
        pytest.skip(reason)
    path = write_zip(tmp_path / "spoiled.zip")
    data = bytearray(path.read_bytes())
    at = data.index(b"a.py") + len("a.py") + 6
    data[at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises((ReaderFailedError, zipfile.BadZipFile, zlib.error)):
        READERS[name](path)


def test_readers_agree_complains_about_a_difference(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "plain.zip")
    assert_readers_agree(path)
    wrong = {
        member: (hashlib.sha256(data).hexdigest(), 0o755 if member == "b/c.bin" else 0o644)
        for member, data in CONTENT.items()
    }
    assert_readers_agree(path, wrong)
    wrong["a.py"] = ("0" * 64, 0o644)
    with pytest.raises(AssertionError, match=r"reads other bytes in a\.py"):
        assert_readers_agree(path, wrong)


@pytest.mark.parametrize("with_metadata", [True, False])
def test_pip_installs_from_the_index(tmp_path: Path, with_metadata: bool) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    build_wheel(wheels, "alpha", "1.0", requires=["Beta_x>=1"])
    build_wheel(wheels, "Beta_x", "1.2")
    with IndexServer([wheels], auth=("u", "p:w"), with_metadata=with_metadata) as index:
        assert pip_install(index.url, tmp_path / "refused").returncode != 0
        done = pip_install(index.url_with("u", "p:w"), tmp_path / "out")
        assert done.returncode == 0, done.stderr
        assert sorted(index.downloads) == [
            "Beta_x-1.2-py3-none-any.whl",
            "alpha-1.0-py3-none-any.whl",
        ]
        assert any(".metadata" in request for request in index.requests) is with_metadata
    assert (tmp_path / "out" / "alpha.py").exists()


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (Fault(sha256="0" * 64), "hashes"),
        (Fault(status=404), "404"),
        (Fault(body=b"not a wheel"), "hashes"),
    ],
    ids=["wrong hash", "missing", "other bytes"],
)
def test_index_misbehaves_when_told(tmp_path: Path, fault: Fault, complaint: str) -> None:
    wheel = build_wheel(tmp_path, "alpha", "1.0")
    with IndexServer([wheel], faults={wheel.name: fault}, with_metadata=False) as index:
        done = pip_install(index.url, tmp_path / "out")
    assert done.returncode != 0
    assert complaint.lower() in done.stderr.lower()


def test_a_fault_may_pass(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "alpha", "1.0")
    fault = Fault(status=503, times=1)
    with IndexServer([wheel], faults={wheel.name: fault}, with_metadata=False) as index:
        done = pip_install(index.url, tmp_path / "out")
        assert done.returncode == 0, done.stderr
        assert index.downloads == [wheel.name, wheel.name]


def pip_install(index: str, target: Path) -> subprocess.CompletedProcess[str]:
    """Install alpha from `index` into `target` with pip, away from the machine's settings."""
    command = [sys.executable, "-m", "pip", "install", "--isolated", "--no-cache-dir"]
    command += ["--no-input", "--retries", "1", "--index-url", index, "--target", str(target)]
    return subprocess.run(
        [*command, "alpha"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": "/dev/null"},
    )


@pytest.mark.parametrize("target", TARGETS)
def test_every_workload_is_pinned_among_the_fixture_wheels(target: str) -> None:
    known = {(pin.name, pin.version): set(pin.hashes) for pin in pins_of(target)}
    for workload in WORKLOADS:
        for pin in read_pins(workload_requirements(workload, target)):
            assert known[pin.name, pin.version] & set(pin.hashes), f"{workload}: {pin.render()}"


def test_changes_are_described(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("same")
    (tmp_path / "gone").write_text("old")
    before = snapshot(tmp_path)
    assert describe_changes(tmp_path, before) == "nothing\n"
    (tmp_path / "gone").unlink()
    write_zip(tmp_path / "new.zip")
    described = describe_changes(tmp_path, before)
    assert described.splitlines()[:3] == ["removed gone", "created new.zip", "  0644    2400 a.py"]


def test_golden_comparison_complains(tmp_path: Path) -> None:
    golden = tmp_path / "case" / "expected" / "stdout"
    with pytest.raises(AssertionError, match="--update-golden"):
        check_golden(golden, "text\n", update=False)
    check_golden(golden, "text\n", update=True)
    check_golden(golden, "text\n", update=False)
    with pytest.raises(AssertionError, match=r"\+other"):
        check_golden(golden, "other\n", update=False)


def test_normalize_replaces_only_what_varies() -> None:
    text = f"built /tmp/x/p in 1.3 s, {'a' * 64}, 12.5 MiB"
    names = {"/tmp/x": "<SCRATCH>", "/tmp/x/p": "<PROJECT>"}
    assert (
        normalize(text, names=names, sizes=True)
        == "built <PROJECT> in <TIME>, <SHA256>, 12.5 MiB\n"
    )
    assert normalize(text, names=names, sizes=False).endswith("<SIZE>\n")
