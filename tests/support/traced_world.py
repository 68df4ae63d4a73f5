"""Task folders with moved files, and processes of many Pythons that run in them."""

import os
import platform
import subprocess
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from support.assembling import payload_file
from support.wheel_builder import build_wheel

from packager.bootstrap.placing import TRACED, bootstrap_files, find_handler
from packager.runtime.targets import load_target
from packager.slim.traced_payload import TracedPayload, traced_payload
from packager.verify.interpreter import find_interpreter
from packager.verify.unpacking import changes_below, make_read_only, unpack

PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
_ARCHITECTURE = "arm64" if platform.machine() == "aarch64" else "x86_64"
FILLING = b"# " + b"x" * 200_000 + b"\n"
"""Makes a distribution worth an archive."""

APP = """
import demo

def handler(event, context):
    return demo.VALUE
"""

FILES: dict[str, bytes] = {
    "demo/__init__.py": b"VALUE = 1\n",
    "demo/used.py": b"USED = 1\n",
    "demo/unused.py": b"from demo.used import USED\nfrom demo.deep import leaf\nVALUE = USED\n",
    "demo/deep/__init__.py": b"",
    "demo/deep/leaf.py": b"LEAF = 'leaf'\n" + FILLING,
    "demo/data/known.json": b'{"known": true}',
    "demo/data/other.json": b'{"other": true}',
    "demo/data/secret.pem": b"pem",
    "space/inner/one.py": b"ONE = 1\n",
    "lonely.py": b"LONELY = 1\n",
}
TOUCHED = frozenset({"demo/__init__.py", "demo/used.py", "demo/data/known.json"})


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a process did."""

    code: int
    stdout: str
    stderr: str

    @property
    def restored(self) -> list[str]:
        """The lines that tell of distributions that were brought back."""
        return [line for line in self.stderr.splitlines() if line.startswith("lpack: restored")]


@dataclass(frozen=True, kw_only=True)
class Task:
    """An unpacked artifact and the folder that stands for /tmp."""

    root: Path
    made: TracedPayload
    names: frozenset[str]
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """What /var/task is."""
        return self.root / "task"

    @property
    def place(self) -> Path:
        """Where distributions are brought back to."""
        return self.root / "tmp" / "lpack"

    def command(self, python: str, code: str) -> list[str]:
        """The command that runs `code` as Lambda runs a handler's module."""
        begin = f"import sys; sys.path.insert(0, {str(self.folder)!r})\n"
        return [python, "-I", "-S", "-B", "-c", begin + code]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process."""
        return {"TMPDIR": str(self.root / "tmp"), "PATH": os.defpath, **self.variables}

    def run(self, python: str, code: str) -> Finished:
        """Run `code` to its end."""
        done = subprocess.run(
            self.command(python, code),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Finished(code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def ok(self, python: str, code: str) -> Finished:
        """Run `code`, which must succeed, and leave the task folder as it is."""
        done = self.run(python, code)
        assert done.code == 0, done.stderr
        assert changes_below(self.folder, self.names) == ()
        return done

    def left(self) -> list[str]:
        """The kinds of what lies below /tmp/lpack: `folder`, `lock`, or the whole name."""
        if not self.place.exists():
            return []
        names = sorted(path.name for path in self.place.iterdir())
        return ["lock" if n.endswith(".lock") else "folder" if "." not in n else n for n in names]


def make_task(
    root: Path,
    *,
    files: Mapping[str, bytes] = FILES,
    touched: Iterable[str] = TOUCHED,
    code: Mapping[str, str] | None = None,
    handler: str = "app.handler",
) -> Task:
    """Build the wheel `demo 1.0`, trace it as said, and unpack the artifact read-only."""
    made = make_traced(root, files, touched)
    own = dict(code if code is not None else {"app.py": APP})
    placed = bootstrap_files(find_handler(handler, own.keys()), [TRACED])
    renamed = dict(placed.renamed)
    artifact = root / "artifact.zip"
    with zipfile.ZipFile(artifact, "w") as archive, zipfile.ZipFile(root / "traced.zip") as payload:
        for entry in payload.infolist():
            archive.writestr(entry.filename, payload.read(entry))
        for name, text in own.items():
            archive.writestr(renamed.get(name, name), text)
        for name, data in placed.added:
            archive.writestr(name, data)
    for name in ("task", "tmp"):
        (root / name).mkdir()
    names = unpack(artifact, root / "task")
    make_read_only(root / "task")
    return Task(root=root, made=made, names=names)


def make_traced(root: Path, files: Mapping[str, bytes], touched: Iterable[str]) -> TracedPayload:
    """Write `payload.zip` of the wheel `demo 1.0` and `traced.zip`, what is left of it."""
    wheel = build_wheel(root, "demo", "1.0", files=files)
    path, _ = payload_file(wheel)
    path.replace(root / "payload.zip")
    made = traced_payload(
        root / "payload.zip",
        frozenset(touched),
        root / "traced.zip",
        key="key",
        name="demo",
        version="1.0",
    )
    assert made is not None
    return made


def python_of(version: str) -> str:
    """An interpreter of `version`; skips the test without one."""
    found = _find(version)
    if found is None:
        pytest.skip(f"there is no Python {version} here")
    return found


@cache
def _find(version: str) -> str | None:
    found = find_interpreter(load_target(f"python{version}", _ARCHITECTURE))
    return None if found is None else found.executable
