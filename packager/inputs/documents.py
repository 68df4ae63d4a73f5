"""Files of the user become text and tables, with one line naming the file when they cannot."""

import os
from pathlib import Path
from typing import Any

from packager.errors import UsageError


def shown(path: Path, root: Path) -> str:
    """Word a path as people read it: relative to the project where it is inside it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def joined(folder: Path, text: str | Path) -> Path:
    """Read `text` as a path that belongs to `folder`, without looking at the disk or at links."""
    return Path(os.path.normpath(folder / text))


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
    import tomllib  # noqa: PLC0415 -- a rebuild after a change of the user's code reads no TOML

    try:
        return tomllib.loads(read_text(file, root))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"`{shown(file, root)}` is not TOML: {error}") from error
