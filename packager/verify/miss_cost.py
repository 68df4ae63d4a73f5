"""What a miss costs: the real bootstrap brings back every distribution of an artifact, timed."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from packager.errors import CannotBuild
from packager.verify.interpreter import Interpreter
from packager.verify.unpacking import unpack

_FALLBACK = ".lpack/fallback/"
_BOOTSTRAP = "lpack_bootstrap.py"
_LIMIT_SECONDS = 600
_SCRIPT = """
import sys, time
sys.path.insert(0, sys.argv[1])
import json, hashlib, lzma, tarfile, mmap, shutil, fcntl
import lpack_bootstrap
found = {}
for archive in lpack_bootstrap._index().archives.values():
    folder, names = next(iter(archive.known["folders"].items()))
    began = time.perf_counter()
    archive.restore(f"{folder}/{next(iter(names))}".lstrip("/"), "its cost is measured")
    found[archive.known["name"]] = time.perf_counter() - began
print(json.dumps(found))
"""


class MissCost(NamedTuple):
    """One distribution: what is brought back, and how long that took on this machine."""

    name: str
    version: str
    archive_bytes: int
    uncompressed_bytes: int
    seconds: float


def measure_misses(artifact: Path, interpreter: Interpreter) -> tuple[MissCost, ...]:
    """Measure each distribution with a fallback archive in `artifact`, ordered by name.

    Hashing, decompressing and writing are included, links too. Raises CannotBuild when the
    artifact is broken or its bootstrap fails.
    """
    with tempfile.TemporaryDirectory(prefix="lpack-miss-") as scratch:
        task, temporary = Path(scratch, "task"), Path(scratch, "tmp")
        task.mkdir()
        temporary.mkdir()
        names = unpack(
            artifact,
            task,
            place=lambda name: name if name.startswith((_FALLBACK, _BOOTSTRAP)) else None,
        )
        indexes = sorted(name for name in names if name.endswith(".json"))
        if not indexes:
            return ()
        seconds = _run(interpreter, task, temporary)
        found = []
        for name in indexes:
            known = json.loads((task / name).read_text(encoding="utf-8"))
            found.append(
                MissCost(
                    name=known["name"],
                    version=known["version"],
                    archive_bytes=(task / _FALLBACK / known["archive"]).stat().st_size,
                    uncompressed_bytes=known["uncompressed_bytes"],
                    seconds=seconds[known["name"]],
                )
            )
        return tuple(found)


def _run(interpreter: Interpreter, task: Path, temporary: Path) -> dict[str, float]:
    done = subprocess.run(
        [interpreter.executable, "-I", "-S", "-B", "-c", _SCRIPT, str(task)],
        env={"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT_SECONDS,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CannotBuild(f"the artifact's bootstrap fails: {reason}")
    result: dict[str, float] = json.loads(done.stdout)
    return result
