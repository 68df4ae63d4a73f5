"""Bundles for the static checks: from memory, from wheels, from compiled libraries."""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from packager.model.runtime_system import RuntimeSystem
from packager.runtime.system import load_runtime_system
from packager.runtime.targets import load_target
from packager.verify.bundle_view import BundleFile, BundleView


def system_of(label: str) -> RuntimeSystem:
    """The system of `python3.13/arm64`."""
    return load_runtime_system(load_target(*label.split("/")))


def bundle(
    files: Mapping[str, bytes] | Sequence[str], modes: Mapping[str, int | None] | None = None
) -> BundleView:
    """A bundle from memory; mere names are empty files, and the mode is 0644."""
    contents = files if isinstance(files, Mapping) else dict.fromkeys(files, b"")
    return [
        BundleFile(
            name=name,
            mode=(modes or {}).get(name, 0o100644),
            uncompressed_bytes=len(data),
            read=partial(_head, data),
        )
        for name, data in contents.items()
    ]


@contextmanager
def wheels_view(wheels: Sequence[Path]) -> Iterator[BundleView]:
    """The files of `wheels` where an artifact has them, with the modes lpack gives them."""
    with ExitStack() as stack:
        files: dict[str, BundleFile] = {}
        for wheel in wheels:
            archive = stack.enter_context(zipfile.ZipFile(wheel))
            for entry in archive.infolist():
                name = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", entry.filename)
                if not entry.is_dir() and ".data/" not in name:
                    read = partial(_member, archive, entry)
                    files[name] = BundleFile(name, 0o100644, entry.file_size, read)
        yield list(files.values())


def compile_library(
    path: Path, *options: str, source: str = "int f(void) { return 1; }\n"
) -> bytes:
    """Compile `source` as a shared library at `path`, for the machine the tests run on."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed here")
    path.parent.mkdir(parents=True, exist_ok=True)
    code = path.with_name(path.name + ".c")
    code.write_text(source, encoding="utf-8")
    command = [compiler, "-shared", "-fPIC", "-nostdlib", "-o", str(path), str(code), *options]
    subprocess.run(command, check=True, capture_output=True)
    code.unlink()
    return path.read_bytes()


def _head(data: bytes, limit_bytes: int = -1) -> bytes:
    return data if limit_bytes < 0 else data[:limit_bytes]


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit_bytes: int = -1) -> bytes:
    with archive.open(entry) as stream:
        return stream.read(limit_bytes)
