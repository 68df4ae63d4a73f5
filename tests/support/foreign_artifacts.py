"""Artifacts made by other people's tools from real wheels, and counted by hand.

Counting by hand means: by another route than lpack's. Sizes come from `zipfile`, `os.walk` or
`tar`, distributions from `importlib.metadata` reading the unpacked tree.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HANDLER = "import requests\n\ndef handler(event, context):\n    return requests.__version__\n"
PLATFORMS = tuple(
    f"manylinux{old}_x86_64" for old in ("_2_34", "_2_28", "_2_17", "2014", "_2_5", "1")
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """What another reader counts: distributions with versions, files, bytes."""

    distributions: Mapping[str, str]
    entries: int
    uncompressed_bytes: int
    compressed_bytes: int


def run(*argv: str, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a tool and return what it printed; what it complained of is in the error."""
    done = subprocess.run(
        argv, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pip_target(folder: Path, wheels: Path, *requirements: str, compiled: bool = False) -> Path:
    """`pip install --target` for python3.13 on x86_64, as the AWS documentation tells people."""
    platforms = [part for tag in PLATFORMS for part in ("--platform", tag)]
    run(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--find-links",
        str(wheels), "--target", str(folder), *platforms, "--python-version", "3.13",
        "--only-binary", ":all:", *([] if compiled else ["--no-compile"]), *requirements,
        cwd=wheels,
    )  # fmt: skip
    return folder


def uv_target(folder: Path, wheels: Path, *requirements: str) -> Path:
    """`uv pip install --target` for python3.13 on x86_64."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    run(
        uv, "pip", "install", "--quiet", "--no-index", "--find-links", str(wheels), "--target",
        str(folder), "--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.13",
        "--link-mode", "copy", "--no-cache", *requirements,
        cwd=wheels,
    )  # fmt: skip
    return folder


def zipped(path: Path, folder: Path) -> Path:
    """`zip -r`, with entries for folders, as people do it."""
    run("zip", "-q", "-r", "-1", str(path), ".", cwd=folder)
    return path


def links_to(folder: Path, wheels: Sequence[Path]) -> Path:
    """A folder of wheels for `--find-links`."""
    folder.mkdir()
    for wheel in wheels:
        (folder / wheel.name).symlink_to(wheel)
    return folder


def count_zip(path: Path, scratch: Path, *, roots: Sequence[str] = ("",)) -> Counted:
    """Count a zip with `zipfile` and, unpacked, with `importlib.metadata`."""
    with zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        archive.extractall(scratch)
    return Counted(
        distributions=distributions_of(scratch, roots),
        entries=len(files),
        uncompressed_bytes=sum(info.file_size for info in files),
        compressed_bytes=path.stat().st_size,
    )


def count_folder(folder: Path, *, roots: Sequence[str] = ("",)) -> Counted:
    """Count a folder with `os.walk`."""
    files = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
    return Counted(
        distributions=distributions_of(folder, roots),
        entries=len(files),
        uncompressed_bytes=sum(file.lstat().st_size for file in files),
        compressed_bytes=0,
    )


def distributions_of(folder: Path, roots: Sequence[str]) -> dict[str, str]:
    """Name what Python itself finds installed below `folder`."""
    paths = [str(folder / root) for root in roots]
    return {
        str(found.metadata["Name"]).lower().replace("_", "-"): found.version
        for found in importlib.metadata.distributions(path=paths)
    }
