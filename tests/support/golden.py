"""Compares what a run said and left behind with golden files."""

import difflib
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

_FILTERS: tuple[tuple[str, str], ...] = (
    (r"\b[0-9a-f]{64}\b", "<SHA256>"),
    (r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=", "<SHA256-BASE64>"),
    (r"\b[0-9a-f]{16}…", "<SHA256>…"),
    (r"\b\d+\.\d+ ?m?s\b", "<TIME>"),
    (r"\b(uv|pip) \d+\.\d+(\.\d+)*", r"\1 <VERSION>"),
    (r"\blpack \d+\.\d+\.\d+\S*", "lpack <VERSION>"),
)
_SIZES: tuple[tuple[str, str], ...] = (
    (r"\b[\d.,]+ (B|kB|KiB|MiB|GiB|MB|bytes)(?!\w)", r"<SIZE>"),
    (r"\b\d+(\.\d+)? ?%", "<SHARE>"),
    (r" {2,}", "  "),
)


def normalize(text: str, *, names: Mapping[str, str], sizes: bool) -> str:
    """Replace what differs from run to run; `names` maps literal text to its placeholder.

    With `sizes` false the figures go too, for cases that are about something else.
    """
    for literal, placeholder in sorted(names.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(literal, placeholder)
    for pattern, replacement in _FILTERS + (() if sizes else _SIZES):
        text = re.sub(pattern, replacement, text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` with its bytes; links are followed, folders left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def describe_changes(folder: Path, before: Mapping[str, bytes]) -> str:
    """List what was created, changed or removed below `folder`, zips with their members.

    A member is listed with its mode and its uncompressed bytes.
    """
    after = snapshot(folder)
    lines = [f"removed {name}" for name in before if name not in after]
    for name, data in after.items():
        if before.get(name) == data:
            continue
        lines.append(f"{'changed' if name in before else 'created'} {name}")
        if name.endswith(".zip"):
            lines += _members(folder / name)
    return "".join(f"{line}\n" for line in lines) or "nothing\n"


def _members(path: Path) -> list[str]:
    """The members of the zip at `path`, in its own order."""
    with zipfile.ZipFile(path) as archive:
        return [
            f"  {info.external_attr >> 16 & 0o7777:04o} {info.file_size:>7} {info.filename}"
            for info in archive.infolist()
        ]


def check_golden(path: Path, actual: str, *, update: bool) -> None:
    """Hold `actual` against the golden file at `path`, or write it when `update` is set."""
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(actual)
        return
    assert path.exists(), f"{path.name} is missing; run pytest --update-golden and read the result"
    expected = path.read_text()
    difference = difflib.unified_diff(
        expected.splitlines(keepends=True),
        actual.splitlines(keepends=True),
        fromfile=f"golden {path.parent.parent.name}/{path.name}",
        tofile="this run",
    )
    assert actual == expected, "".join(difference)
