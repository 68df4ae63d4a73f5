"""Task folders with offloaded distributions, and processes of many Pythons that run in them."""

import os
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.assembling import payload_file
from support.wheel_builder import build_wheel

from packager.assemble.offload_index import Arriving, offload_index
from packager.assemble.pinning import pinned_index
from packager.bootstrap.placing import OFFLOAD, bootstrap_files, find_handler
from packager.model.offload import FOLDER, INDEX, Codec, Offloaded
from packager.slim.offload_archive import write_archive, write_remainder
from packager.verify.unpacking import changes_below, make_read_only, unpack

APP = "def handler(event, context):\n    import demo\n    return demo.VALUE\n"

DEMO: dict[str, bytes] = {
    "demo/__init__.py": b"VALUE = 1\n",
    "demo/deep/__init__.py": b"",
    "demo/deep/leaf.py": b"LEAF = 'leaf'\n# " + bytes(range(97, 122)) * 9000 + b"\n",
    "demo/data/known.json": b'{"known": true}',
    "demo/data/empty": b"",
    "demo/run.sh": b"#!/bin/sh\necho ran\n",
    "lonely.py": b"LONELY = 1\n",
    "space/inner/one.py": b"ONE = 1\n",
}
# What a process may see: everything, whole, or it fails.
WHOLE = """
import os, app
from demo.deep import leaf
root = os.path.dirname(os.path.dirname(os.path.dirname(leaf.__file__)))
for name, length in {expected!r}.items():
    with open(os.path.join(root, name), "rb") as file:
        assert len(file.read()) == length, name
assert leaf.LEAF == "leaf"
print("whole")
"""
CODE = WHOLE.format(expected={name: len(data) for name, data in DEMO.items()})


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a process did."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, kw_only=True)
class Task:
    """An unpacked artifact and the folder that stands for /tmp."""

    root: Path
    archives: tuple[Arriving, ...]
    names: frozenset[str]
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """What /var/task is."""
        return self.root / "task"

    @property
    def place(self) -> Path:
        """Where distributions arrive."""
        return self.root / "tmp" / "lpack"

    def command(self, python: str, code: str) -> list[str]:
        """The command that runs `code` as Lambda runs a handler's module."""
        begin = f"import sys; sys.path.insert(0, {str(self.folder)!r})\n"
        return [python, "-I", "-S", "-B", "-c", begin + code]

    def environment(self, **variables: str) -> dict[str, str]:
        """The environment of every process."""
        own = {"TMPDIR": str(self.root / "tmp"), "PATH": os.defpath}
        return {**own, **self.variables, **variables}

    def run(self, python: str, code: str = CODE, **variables: str) -> Done:
        """Run `code` to its end."""
        done = subprocess.run(
            self.command(python, code),
            env=self.environment(**variables),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def ok(self, python: str, code: str = CODE, **variables: str) -> Done:
        """Run `code`, which must succeed, and leave the task folder as it is."""
        done = self.run(python, code, **variables)
        assert done.code == 0, done.stderr
        assert changes_below(self.folder, self.names) == ()
        return done

    def refused(self, python: str, code: str = CODE, **variables: str) -> str:
        """Run `code`, which the bootstrap must refuse with one line; returns it."""
        done = self.run(python, code, **variables)
        assert done.code == 1, done
        [line] = [each for each in done.stderr.splitlines() if each.startswith("lpack: ")]
        assert (
            f"OffloadError: {line.removeprefix('lpack: ')}"
            in done.stderr.replace("[Errno", "OffloadError")
            or line.removeprefix("lpack: ") in done.stderr
        )
        return line.removeprefix("lpack: ")

    def left(self) -> list[str]:
        """The kinds of what lies below /tmp/lpack: `folder`, `lock`, or the whole name."""
        if not self.place.exists():
            return []
        names = sorted(path.name for path in self.place.iterdir())
        return ["lock" if n.endswith(".lock") else "folder" if "." not in n else n for n in names]

    def clear(self) -> None:
        """Empty what stands for /tmp."""
        import shutil  # noqa: PLC0415 -- only here

        shutil.rmtree(self.root / "tmp")
        (self.root / "tmp").mkdir()


def make_task(
    root: Path,
    *,
    distributions: Mapping[str, Mapping[str, bytes]] | None = None,
    codec: Codec = "deflate",
    code: Mapping[str, str] | None = None,
    bucket: str = "",
    together: bool = False,
    shipped: Mapping[str, bytes] | None = None,
    upload: Callable[[str, bytes], str | None] | None = None,
) -> Task:
    """Build wheels of `distributions`, offload them all, and unpack the artifact read-only.

    With a `bucket` each archive is handed, with its key, to `upload`, which returns its version.
    `together` makes one group of them. `shipped` are further files of the zip.
    """
    root.mkdir(parents=True, exist_ok=True)
    own = dict(code if code is not None else {"app.py": APP})
    arriving = []
    artifact = root / "artifact.zip"
    with zipfile.ZipFile(artifact, "w") as archive:
        for name, files in (distributions or {"demo": DEMO}).items():
            made = _offload(root, name, files, codec=codec, bucket=bucket, archive=archive)
            group = "all" if together else name
            arriving.append(Arriving(name, "1.0", made._replace(group=group)))
        handler = find_handler("app.handler", own.keys())
        added = dict(bootstrap_files(handler, [OFFLOAD]).added)
        members: dict[str, Any] = {**own, **added, **(shipped or {})}
        for member, text in members.items():
            archive.writestr(member, text)
        index = offload_index(arriving)
        if upload is not None:
            versions = {
                each.archive.object_key: upload(
                    each.archive.object_key, (root / f"{each.name}.archive").read_bytes()
                )
                for each in arriving
            }
            index = pinned_index(index, versions)
        archive.writestr(INDEX, index)
    for member in ("task", "tmp"):
        (root / member).mkdir()
    names = unpack(artifact, root / "task")
    make_read_only(root / "task")
    return Task(root=root, archives=tuple(arriving), names=names)


def _offload(
    root: Path,
    name: str,
    files: Mapping[str, bytes],
    *,
    codec: Codec,
    bucket: str,
    archive: zipfile.ZipFile,
) -> Offloaded:
    executables = [each for each in files if each.endswith(".sh")]
    wheel = build_wheel(root, name, "1.0", files=files, executables=executables)
    payload, _ = payload_file(wheel)
    place = root / f"{name}.archive"
    made = write_archive([payload], place, codec=codec, key=name, title=f"{name}-1.0")
    rest = root / f"{name}.rest"
    write_remainder(payload, None, rest, key=name, named="")
    with zipfile.ZipFile(rest) as kept:
        for entry in kept.infolist():
            archive.writestr(entry.filename, kept.read(entry))
    if bucket:
        return made._replace(bucket=bucket, object_key=f"p/{made.archive}")
    archive.writestr(f"{FOLDER}/{made.archive}", place.read_bytes())
    return made


def killing(line_number: int) -> str:
    """Code that kills its process at the n-th line that the bootstrap executes."""
    return f"""
import os, signal, sys
left = [{line_number}]

def trace(frame, event, _):
    if not frame.f_code.co_filename.endswith("lpack_offload.py"):
        return None
    if event == "line":
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return trace

sys.settrace(trace)
"""
