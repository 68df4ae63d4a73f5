"""Which names a wheel's members may have; pure.

The rules are those under which every reader of a zip, and every file system an artifact passes
through, sees the same set of files (threats Z1, Z2 and Z12). The target is Linux: a name is
measured as UTF-8.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

MAX_PART_BYTES = 255
"""NAME_MAX of Linux."""

MAX_PATH_BYTES = 4_086
"""PATH_MAX of Linux (4,096 with the final NUL) less `/var/task/` before the name."""

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\:]")
_ODD_PARTS = re.compile(r"(?:^|/)(?:\.{1,2}|[^/]*[. ])?(?:/|$)")
_DEVICES = r"(?i)(?:^|/)(?:con|prn|aux|nul|com[1-9]|lpt[1-9]|conin\$|conout\$)"
_DEVICE = re.compile(_DEVICES + r"(?:/|$)")
_DEVICE_STEM = re.compile(_DEVICES + r"\.")
_SHOWN = 120


def show(name: str) -> str:
    """Put a name into backticks for a message, shortened, without a character that acts."""
    text = "".join(c if c.isprintable() and c != "`" else _escape(c) for c in name[:_SHOWN])
    return f"`{text}{'…' if len(name) > _SHOWN else ''}`"


def show_some(names: Sequence[str]) -> str:
    """Show up to three names and how many more there are."""
    text = ", ".join(show(name) for name in names[:3])
    return text if len(names) <= 3 else f"{text} and {len(names) - 3} more"


def find_fault(name: str) -> str | None:
    """Find why a member (without a directory's final slash) may not be called `name`.

    Returns None for a legal name, otherwise the rest of a sentence that began with the name.
    """
    forbidden = _FORBIDDEN.search(name)
    if forbidden:
        return f"has the forbidden character {forbidden.group()!a}"
    if name.startswith("/"):
        return "is an absolute path"
    if _ODD_PARTS.search(name):
        return _word_odd_part(name)
    if _DEVICE.search(name):
        return "is the name of a device on Windows"
    if not name.isascii() or len(name) > MAX_PART_BYTES:
        return _find_length_fault(name)
    return None


def find_clash(files: Iterable[str], directories: Iterable[str]) -> str | None:
    """Find two members that cannot both be on a disk; returns the sentence, or None.

    `directories` come without their final slash. The same name twice, and a file that is also
    the folder of another member, are clashes.
    """
    taken: set[str] = set()
    for name in files:
        if name in taken:
            return f"{show(name)} is there twice"
        taken.add(name)
    folders: set[str] = set()
    for name in directories:
        if name in folders:
            return f"the folder {show(name)} is there twice"
        folders.add(name)
    for name in (*taken, *folders):
        parent = name.rpartition("/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    both = taken & folders
    return f"{show(min(both))} is a file and a folder at once" if both else None


def find_twins(names: Iterable[str]) -> tuple[str, ...]:
    """Find names that differ only in case or in Unicode normal form, each with its first twin.

    Linux keeps both; Windows and macOS keep one.
    """
    seen: dict[str, str] = {}
    twins = []
    for name in names:
        key = name if name.isascii() else unicodedata.normalize("NFC", name)
        first = seen.setdefault(key.casefold(), name)
        if first != name:
            twins.append(f"{show(first)} and {show(name)}")
    return tuple(twins)


def find_device_stems(names: Iterable[str]) -> tuple[str, ...]:
    """Find names such as `aux.py`: harmless on Linux, impossible to unpack on older Windows."""
    return tuple(name for name in names if _DEVICE_STEM.search(name))


def _word_odd_part(name: str) -> str:
    parts = name.split("/")
    if "" in parts:
        return "has an empty part"
    if "." in parts or ".." in parts:
        return "has a `.` or `..` part"
    return "has a part that ends in a dot or a space"


def _find_length_fault(name: str) -> str | None:
    try:
        encoded = name.encode("utf-8")
    except UnicodeEncodeError:
        return "is not valid Unicode"
    if len(encoded) > MAX_PATH_BYTES:
        return f"is longer than {MAX_PATH_BYTES} bytes"
    if max(map(len, encoded.split(b"/"))) > MAX_PART_BYTES:
        return f"has a part longer than {MAX_PART_BYTES} bytes"
    return None


def _escape(character: str) -> str:
    return r"\x60" if character == "`" else ascii(character)[1:-1]
