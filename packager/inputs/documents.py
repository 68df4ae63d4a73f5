"""Files of the user become text and tables, with one line naming the file when they cannot."""

import os
from pathlib import Path
from typing import Any

from packager.errors import UsageError

_NAME_BYTES = 255
"""NAME_MAX of Linux and macOS."""
_SHOWN = 60


def shown(path: Path, root: Path) -> str:
    """Word a path as people read it: relative to the project where it is inside it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def joined(folder: Path, text: str | Path) -> Path:
    """Read `text` as a path that belongs to `folder`, without looking at the disk or at links.

    Raises UsageError for what no file system takes as a name, which every look would trip over.
    """
    path = Path(os.path.normpath(folder / text))
    if "\0" in str(path) or any(len(os.fsencode(part)) > _NAME_BYTES for part in path.parts):
        shown_text = str(text) if len(str(text)) <= _SHOWN else f"{str(text)[:_SHOWN]}…"
        raise UsageError(f"`{shown_text}` can be the name of no file")
    return path


def read_text(file: Path, root: Path) -> str:
    """Read UTF-8 text, with or without a byte order mark. Raises UsageError."""
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"`{shown(file, root)}` is not UTF-8") from error
    except OSError as error:
        raise UsageError(f"cannot read `{shown(file, root)}`: {error.strerror}") from error


def load_toml(file: Path, root: Path) -> dict[str, Any]:
    """Read a TOML document. Raises UsageError naming the file, the line and the column."""
    from packager.parsing import parse_toml  # noqa: PLC0415 -- a change of code reads no TOML

    text = read_text(file, root)
    try:
        return parse_toml(text)
    except ValueError as error:
        raise UsageError(f"`{shown(file, root)}` is not TOML: {error}") from error


def load_pyproject(file: Path, root: Path) -> dict[str, Any]:
    """Read a `pyproject.toml` whose tables are what PEP 621 and the tools make of them.

    `[tool.lpack]` is not looked at. Raises UsageError naming the place that is wrong.
    """
    from packager.inputs.forms import PYPROJECT, check_form  # noqa: PLC0415 -- as above

    document = load_toml(file, root)
    check_form(document, PYPROJECT, file=shown(file, root))
    return document
