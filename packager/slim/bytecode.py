"""Compile Python sources with an interpreter of the target's minor version.

Files in a Lambda zip have no dates that Python would trust, and the folder they lie in is
read-only: only bytecode that is not checked against its source (PEP 552, unchecked hash) saves
the compilation at every cold start. The compiler runs in a process of its own and never runs
what it compiles.
"""

import json
import os
import selectors
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import IO, Any, NamedTuple, Self

from packager.errors import CannotBuild

# Part of every key: raise it when equal sources would give other bytecode.
RECIPE = 1

TASK_ROOT = "/var/task"
"""Where Lambda unpacks a function's zip (AWS Lambda Developer Guide, LAMBDA_TASK_ROOT)."""

# importlib.util.MAGIC_NUMBER of the releases: it never changes between releases of one minor
# version (CPython, Include/internal/pycore_magic_number.h).
_MAGIC = {(3, 9): 3425, (3, 10): 3439, (3, 11): 3495, (3, 12): 3531, (3, 13): 3571}

_SCRIPT = Path(__file__).with_name("compile_frames.py")
_REQUEST = Struct(">II")
_ANSWER = Struct(">BI")
_BYTECODE, _REASON, _INTERPRETER = 0, 1, 2
_CHUNK = 1024 * 1024
_AHEAD_BYTES = 256 * 1024
_TAIL_BYTES = 4096


class Compiled(NamedTuple):
    """Bytecode: `name` is its archive name, `source` that of the file it was made of."""

    source: str
    name: str
    data: bytes


class NotCompiled(NamedTuple):
    """A source that stays without bytecode, and why."""

    source: str
    reason: str


def pyc_name(source: str, python: tuple[int, int]) -> str:
    """Return where CPython `python` looks for the bytecode of `source` (PEP 3147, PEP 488)."""
    folder, slash, file = source.rpartition("/")
    stem = file.removesuffix(".py")
    return f"{folder}{slash}__pycache__/{stem}.cpython-{python[0]}{python[1]}.pyc"


def compile_members(
    interpreter: Path,
    sources: Iterable[tuple[str, bytes]],
    *,
    python: tuple[int, int],
    root: str = TASK_ROOT,
    stall_seconds: float = 120.0,
) -> Iterator[Compiled | NotCompiled]:
    """Compile `sources`, pairs of (archive name, contents), in their order and one at a time.

    `interpreter` must be a release of CPython `python`; the bytecode names files below `root`,
    as tracebacks will. The bytes depend on the contents, the names, `root` and the interpreter's
    release. Sources are taken as they are needed. Raises CannotBuild when the interpreter is
    another, when it ends, or when it is silent for `stall_seconds`.
    """
    with _Compiler(interpreter, python, stall_seconds) as compiler:
        compiler.check()
        for name, kind, body in compiler.answers(sources, root.rstrip("/")):
            if kind == _BYTECODE:
                yield Compiled(name, pyc_name(name, python), body)
            else:
                yield NotCompiled(name, body.decode())


class _Compiler:
    """The interpreter's process and the frames that go to it and come back.

    One thread serves both directions, so that neither side ever waits for the other to read.
    """

    def __init__(self, interpreter: Path, python: tuple[int, int], stall_seconds: float) -> None:
        self._interpreter = interpreter
        self._python = python
        self._stall_seconds = stall_seconds
        self._process = self._start()
        self._input = _pipe(self._process.stdin)
        self._output = _pipe(self._process.stdout)
        self._errors = _pipe(self._process.stderr)
        self._selector = selectors.DefaultSelector()
        for pipe in (self._output, self._errors):
            self._selector.register(pipe, selectors.EVENT_READ)
        os.set_blocking(self._input.fileno(), False)
        self._to_send = memoryview(b"")
        self._received = bytearray()
        self._tail = b""
        self._waiting: deque[tuple[str, int]] = deque()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [str(self._interpreter), "-I", "-S", "-B", "-W", "ignore", str(_SCRIPT)]
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(
                command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                bufsize=0,
            )
        except OSError as error:
            raise CannotBuild(
                f"cannot run `{self._interpreter}`: {error.strerror}", hint=self._hint
            ) from error

    @property
    def _hint(self) -> str:
        version = f"{self._python[0]}.{self._python[1]}"
        return f"get another Python with `uv python install {version}`, or build without bytecode"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._selector.close()
        for pipe in (self._input, self._output, self._errors):
            with suppress(OSError):
                pipe.close()

    def check(self) -> None:
        """Raise CannotBuild unless the process is a release of the right CPython."""
        answer = self._next_answer()
        while answer is None:
            self._exchange()
            answer = self._next_answer()
        kind, body = answer
        facts = json.loads(body) if kind == _INTERPRETER else {}
        problem = _problem(facts, self._python)
        if problem is not None:
            raise CannotBuild(f"`{self._interpreter}` {problem}", hint=self._hint)

    def answers(
        self, sources: Iterable[tuple[str, bytes]], root: str
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield (archive name, kind, body) for each of `sources`."""
        iterator = iter(sources)
        more = True
        while more or self._waiting:
            while more and not self._to_send and self._ahead_bytes < _AHEAD_BYTES:
                source = next(iterator, None)
                more = source is not None
                if source is not None:
                    self._send(*source, root)
            if not self._waiting:
                return
            self._exchange()
            while (answer := self._next_answer()) is not None:
                name, _ = self._waiting.popleft()
                yield (name, *answer)

    @property
    def _ahead_bytes(self) -> int:
        return sum(source_bytes for _, source_bytes in self._waiting)

    def _send(self, name: str, source: bytes, root: str) -> None:
        path = f"{root}/{name}".encode()
        self._to_send = memoryview(_REQUEST.pack(len(path), len(source)) + path + source)
        self._waiting.append((name, len(source) + 1))
        self._selector.register(self._input, selectors.EVENT_WRITE)

    def _exchange(self) -> None:
        """Wait until the process takes or gives something, and do it."""
        ready = self._selector.select(self._stall_seconds)
        if not ready:
            raise self._failure(f"did nothing for {self._stall_seconds:g} seconds")
        for key, _ in ready:
            if key.fileobj is self._input:
                self._write()
            elif key.fileobj is self._output:
                data = os.read(self._output.fileno(), _CHUNK)
                if not data:
                    raise self._failure(self._end())
                self._received += data
            else:
                self._read_errors()

    def _write(self) -> None:
        # A process that has ended shows itself at the end of its output.
        with suppress(BlockingIOError, BrokenPipeError):
            written = os.write(self._input.fileno(), self._to_send)
            self._to_send = self._to_send[written:]
            if self._to_send:
                return
        if not self._to_send:
            self._selector.unregister(self._input)

    def _read_errors(self) -> None:
        data = os.read(self._errors.fileno(), _CHUNK)
        if not data:
            self._selector.unregister(self._errors)
        self._tail = (self._tail + data)[-_TAIL_BYTES:]

    def _next_answer(self) -> tuple[int, bytes] | None:
        """Take one whole answer from what was received, if there is one."""
        if len(self._received) < _ANSWER.size:
            return None
        kind, body_bytes = _ANSWER.unpack_from(self._received)
        end = _ANSWER.size + body_bytes
        if len(self._received) < end:
            return None
        body = bytes(self._received[_ANSWER.size : end])
        del self._received[:end]
        return kind, body

    def _end(self) -> str:
        """Say how the process ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self._stall_seconds)
        code = self._process.poll()
        if code is None:
            return "closed its output"
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def _failure(self, what: str) -> CannotBuild:
        while any(key.fileobj is self._errors for key, _ in self._selector.select(0)):
            self._read_errors()
        during = f" while it compiled `{self._waiting[0][0]}`" if self._waiting else ""
        said = self._tail.decode("utf-8", "replace").strip().splitlines()
        return CannotBuild(
            f"`{self._interpreter}` {what}{during}", hint=self._hint, details=said[-3:]
        )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("the process was started without pipes")
    return pipe


def _problem(facts: dict[str, Any], python: tuple[int, int]) -> str | None:
    """Say why the interpreter's bytecode would be of no use to the target."""
    wanted = f"{python[0]}.{python[1]}"
    if facts.get("implementation") != "cpython" or facts.get("level") != "final":
        return f"is no release of CPython, and the target runs {wanted}"
    if tuple(facts["version"][:2]) != python:
        return f"is Python {'.'.join(map(str, facts['version']))}, and the target runs {wanted}"
    known = _MAGIC.get(python, facts["magic"])
    if facts["magic"] != known or facts["tag"] != f"cpython-{python[0]}{python[1]}":
        return f"writes bytecode {facts['magic']} of its own, and Python {wanted} reads {known}"
    return None
