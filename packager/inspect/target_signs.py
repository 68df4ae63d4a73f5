"""Guesses the target of an artifact from what was compiled for it. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

_EXTENSION = re.compile(r"\.cpython-3(\d{1,2})[a-z]*-(x86_64|aarch64)[^/]*\.so$")
_BYTECODE = re.compile(r"__pycache__/[^/]+\.cpython-3(\d{1,2})\.(?:opt-[12]\.)?pyc$")
_FOLDER = re.compile(r"(?:^|/)lib/python3\.(\d{1,2})/")
_TAG = re.compile(r"cp3(\d{1,2})-(cp3\d{1,2}|abi3)-\w+")
_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64", "amd64": "x86_64", "arm64": "arm64"}


class Sign(NamedTuple):
    """A guess and from what: `value` is None when nothing tells."""

    value: str | None
    because: str


def guess_runtime(paths: Iterable[str], wheel_tags: Iterable[str]) -> Sign:
    """Guess `python3.N`: extension modules tell best, then folders, tags and bytecode."""
    votes: list[Counter[str]] = [Counter(), Counter(), Counter()]
    for path in paths:
        if path.endswith(".so"):
            match = _EXTENSION.search(path)
            if match is not None:
                votes[0][match[1]] += 1
        elif path.endswith(".pyc"):
            match = _BYTECODE.search(path)
            if match is not None:
                votes[2][match[1]] += 1
        if "lib/python3." in path and (match := _FOLDER.search(path)):
            votes[1][match[1]] += 1
    tags = Counter(
        match[1] for tag in wheel_tags if (match := _TAG.match(tag)) and match[2] != "abi3"
    )
    sources = (
        (votes[0], "extension modules"),
        (votes[1], "files below lib/python3.N"),
        (tags, "wheel tags"),
        (votes[2], "bytecode files"),
    )
    for counts, what in sources:
        if counts:
            minor, count = counts.most_common(1)[0]
            return Sign(f"python3.{minor}", f"{count:,} {what} of Python 3.{minor}")
    return Sign(None, "")


def guess_architecture(paths: Iterable[str], wheel_tags: Iterable[str]) -> Sign:
    """Guess `x86_64` or `arm64` from the names of extension modules, then from wheel tags."""
    modules = Counter(match[2] for path in paths if (match := _EXTENSION.search(path)))
    tags = Counter(
        machine for tag in wheel_tags for machine in ("x86_64", "aarch64") if tag.endswith(machine)
    )
    for counts, what in ((modules, "extension modules"), (tags, "wheel tags")):
        if counts:
            machine, count = counts.most_common(1)[0]
            return Sign(_MACHINES[machine], f"{count:,} {what} for {machine}")
    return Sign(None, "")


def image_architecture(word: str) -> str | None:
    """Return the architecture that an image's configuration names (Go's words)."""
    return _MACHINES.get(word)
