"""On which line of the project a requirement or a setting stands."""

import re
from collections.abc import Iterator
from pathlib import Path

from packager.model.verdict import Spot

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+)")
_TABLE = re.compile(r"(?P<file>.+?) \((?P<path>[^()]+)\)")
_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*[^=\s]+)*)\s*=(.*)""")
_STRING = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'""")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


class Locator:
    """Finds lines in the files below `root`, reading each file once."""

    def __init__(self, root: Path) -> None:
        """Look below `root`; nothing is read yet."""
        self._root = root
        self._lines: dict[str, list[tuple[int, str, str]]] = {}

    def requirement(self, origin: str, name: str) -> Spot | None:
        """Return the line where the requirement on `name` (normalized) is written.

        `origin` is that of a manifest: `requirements.txt:3` or `pyproject.toml (project.…)`.
        """
        place = _PLACE.fullmatch(origin)
        if place is not None and (self._root / place["file"]).is_file():
            return Spot(place["file"], int(place["line"]))
        table = _TABLE.fullmatch(origin)
        if table is None:
            return None
        for line, path, text in self._read(table["file"]):
            # Keys of a table of requirements are names; entries of an array are PEP 508.
            if path == table["path"] and any(_names(each, name) for each in _STRING.findall(text)):
                return Spot(table["file"], line)
            parent, _, key = path.rpartition(".")
            if (path == table["path"] or parent == table["path"]) and _normal(key) == name:
                return Spot(table["file"], line)
        return self.setting(table["file"], table["path"])

    def setting(self, file: str, path: str, *, exact: bool = False) -> Spot | None:
        """Return the line of the key `path` of a TOML file, or of the nearest one above it.

        With `exact`, only the key itself counts.
        """
        known: dict[str, int] = {}
        for line, each, _ in self._read(file):
            known.setdefault(each, line)
        while path:
            if path in known:
                return Spot(file, known[path])
            path = "" if exact else path.rpartition(".")[0]
        return None

    def _read(self, file: str) -> list[tuple[int, str, str]]:
        if file not in self._lines:
            try:
                text = (self._root / file).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                text = ""
            self._lines[file] = list(_keyed_lines(text))
        return self._lines[file]


def _keyed_lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line number, dotted path of the key or table, text of the value) of TOML.

    Not a parser: it knows headers, keys, arrays over several lines and comments, which is how
    requirements are written. The file was parsed by `tomllib` before.
    """
    table = path = ""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        value = line
        if depth == 0:
            header, key = _HEADER.fullmatch(line), _KEY.match(line)
            if header is not None:
                table = path = _dotted(header[1])
                yield number, path, ""
                continue
            if key is None:
                continue
            path = f"{table}.{_dotted(key[1])}" if table else _dotted(key[1])
            value = key[2]
        bare = re.sub(r"#.*", "", _STRING.sub("", value))
        depth = max(0, depth + bare.count("[") - bare.count("]"))
        yield number, path, _without_comment(value)


def _without_comment(value: str) -> str:
    """Cut a comment off; a `#` in a string is none."""
    position = 0
    while (mark := value.find("#", position)) >= 0:
        inside = next((m for m in _STRING.finditer(value) if m.start() < mark < m.end()), None)
        if inside is None:
            return value[:mark]
        position = inside.end()
    return value


def _dotted(text: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in text.split("."))


def _names(literal: str, name: str) -> bool:
    """Tell whether the string is a PEP 508 requirement on `name`."""
    found = _NAME.match(literal[1:-1])
    return found is not None and _normal(found[1]) == name


def _normal(name: str) -> str:
    """Normalize a name as PEP 503 says."""
    return re.sub(r"[-_.]+", "-", name).lower()
