"""Independent readers of a zip: what do other people's programs see in it?

Every reader returns, by name, the sha256 of the bytes and the permission bits (None where the
program does not tell them). Folders are left out.
"""

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

Seen = dict[str, tuple[str, int | None]]
_JAVA_SOURCE = Path(__file__).with_name("ReadZip.java")
_PERL_SOURCE = Path(__file__).with_name("read_zip.pl")


class ReaderFailedError(Exception):
    """A reader refused the zip or found an error in it."""


def read_with_python(path: Path) -> Seen:
    """Read with zipfile, which follows the central directory."""
    seen: Seen = {}
    with zipfile.ZipFile(path) as archive:
        broken = archive.testzip()
        if broken is not None:
            raise ReaderFailedError(f"zipfile: bad member {broken}")
        for info in archive.infolist():
            if not info.is_dir():
                digest = _digest_of_member(archive, info)
                seen[info.filename] = (digest, info.external_attr >> 16 & 0o777)
    return seen


def _digest_of_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    """The sha256 of one member, read in pieces."""
    digest = hashlib.sha256()
    with archive.open(info) as member:
        while piece := member.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def read_with_unzip(path: Path) -> Seen:
    """Read with Info-ZIP: `unzip -tqq`, then unpack."""
    _run(["unzip", "-tqq", str(path)])
    return _unpacked(lambda folder: ["unzip", "-qq", "-o", str(path), "-d", folder])


def read_with_7z(path: Path) -> Seen:
    """Read with 7-Zip: `7z t`, then unpack."""
    _run(["7z", "t", "-bd", str(path)])
    return _unpacked(lambda folder: ["7z", "x", "-bd", "-y", f"-o{folder}", str(path)])


def read_with_bsdtar(path: Path) -> Seen:
    """Read with libarchive."""
    return _unpacked(lambda folder: ["bsdtar", "-x", "-p", "-f", str(path), "-C", folder])


def read_with_busybox(path: Path) -> Seen:
    """Read with busybox, which walks the local headers and ignores the modes."""
    seen = _unpacked(lambda folder: ["busybox", "unzip", "-q", "-o", str(path), "-d", folder])
    return {name: (digest, None) for name, (digest, _) in seen.items()}


def read_with_java_file(path: Path) -> Seen:
    """Read with java.util.zip.ZipFile, which follows the central directory."""
    return _java("file", [path])[0]


def read_with_java_stream(path: Path) -> Seen:
    """Read with java.util.zip.ZipInputStream, which follows the local headers."""
    return _java("stream", [path])[0]


READERS: dict[str, Callable[[Path], Seen]] = {
    "python": read_with_python,
    "unzip": read_with_unzip,
    "7z": read_with_7z,
    "bsdtar": read_with_bsdtar,
    "java ZipFile": read_with_java_file,
    "java ZipInputStream": read_with_java_stream,
    "busybox": read_with_busybox,
}

MORE_READERS = ("perl Archive::Zip", "perl IO::Uncompress::Unzip")
"""Readers of `read_all` alone: the first follows the directory, the second the local headers."""


def read_all(reader: str, paths: Sequence[Path]) -> list[Seen]:
    """Read many zips with one reader; what starts slowly starts once."""
    match reader:
        case "java ZipFile":
            return _java("file", paths)
        case "java ZipInputStream":
            return _java("stream", paths)
        case "perl Archive::Zip":
            return _perl("directory", paths)
        case "perl IO::Uncompress::Unzip":
            return _perl("stream", paths)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(READERS[reader], paths))


@functools.cache
def why_missing(reader: str) -> str | None:
    """Say why `reader` cannot be used on this machine, None when it can."""
    if reader == "python":
        return None
    program = reader.split(maxsplit=1)[0]
    if shutil.which(program) is None:
        return f"`{program}` is not installed"
    if program == "perl":
        module = reader.split()[1]
        found = subprocess.run(["perl", f"-M{module}", "-e", "1"], capture_output=True, check=False)
        return f"Perl has no `{module}`" if found.returncode else None
    if program == "java":
        modules = subprocess.run(
            ["java", "--list-modules"], capture_output=True, text=True, check=False
        ).stdout
        if "jdk.compiler" not in modules:
            return "`java` has no compiler (a JRE, not a JDK)"
    return None


def available_readers() -> list[str]:
    """The readers this machine has."""
    return [name for name in READERS if why_missing(name) is None]


def assert_readers_agree(path: Path, expected: Mapping[str, tuple[str, int]] | None = None) -> None:
    """Demand that every available reader sees `expected`, by default what Python sees."""
    names = available_readers()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        seen = dict(zip(names, pool.map(lambda name: READERS[name](path), names), strict=True))
    wanted: Seen = dict(expected) if expected is not None else seen["python"]
    for name, found in seen.items():
        assert found.keys() == wanted.keys(), (
            f"{name} sees other names: {sorted(found.keys() ^ wanted.keys())[:10]}"
        )
        for member, (digest, mode) in found.items():
            assert digest == wanted[member][0], f"{name} reads other bytes in {member}"
            assert mode is None or mode == wanted[member][1], (
                f"{name} reads mode {mode:o} of {member}, wanted {wanted[member][1] or 0:o}"
            )


def _scratch() -> str | None:
    """A folder in memory when there is one with room for several unpacked bundles."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 2_000_000_000:
        return str(memory)
    return None


def _unpacked(command: Callable[[str], list[str]]) -> Seen:
    """Unpack into a scratch folder with no umask and look at what lies there."""
    with tempfile.TemporaryDirectory(prefix="reader-", dir=_scratch()) as folder:
        _run(command(folder))
        return {
            path.relative_to(folder).as_posix(): (
                hashlib.sha256(path.read_bytes()).hexdigest(),
                path.stat().st_mode & 0o777,
            )
            for path in Path(folder).rglob("*")
            if path.is_file() and not path.is_symlink()
        }


def _java(mode: str, paths: Sequence[Path]) -> list[Seen]:
    """Run the reader in ReadZip.java, in single-file source mode."""
    output = _run(["java", "-XX:TieredStopAtLevel=1", str(_JAVA_SOURCE), mode, *map(str, paths)])
    return [
        {name: (digest, None) for digest, name in (line.split(" ", 1) for line in lines)}
        for lines in _parts(output)
    ]


def _perl(mode: str, paths: Sequence[Path]) -> list[Seen]:
    """Run the reader in read_zip.pl, which tells modes where it follows the directory."""
    output = _run(["perl", str(_PERL_SOURCE), mode, *map(str, paths)])
    found: list[Seen] = []
    for lines in _parts(output):
        rows = [line.split(" ", 2) for line in lines]
        found.append(
            {name: (digest, None if bits == "-" else int(bits, 8)) for digest, bits, name in rows}
        )
    return found


def _parts(output: str) -> list[list[str]]:
    """Split what was printed of several zips at the lines that begin one."""
    parts: list[list[str]] = []
    for line in output.splitlines():
        if line.startswith("= "):
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def _run(command: list[str]) -> str:
    """Run a reader; any complaint, even a warning, is a failure."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        umask=0,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
    )
    if done.returncode:
        raise ReaderFailedError(f"{command[0]}: {done.stdout[-400:]}{done.stderr[-400:]}")
    return done.stdout
