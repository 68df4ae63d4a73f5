"""Tracing: which files of an artifact are opened while its handler, or a test command, runs.

Three observers, of which one is enough: the access times of the unpacked files, which the kernel
keeps (also for what C code, the dynamic loader and child processes read), an audit hook in Python,
and the memory map. File systems mounted with `noatime` leave only the last two.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packager.errors import UsageError
from packager.model.trace import Trace, TracedDistribution
from packager.verify.invoke import invoke
from packager.verify.processes import Child
from packager.verify.sandbox import Sandbox
from packager.verify.serving import Answer
from packager.verify.unpacking import FILE_DATE

_PREAMBLE = Path(__file__).with_name("trace_preamble.py")
_RECORD = "trace"
_HOOK = "hook"
_FALLBACK = ".lpack/fallback"
_BOOTSTRAP = "lpack_bootstrap.py"
_FOREVER_SECONDS = 86_400.0
_TRACED_PLACES = ("zip", "image")
_VERSION_MARK = "#python "

_SITECUSTOMIZE = """\
import trace_preamble

trace_preamble.begin({record!r}, {folders!r})
trace_preamble.hand_on({hook!r})
try:
    import lpack_bootstrap
except ImportError:
    pass
else:
    lpack_bootstrap.install()
"""


class TracedSandbox(Sandbox):
    """A sandbox whose processes note what they open."""

    @property
    def record(self) -> Path:
        """Where they note it."""
        return self.root / _RECORD

    @property
    def place(self) -> Path:
        """Where the bootstrap of a traced artifact unpacks what was missed."""
        return self.root / "tmp" / "lpack"

    def command(self, mode: str) -> list[str]:
        """Return the sandbox's command, with the preamble before its script."""
        whole = Sandbox.command(self, mode)
        at = next(index for index, each in enumerate(whole) if each.endswith(".py"))
        preamble = (_PREAMBLE, self.record, self.task, self.place)
        return [*whole[:at], *map(str, preamble), *whole[at:]]


def traced(sandbox: Sandbox) -> TracedSandbox:
    """Return the same sandbox with tracing."""
    return TracedSandbox(
        subject=sandbox.subject, root=sandbox.root, files=sandbox.files, mark=sandbox.mark
    )


def trace_event(
    sandbox: TracedSandbox,
    event: bytes,
    *,
    timeout_seconds: float,
    on_line: Callable[[str], None],
) -> Answer:
    """Let the handler answer `event` in a fresh process and note what it opens."""
    return invoke(sandbox, event, timeout_seconds=timeout_seconds, emulator=None, on_line=on_line)


def trace_command(
    sandbox: TracedSandbox,
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    on_line: Callable[[str], None],
) -> int:
    """Run a test command in `folder` with the artifact first on PYTHONPATH; return its exit code.

    The runtime's own packages come after the artifact's. Raises UsageError when the command ran no
    Python of the target's version, CannotBuild when it cannot be started.
    """
    hook = sandbox.root / _HOOK
    hook.mkdir(exist_ok=True)
    (hook / _PREAMBLE.name).write_bytes(_PREAMBLE.read_bytes())
    text = _SITECUSTOMIZE.format(
        record=str(sandbox.record), folders=[str(sandbox.task), str(sandbox.place)], hook=str(hook)
    )
    (hook / "sitecustomize.py").write_text(text, encoding="utf-8")
    path = [str(hook), str(sandbox.task), str(sandbox.subject.runtime)]
    path += filter(None, [environment.get("PYTHONPATH")])
    variables = {
        **environment,
        "LAMBDA_TASK_ROOT": str(sandbox.task),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(path),
        "TMPDIR": str(sandbox.root / "tmp"),
    }
    with Child(command, cwd=folder, environment=variables, on_line=on_line) as child:
        code = child.wait(_FOREVER_SECONDS)
    _check_python(sandbox, command)
    return 1 if code is None else code


def touched_files(sandbox: TracedSandbox) -> frozenset[str]:
    """Return the archive names of all files that were touched so far."""
    roots = [sandbox.task, *_restored_folders(sandbox.place)]
    names = {name for root in roots for name in _accessed(root)}
    starts = [f"{root}/" for root in roots]
    # Python tries to open much that is not there.
    for line in filter(os.path.isfile, _noted(sandbox)):
        names.update(line.removeprefix(start) for start in starts if line.startswith(start))
    return frozenset(names)


def traceable(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the distributions of which a trace tells something: those in the artifact itself.

    Nothing is set aside in layers and in archives, so what is opened there is not looked at.
    """
    return [
        each
        for each in manifest["distributions"]
        if not each["subtracted"] and each.get("placement", "zip") in _TRACED_PLACES
    ]


def trace_of(
    sandbox: TracedSandbox, manifest: Mapping[str, Any], *, lpack: str, runs: int
) -> Trace:
    """Return what was touched so far, by the distributions of `manifest`.

    `lpack` is lpack's own version.
    """
    touched = touched_files(sandbox)
    target = sandbox.subject.target
    moved = _moved(sandbox)
    distributions = []
    for each in traceable(manifest):
        own = {row[0] for row in each["files"]} | moved.get((each["name"], each["version"]), set())
        files = sorted((own & touched) - _lpacks(own), key=str.encode)
        distributions.append(TracedDistribution(each["name"], each["version"], tuple(files)))
    return Trace(
        lpack=lpack,
        runtime=target.runtime,
        architecture=target.architecture,
        runs=runs,
        distributions=tuple(sorted(distributions)),
    )


def keeps_access_times(sandbox: TracedSandbox) -> bool:
    """Tell whether reading a file in the sandbox leaves a mark on it."""
    probe = sandbox.root / "probe"
    probe.write_bytes(b"x")
    os.utime(probe, (FILE_DATE, FILE_DATE))
    probe.read_bytes()
    return probe.stat().st_atime != FILE_DATE


def _accessed(root: Path) -> Iterator[str]:
    for parent, _, files in os.walk(root):
        for name in files:
            path = os.path.join(parent, name)  # noqa: PTH118 -- thousands of files
            status = os.lstat(path)
            if status.st_atime != FILE_DATE and not os.path.islink(path):  # noqa: PTH114 -- likewise
                yield os.path.relpath(path, root).replace(os.sep, "/")


def _restored_folders(place: Path) -> list[Path]:
    """Return the folders with restored distributions; names with a dot are not finished."""
    if not place.is_dir():
        return []
    return sorted(path for path in place.iterdir() if path.is_dir() and "." not in path.name)


def _noted(sandbox: TracedSandbox) -> list[str]:
    try:
        return os.fsdecode(sandbox.record.read_bytes()).splitlines()
    except FileNotFoundError:
        return []


def _check_python(sandbox: TracedSandbox, command: Sequence[str]) -> None:
    wanted = ".".join(map(str, sandbox.subject.target.python))
    marks = {line for line in _noted(sandbox) if line.startswith(_VERSION_MARK)}
    versions = sorted(mark.removeprefix(_VERSION_MARK) for mark in marks)
    if wanted in versions:
        return
    ran = f"Python {' and '.join(versions)}" if versions else "no Python that reads PYTHONPATH"
    raise UsageError(
        f"`{command[0]}` ran {ran}, and the artifact is for Python {wanted}",
        hint=f"run it with {sandbox.subject.interpreter.executable}",
    )


def _moved(sandbox: TracedSandbox) -> dict[tuple[str, str], set[str]]:
    """Return the files that an earlier trace moved out of the artifact."""
    moved: dict[tuple[str, str], set[str]] = {}
    for name in sandbox.files:
        if name.startswith(f"{_FALLBACK}/") and name.endswith(".json"):
            known = json.loads((sandbox.task / name).read_text(encoding="utf-8"))
            moved[known["name"], known["version"]] = {
                f"{folder}/{base}".lstrip("/")
                for folder, files in known["folders"].items()
                for base in files
            }
    return moved


def _lpacks(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith(f"{_FALLBACK}/") or name == _BOOTSTRAP}
