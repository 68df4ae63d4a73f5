"""Finds the distributions that describe themselves: `.dist-info` and the older `.egg-info`.

Source: PyPA specifications "Recording installed projects" and "Core metadata".
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from packaging.metadata import parse_email
from packaging.utils import canonicalize_name

from packager.model.found import FoundFile, Opened
from packager.model.owned import Evidence
from packager.model.record import parse_record

_LARGEST_READ_BYTES = 16 << 20
_FOLDER = re.compile(
    r"(?P<root>(?:.+/)?)(?P<name>[^/]+?)(?:-(?P<version>[^/-]+)[^/]*)?\.(?P<kind>dist|egg)-info"
)


class Described(NamedTuple):
    """What one metadata folder states; `listed` are the paths it claims from the top."""

    name: str
    version: str
    evidence: Evidence
    root: str
    info: str
    requires: tuple[str, ...]
    extras: tuple[str, ...]
    tags: tuple[str, ...]
    asked_for: bool
    listed: tuple[str, ...]
    top_level: tuple[str, ...]


def find_described(opened: Opened, by_path: Mapping[str, FoundFile]) -> Iterator[Described]:
    """Yield every distribution that has metadata in the artifact, in the artifact's order.

    What cannot be read of it is taken from the folder's name.
    """
    folders: dict[str, None] = {}
    for path in by_path:
        cut = path.find("-info/")
        if cut > 0 and path.startswith((".dist", ".egg"), max(0, path.rfind(".", 0, cut))):
            folders[path[: cut + 5]] = None
    for folder in folders:
        match = _FOLDER.fullmatch(folder)
        if match is not None:
            yield _describe(_Texts(opened, by_path, folder), match)


class _Texts:
    """The files of one metadata folder as text; absent and unreadable ones are empty."""

    def __init__(self, opened: Opened, by_path: Mapping[str, FoundFile], folder: str) -> None:
        self._opened = opened
        self._by_path = by_path
        self.folder = folder

    def has(self, name: str) -> bool:
        return f"{self.folder}/{name}" in self._by_path

    def read(self, name: str) -> bytes:
        file = self._by_path.get(f"{self.folder}/{name}")
        if file is None:
            return b""
        try:
            return self._opened.read(file, _LARGEST_READ_BYTES)
        except OSError:
            # The file is listed as the artifact has it; only what it says is not known.
            return b""


def _describe(texts: _Texts, match: re.Match[str]) -> Described:
    is_wheel = match["kind"] == "dist"
    data = texts.read("METADATA" if is_wheel else "PKG-INFO")
    # A README below the header may be long; only the header's fields count.
    raw, _ = parse_email(data.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0])
    listed = _listed(texts, match["root"], is_wheel=is_wheel)
    wheel = texts.read("WHEEL").decode("utf-8", "replace")
    return Described(
        name=canonicalize_name(_word(raw.get("name")) or match["name"]),
        version=_word(raw.get("version")) or match["version"] or "",
        evidence="dist-info" if is_wheel else "egg-info",
        root=match["root"],
        info=f"{texts.folder}/",
        requires=tuple(_one_line(each) for each in raw.get("requires_dist", ())),
        extras=tuple(raw.get("provides_extra", ())),
        tags=tuple(re.findall(r"^Tag: *(\S+)", wheel, re.MULTILINE)),
        asked_for=texts.has("REQUESTED"),
        listed=listed,
        top_level=tuple(texts.read("top_level.txt").decode("utf-8", "replace").split()),
    )


def _word(text: str | None) -> str:
    """Take the first word of a field: hostile metadata must not break a table."""
    words = (text or "").split()
    return words[0][:100] if words and words[0].isprintable() else ""


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _listed(texts: _Texts, root: str, *, is_wheel: bool) -> tuple[str, ...]:
    """Return the paths of RECORD, or of installed-files.txt, from the artifact's top."""
    if not is_wheel:
        lines = texts.read("installed-files.txt").decode("utf-8", "replace").splitlines()
        return tuple(posixpath.normpath(f"{texts.folder}/{line}") for line in lines if line)
    try:
        record = parse_record(texts.read("RECORD"))
    except ValueError:
        return ()
    return tuple(root + _inside(path) if ".." in path else root + path for path in record)


def _inside(path: str) -> str:
    """Put a file outside of site-packages where `pip install --target` does: `bin/` beside it."""
    normal = posixpath.normpath(path)
    while normal.startswith("../"):
        normal = normal[3:]
    return normal
