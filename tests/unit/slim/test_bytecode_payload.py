import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.assembling import payload_file
from support.readers import read_with_python, read_with_unzip
from support.wheel_builder import build_wheel

from packager.errors import CannotBuild
from packager.model.canonical import END, NotCanonicalError
from packager.slim.bytecode import NotCompiled, pyc_name
from packager.slim.bytecode_choice import PycFact
from packager.slim.bytecode_payload import (
    BytecodePayload,
    bytecode_facts,
    write_bytecode_payload,
    write_chosen,
)

PYTHON = Path(sys.executable)
OWN = sys.version_info[:2]
OWN_PYC = pyc_name("demo/own.py", OWN)
BODY = b"".join(b"def f%d(x):\n    return x + %d\n" % (n, n) for n in range(80))
FILES = {
    "demo/__init__.py": b"from demo.z import f7\n",
    "demo/z.py": BODY,
    "demo/data.json": b"{}",
    "demo/template-x.py": b"X = 1\n",
    "demo/old.py": b"print 1\n",
    "demo/own.py": b"OWN = 'source'\n",
    OWN_PYC: b"the wheel's",
    "single.py": b"",
}
COMPILED = ["demo/__init__.py", "demo/z.py", "single.py"]


def bytecode_of(folder: Path, files: dict[str, bytes]) -> tuple[Path, BytecodePayload]:
    source, _ = payload_file(build_wheel(folder, "demo", "1.0", files=files))
    destination = folder / "bytecode.zip"
    written = write_bytecode_payload(source, destination, key="key", interpreter=PYTHON, python=OWN)
    return destination, written


def test_it_holds_the_bytecode_of_every_module(tmp_path: Path) -> None:
    path, written = bytecode_of(tmp_path, FILES)
    names = [pyc_name(name, OWN) for name in COMPILED]
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == sorted(names, key=str.encode)
        for source, name in zip(COMPILED, names, strict=True):
            data = archive.read(name)
            assert data[:8] == importlib.util.MAGIC_NUMBER + b"\x01\0\0\0"
            assert data[8:16] == importlib.util.source_hash(FILES[source])
    assert {mode for _, mode in read_with_python(path).values()} == {0o644}
    assert read_with_unzip(path).keys() == set(names)
    assert [each.source for each in written.not_compiled] == [
        "demo/old.py",
        "demo/own.py",
        "demo/template-x.py",
    ]
    old, own, template = (each.reason for each in written.not_compiled)
    assert old.startswith("line 1: ")
    assert own == "the wheel brings bytecode for it"
    assert template == "no import statement can name it"


def test_the_facts_are_those_of_the_file(tmp_path: Path) -> None:
    path, (payload, _) = bytecode_of(tmp_path, FILES)
    data = path.read_bytes()
    assert payload.key == "key"
    assert payload.sha256 == hashlib.sha256(data).hexdigest()
    assert payload.file_bytes == len(data)
    assert payload.compressed_bytes == len(data) - END.size
    assert payload.entries == len(COMPILED)
    facts = bytecode_facts(path)
    assert facts.keys() == {pyc_name(name, OWN) for name in COMPILED}
    assert sum(fact.compressed_bytes for fact in facts.values()) == payload.compressed_bytes
    assert sum(fact.uncompressed_bytes for fact in facts.values()) == payload.uncompressed_bytes


def test_python_imports_it_beside_its_sources(tmp_path: Path) -> None:
    source, _ = payload_file(build_wheel(tmp_path, "demo", "1.0", files=FILES))
    path, _ = bytecode_of(tmp_path, FILES)
    task = tmp_path / "task"
    for each in (source, path):
        with zipfile.ZipFile(each) as archive:
            archive.extractall(task)
    (task / "demo/z.py").write_text("1/0")
    code = "import sys; sys.path.insert(0, sys.argv[1]); import demo; print(demo.f7(1))"
    done = subprocess.run(
        [PYTHON, "-I", "-B", "-c", code, task], capture_output=True, text=True, check=True
    )
    assert done.stdout == "8\n"


def test_equal_wheels_give_equal_bytes(tmp_path: Path) -> None:
    one, _ = bytecode_of(tmp_path / "one", FILES)
    two, _ = bytecode_of(tmp_path / "two", dict(reversed(FILES.items())))
    assert one.read_bytes() == two.read_bytes()


def test_without_modules_nothing_is_started(tmp_path: Path) -> None:
    source, _ = payload_file(build_wheel(tmp_path, "demo", "1.0", files={"demo/x.json": b"{}"}))
    written = write_bytecode_payload(
        source, tmp_path / "out.zip", key="key", interpreter=tmp_path / "no", python=OWN
    )
    assert (written.payload.entries, written.not_compiled) == (0, ())
    assert bytecode_facts(tmp_path / "out.zip") == {}


def test_failures_of_the_interpreter_come_through(tmp_path: Path) -> None:
    source, _ = payload_file(build_wheel(tmp_path, "demo", "1.0", files=FILES))
    with pytest.raises(CannotBuild):
        write_bytecode_payload(
            source, tmp_path / "out.zip", key="key", interpreter=tmp_path / "no", python=OWN
        )


def test_a_damaged_payload_is_found(tmp_path: Path) -> None:
    source, _ = payload_file(build_wheel(tmp_path, "demo", "1.0", files={"demo.py": BODY}))
    whole = source.read_bytes()
    start = whole.index(b"demo.py") + len("demo.py")
    damaged = tmp_path / "damaged.zip"
    for position in (*range(start, start + 150, 7), len(whole) - 1):
        data = bytearray(whole)
        data[position] ^= 0x55
        damaged.write_bytes(data)
        with pytest.raises(NotCanonicalError):
            write_bytecode_payload(
                damaged, tmp_path / "out.zip", key="key", interpreter=PYTHON, python=OWN
            )


def test_the_chosen_are_spliced(tmp_path: Path) -> None:
    path, (whole, _) = bytecode_of(tmp_path, FILES)
    chosen = {pyc_name("demo/z.py", OWN), pyc_name("single.py", OWN), "not/there.pyc"}
    destination = tmp_path / "chosen.zip"
    payload = write_chosen(path, chosen, destination, key="chosen")
    facts = bytecode_facts(path)
    assert bytecode_facts(destination) == {n: f for n, f in facts.items() if n in chosen}
    assert (payload.key, payload.entries) == ("chosen", 2)
    assert payload.sha256 == hashlib.sha256(destination.read_bytes()).hexdigest()
    before, after = read_with_python(path), read_with_python(destination)
    assert after == {name: seen for name, seen in before.items() if name in chosen}
    everything = write_chosen(path, facts.keys(), tmp_path / "all.zip", key="all")
    assert everything.sha256 == whole.sha256
    nothing = write_chosen(path, (), tmp_path / "none.zip", key="none")
    assert (nothing.entries, nothing.compressed_bytes) == (0, 0)


def test_facts_and_skipped_files_are_plain_values(tmp_path: Path) -> None:
    path, written = bytecode_of(tmp_path, {"demo.py": b"x =\n", "fine.py": b"x = 1\n"})
    assert written.not_compiled == (NotCompiled("demo.py", "line 1: invalid syntax"),)
    [fact] = bytecode_facts(path).values()
    assert isinstance(fact, PycFact)
    assert fact.uncompressed_bytes > 16
