import importlib.util
import json
import marshal
import os
import struct
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest
from support.interpreters import VERSIONS, interpreter

from packager.errors import CannotBuild
from packager.slim.bytecode import Compiled, NotCompiled, compile_members, pyc_name
from packager.slim.compile_frames import Canonical

OWN = sys.version_info[:2]
PYTHON = Path(sys.executable)

# What made bytecode differ from one process to the next: sets ordered by hash or address, texts
# that are interned when another module has them, sets that are one object or two.
SHARED = """
class Outer:
    def make(self, x):
        self.zulu = self.alpha = self.mike = self.quebec = x
        class Inner(dict):
            def method(self): return x in {None, "STRUCT", "UNION", 3, ("a", None)}
        return Inner
    def again(self, x): return x in {"STRUCT", "UNION", 3, None, ("a", None)}
    def one(self, x): return x in {"ONLY", "INSETS"}
    def two(self, x): return x in {"INSETS", "ONLY"}
STRUCT = UNION = größe = -0.0, 0.0, 1e308 * 10, 2 ** 70, -(2 ** 40), 1j, b"", b"x", ..., "größe"
"""
SOURCES = {
    "demo/__init__.py": b"from demo.sub import VALUE\n",
    "demo/sub.py": b"def f(a, *, b=1):\n    return lambda: (a, b)\nVALUE = 'sub'\n",
    "demo/one.py": SHARED.encode(),
    "demo/two.py": b"import os\n" + SHARED.encode(),
    "demo/latin.py": "# -*- coding: latin-1 -*-\nTEXT = 'gr\u00f6\u00dfe'\n".encode("latin-1"),
    "demo/bom.py": b"\xef\xbb\xbfTEXT = 'bom'\n",
    "demo/empty.py": b"",
}


@pytest.fixture(params=VERSIONS, ids=lambda python: f"{python[0]}.{python[1]}")
def python(request: pytest.FixtureRequest) -> tuple[int, int]:
    version: tuple[int, int] = request.param
    if interpreter(version) is None:
        pytest.skip("there is no such Python on this machine")
    return version


def executable(python: tuple[int, int]) -> Path:
    found = interpreter(python)
    assert found is not None
    return found


def compiled(
    sources: dict[str, bytes], python: tuple[int, int] = OWN, *, root: str = "/var/task"
) -> dict[str, bytes]:
    """The bytecode of `sources` by the name of the source; all of them must compile."""
    results = list(compile_members(executable(python), sources.items(), python=python, root=root))
    assert [each for each in results if isinstance(each, NotCompiled)] == []
    assert [each.source for each in results] == list(sources)
    return {each.source: each.data for each in results if isinstance(each, Compiled)}


def reason_of(source: bytes) -> str:
    [result] = compile_members(PYTHON, [("x.py", source)], python=OWN)
    assert isinstance(result, NotCompiled)
    return result.reason


def standard_library(*folders: str) -> dict[str, bytes]:
    root = Path(sysconfig.get_path("stdlib"))
    paths = [path for folder in folders for path in sorted(root.glob(f"{folder}/*.py"))]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def loaded(data: bytes) -> CodeType:
    code = marshal.loads(data[16:])  # noqa: S302 -- made by this test
    assert isinstance(code, CodeType)
    return code


def code_objects(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_objects(constant)


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_the_target_takes_it_without_looking_at_the_source(
    tmp_path: Path, python: tuple[int, int]
) -> None:
    bytecode = compiled(SOURCES, python)
    # Other sources: whoever compiles them sees other values.
    write(tmp_path, dict.fromkeys(SOURCES, b"VALUE = TEXT = 'source'\n"))
    write(tmp_path, {pyc_name(name, python): data for name, data in bytecode.items()})
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import demo, demo.sub, demo.one, demo.latin, demo.bom, demo.empty\n"
        "inner = demo.one.Outer().make('UNION')\n"
        "assert inner().method() and demo.one.Outer().again(('a', None))\n"
        "assert demo.one.STRUCT[0:2] == (0, 0) and repr(demo.one.STRUCT[:2]) == '(-0.0, 0.0)'\n"
        "assert demo.one.STRUCT[3:5] == (2 ** 70, -2 ** 40) and demo.one.STRUCT[8] is ...\n"
        "assert demo.sub.f(4, b=5)() == (4, 5)\n"
        "assert inner.__qualname__ == 'Outer.make.<locals>.Inner'\n"
        "path = demo.sub.f.__code__.co_filename\n"
        "print(ascii([demo.VALUE, demo.latin.TEXT, demo.bom.TEXT, path]))"
    )
    done = subprocess.run(
        [executable(python), "-I", "-S", "-B", "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    path = str(tmp_path / "demo/sub.py")
    assert done.stdout.strip() == ascii(["sub", "größe", "bom", path])


def test_the_form_is_that_of_pep_552() -> None:
    for name, data in compiled(SOURCES).items():
        assert data[:4] == importlib.util.MAGIC_NUMBER
        assert data[4:8] == (0b01).to_bytes(4, "little")
        assert data[8:16] == importlib.util.source_hash(SOURCES[name])
        code = loaded(data)
        assert {each.co_filename for each in code_objects(code)} == {f"/var/task/{name}"}


def test_it_is_what_the_compiler_gives() -> None:
    sources = SOURCES | standard_library("asyncio", "email", "json")
    for name, data in compiled(sources).items():
        code = compile(sources[name], f"/var/task/{name}", "exec", dont_inherit=True, optimize=0)
        assert loaded(data) == code


def test_equal_constants_are_written_once_whoever_they_are() -> None:
    # CPython 3.12 and later give two functions one set or two, for reasons in other modules.
    source = "def one(x): return x in {'A', 'B-C'}\ndef two(x): return x in {'A', 'B-C'}\n"
    together = compile(source, "x.py", "exec")
    one, two = (each for each in together.co_consts if isinstance(each, CodeType))
    copied = tuple(
        frozenset(list(each)) if isinstance(each, frozenset) else each for each in two.co_consts
    )
    parts = {one: one, two: two.replace(co_consts=copied)}
    apart = together.replace(co_consts=tuple(parts.get(each, each) for each in together.co_consts))
    assert marshal.dumps(apart) != marshal.dumps(together)
    canonical = Canonical(marshal.dumps(together)).render()
    assert Canonical(marshal.dumps(apart)).render() == canonical
    assert Canonical(canonical).render() == canonical
    assert marshal.loads(canonical) == together  # noqa: S302 -- made by this test


def test_docstrings_and_assertions_stay() -> None:
    [data] = compiled({"x.py": b"'Text.'\nassert __name__ != 'x', 'kept'\n"}).values()
    code = loaded(data)
    assert {"Text.", "kept"} <= set(code.co_consts)


def test_another_root() -> None:
    [data] = compiled({"x.py": b""}, root="/opt/python/").values()
    assert loaded(data).co_filename == "/opt/python/x.py"


def test_the_bytes_do_not_depend_on_what_came_before(python: tuple[int, int]) -> None:
    sources = SOURCES | standard_library("asyncio", "concurrent/futures", "email", "http")
    if python < OWN:
        # The library of another version need not compile.
        sources = SOURCES | {
            f"copy{n}/{name}": data for n in (1, 2) for name, data in SOURCES.items()
        }
    forwards = compiled(sources, python)
    backwards = compiled(dict(reversed(sources.items())), python)
    assert backwards == forwards
    assert compiled(SOURCES, python) == {name: forwards[name] for name in SOURCES}
    for name, source in SOURCES.items():
        assert compiled({name: source}, python) == {name: forwards[name]}


def test_the_environment_does_not_matter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usual = compiled(SOURCES)
    write(tmp_path, {"json.py": b"raise SystemExit('not this one')", "marshal.py": b"1/0"})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONHASHSEED", "77")
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("PYTHONNODEBUGRANGES", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    assert compiled(SOURCES) == usual


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"print 'hello'\n", "line 1: Missing parentheses in call to 'print'"),
        (b"def {{ name }}():\n    pass\n", "line 1: invalid syntax"),
        (b"x = 1\n\x00", "null byte"),
        (b"# coding: klingon\n", "unknown encoding: klingon"),
        (b"x = '\xff'\n", "utf-8"),
        (b"if x:\npass\n", "line 2: expected an indented block"),
        (b"-" * 100_000 + b"1", ""),
    ],
    ids=["python 2", "template", "null", "encoding", "bytes", "indent", "too deep"],
)
def test_what_does_not_compile_is_told(source: bytes, reason: str) -> None:
    said = reason_of(source)
    assert reason in said
    assert said.strip()
    assert "\n" not in said


def test_a_bad_file_does_not_stop_the_rest() -> None:
    sources = [("a.py", b"x = 1"), ("b.py", b"x ="), ("c.py", b"x = 3")]
    results = list(compile_members(PYTHON, sources, python=OWN))
    assert [type(each) for each in results] == [Compiled, NotCompiled, Compiled]
    assert [each.source for each in results] == ["a.py", "b.py", "c.py"]


def test_invalid_escapes_are_compiled_silently() -> None:
    assert compiled({"x.py": b"TEXT = '\\d'\n"}).keys() == {"x.py"}


def test_no_source_no_bytecode() -> None:
    assert list(compile_members(PYTHON, [], python=OWN)) == []


def test_large_and_many_files_pass_in_both_directions() -> None:
    large = b"".join(b"VALUE_%d = %d, 'text %d'\n" % (n, n, n) for n in range(60_000))
    sources = {f"m{n}.py": b"X = %d\n" % n for n in range(400)}
    sources |= {f"large{n}.py": large for n in range(3)}
    found = compiled(sources)
    assert all(len(found[f"large{n}.py"]) > 1024 * 1024 for n in range(3))


def test_sources_are_taken_as_they_are_needed() -> None:
    taken = 0

    def endless() -> Iterator[tuple[str, bytes]]:
        nonlocal taken
        while True:
            taken += 1
            yield f"m{taken}.py", b"TEXT = '" + b"x" * 100_000 + b"'\n"

    results = compile_members(PYTHON, endless(), python=OWN)
    for done in range(1, 21):
        next(results)
        assert taken <= done + 8
    results.close()  # type: ignore[attr-defined]  # it is a generator, to be left half-way


def noting_pid(folder: Path) -> tuple[Path, Path]:
    """An interpreter that writes down its process number, and where."""
    note = folder / "pid"
    script = folder / "python"
    script.write_text(f'#!/bin/sh\necho $$ > "{note}"\nexec "{PYTHON}" "$@"\n')
    script.chmod(0o755)
    return script, note


def has_ended(note: Path) -> bool:
    try:
        os.kill(int(note.read_text()), 0)
    except ProcessLookupError:
        return True
    return False


def test_the_process_ends_when_the_caller_loses_interest(tmp_path: Path) -> None:
    script, note = noting_pid(tmp_path)
    results = compile_members(script, SOURCES.items(), python=OWN)
    next(results)
    assert not has_ended(note)
    results.close()  # type: ignore[attr-defined]  # it is a generator, to be left half-way
    assert has_ended(note)


def test_the_process_ends_when_the_sources_fail(tmp_path: Path) -> None:
    def failing() -> Iterator[tuple[str, bytes]]:
        yield "x.py", b""
        raise ZeroDivisionError

    script, note = noting_pid(tmp_path)
    with pytest.raises(ZeroDivisionError):
        list(compile_members(script, failing(), python=OWN))
    assert has_ended(note)


def fake(folder: Path, then: str, **changed: object) -> Path:
    """A program that says it is an interpreter, reads a request and then does something else."""
    facts = {
        "version": list(sys.version_info[:3]),
        "level": "final",
        "implementation": "cpython",
        "tag": sys.implementation.cache_tag,
        "magic": int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little"),
    } | changed
    body = json.dumps(facts).encode()
    script = folder / "fake"
    script.write_text(
        f"#!{PYTHON}\nimport os, signal, sys, time\n"
        f"os.write(1, {struct.pack('>BI', 2, len(body)) + body!r})\n"
        f"os.read(0, 99)\n{then}\n"
    )
    script.chmod(0o755)
    return script


def failure(interpreter: Path, *, stall_seconds: float = 60) -> CannotBuild:
    results = compile_members(interpreter, SOURCES.items(), python=OWN, stall_seconds=stall_seconds)
    with pytest.raises(CannotBuild) as caught:
        list(results)
    assert f"`{interpreter}`" in caught.value.message
    version = f"{OWN[0]}.{OWN[1]}"
    assert caught.value.hint is not None
    assert f"uv python install {version}" in caught.value.hint
    return caught.value


def test_an_interpreter_that_crashes(tmp_path: Path) -> None:
    script = fake(tmp_path, "os.write(2, b'Fatal\\n'); os.kill(os.getpid(), signal.SIGSEGV)")
    error = failure(script)
    assert error.message.endswith("was killed by signal 11 while it compiled `demo/__init__.py`")
    assert error.details == ("Fatal",)


def test_an_interpreter_that_ends(tmp_path: Path) -> None:
    error = failure(fake(tmp_path, "sys.exit(3)"))
    assert error.message.endswith("ended with exit code 3 while it compiled `demo/__init__.py`")


def test_an_interpreter_that_hangs(tmp_path: Path) -> None:
    began = time.monotonic()
    error = failure(fake(tmp_path, "time.sleep(60)"), stall_seconds=0.5)
    assert "did nothing for 0.5 seconds while it compiled `demo/__init__.py`" in error.message
    assert time.monotonic() - began < 30


def test_an_interpreter_that_takes_nothing(tmp_path: Path) -> None:
    script = fake(tmp_path, "time.sleep(60)")
    sources = [("x.py", b"#" * 10_000_000)]
    with pytest.raises(CannotBuild, match=r"did nothing for 0\.5 seconds"):
        list(compile_members(script, sources, python=OWN, stall_seconds=0.5))


def test_no_interpreter(tmp_path: Path) -> None:
    assert failure(tmp_path / "nothing").message.startswith("cannot run `")


def test_another_program() -> None:
    assert "ended with exit code" in failure(Path("/bin/false")).message


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"version": [3, 8, 1]}, "is Python 3.8.1, and the target runs"),
        ({"level": "beta"}, "is no release of CPython"),
        ({"implementation": "pypy"}, "is no release of CPython"),
        ({"tag": "cpython-38"}, "writes bytecode"),
    ],
    ids=["minor", "beta", "pypy", "tag"],
)
def test_another_interpreter_is_refused(
    tmp_path: Path, changed: dict[str, object], problem: str
) -> None:
    assert problem in failure(fake(tmp_path, "", **changed)).message


def test_another_magic_number_is_refused(tmp_path: Path) -> None:
    if OWN not in {(3, 11), (3, 12), (3, 13)}:
        pytest.skip("the magic number of this Python is not in the list")
    assert "writes bytecode 1 of its own" in failure(fake(tmp_path, "", magic=1)).message


def test_the_version_of_a_real_interpreter_is_checked() -> None:
    with pytest.raises(CannotBuild, match=r"is Python 3\.\d+\.\d+, and the target runs 3\.8"):
        list(compile_members(PYTHON, [("x.py", b"")], python=(3, 8)))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a.py", "__pycache__/a.cpython-310.pyc"),
        ("a/b/__init__.py", "a/b/__pycache__/__init__.cpython-310.pyc"),
    ],
)
def test_names_are_those_of_pep_3147(source: str, name: str) -> None:
    assert pyc_name(source, (3, 10)) == name
