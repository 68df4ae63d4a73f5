"""Builds real, valid wheels byte for byte the same every time, and lets a test spoil them.

Written with the standard library's zipfile, so that nothing of lpack is needed to test lpack.
"""

import base64
import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltWheel:
    """A wheel on disk with the digest and the size a lock would state."""

    path: Path
    sha256: str
    size_bytes: int


def build_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    files: Mapping[str, bytes] | None = None,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    tag: str = "py3-none-any",
    entry_points: str | None = None,
    requires_python: str | None = None,
    metadata: bytes | None = None,
    wheel: bytes | None = None,
    record: bytes | None = None,
    omit: Collection[str] = (),
    dist_info: str | None = None,
    dist_info_files: Mapping[str, bytes] | None = None,
    root_is_purelib: bool | None = None,
    executables: Collection[str] = (),
    directories: Sequence[str] = (),
    compress: bool = True,
    level: int = 6,
) -> Path:
    """Write `name` `version` into `folder` as a valid wheel and return its path.

    `files` are the payload, by name within the wheel; without them the wheel holds one module.
    `extras` maps an extra to its requirements. `tag` may be a compressed tag set.
    `metadata`, `wheel` and `record` replace the generated file of that name as a whole; names
    in `omit` (such as `RECORD`) are left out of `.dist-info`. `dist_info` is the folder's name,
    `dist_info_files` are further files in it. `executables` are names that get the x bit.
    `directories` are written as directory entries. The dates are 1980-01-01.
    """
    distribution = escape_name(name)
    escaped_version = version.replace("-", "_")
    info = dist_info if dist_info is not None else f"{distribution}-{escaped_version}.dist-info"
    pure = tag.endswith("-none-any") if root_is_purelib is None else root_is_purelib
    payload = {f"{distribution.lower()}.py": b"VALUE = 1\n"} if files is None else dict(files)
    described = {
        "METADATA": metadata
        if metadata is not None
        else render_metadata(name, version, requires, extras or {}, requires_python),
        "WHEEL": wheel if wheel is not None else render_wheel_file(tag, root_is_purelib=pure),
    }
    if entry_points is not None:
        described["entry_points.txt"] = entry_points.encode()
    described |= dict(dist_info_files or {})
    payload |= {f"{info}/{key}": data for key, data in described.items() if key not in omit}
    if "RECORD" not in omit:
        record_name = f"{info}/RECORD"
        payload[record_name] = (
            record if record is not None else render_record_file(payload, record_name)
        )
    path = folder / f"{distribution}-{escaped_version}-{tag}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        _zip(payload, directories, set(executables), level=level if compress else None)
    )
    return path


def describe(path: Path) -> BuiltWheel:
    """Take digest and size of a file as a lock states them."""
    data = path.read_bytes()
    return BuiltWheel(path=path, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


def escape_name(name: str) -> str:
    """Escape a project name for a wheel's file name (PyPA binary distribution format)."""
    return re.sub(r"[-_.]+", "_", name)


def render_metadata(
    name: str,
    version: str,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    requires_python: str | None = None,
) -> bytes:
    """Write METADATA (version 2.1), with an `extra ==` marker on each extra's requirements."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, requirements in (extras or {}).items():
        lines.append(f"Provides-Extra: {extra}")
        for requirement in requirements:
            text, _, marker = requirement.partition(";")
            condition = f"({marker.strip()}) and " if marker.strip() else ""
            lines.append(f"Requires-Dist: {text.strip()}; {condition}extra == '{extra}'")
    return "\n".join([*lines, "", ""]).encode()


def render_wheel_file(tag: str, *, root_is_purelib: bool) -> bytes:
    """Write WHEEL with one Tag line for each combination of the compressed tag set."""
    pythons, abis, platforms = (part.split(".") for part in tag.split("-")[-3:])
    lines = [
        "Wheel-Version: 1.0",
        "Generator: lpack-tests",
        f"Root-Is-Purelib: {str(root_is_purelib).lower()}",
    ]
    lines += [f"Tag: {p}-{a}-{q}" for p in pythons for a in abis for q in platforms]
    return "\n".join([*lines, "", ""]).encode()


def render_record_file(files: Mapping[str, bytes], record_name: str) -> bytes:
    """Write RECORD for `files`, with the empty line for RECORD itself."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name, data in files.items():
        writer.writerow([name, record_hash(data), len(data)])
    writer.writerow([record_name, "", ""])
    return text.getvalue().encode()


def record_hash(data: bytes, algorithm: str = "sha256") -> str:
    """Take the hash as RECORD writes it: base64 for URLs, without padding."""
    digest = hashlib.new(algorithm, data).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _zip(
    files: Mapping[str, bytes],
    directories: Sequence[str],
    executables: Collection[str],
    *,
    level: int | None,
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in directories:
            entry = zipfile.ZipInfo(name.rstrip("/") + "/", _EPOCH)
            entry.create_system = 3
            entry.external_attr = (0o40755 << 16) | 0x10
            archive.writestr(entry, b"")
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3
            entry.external_attr = (0o100755 if name in executables else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_STORED if level is None else zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, compresslevel=level)
    return buffer.getvalue()
