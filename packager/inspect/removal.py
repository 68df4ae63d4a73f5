"""Turns a set of files into the one command that takes exactly them out of an artifact. Pure."""

import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from packager.model.found import Found

_PLAIN = re.compile(r"[\w./+@~ -]+")
_MOST_PATTERNS = 12
_MOST_CHARACTERS = 86
"""What fits into a line of a hundred columns behind `hint:`; longer ones nobody pastes."""
_EDITABLE = frozenset({"folder", "layer", "wheel", "zip"})


class Remover:
    """Knows how many files of an artifact every ending and every folder has."""

    def __init__(self, found: Found, shown_path: str) -> None:
        """Count once; asking is then cheap. `shown_path` is the artifact as the user named it."""
        self._kind = found.kind
        self._name = shown_path
        self._endings = Counter(posixpath.splitext(file.path)[1] for file in found.files)
        self._folders = Counter(folder for file in found.files for folder in _above(file.path))

    def command(self, wanted: Collection[str]) -> str | None:
        """Return a command that removes the files `wanted`, or None.

        None where no few patterns name exactly these files, where a name needs quoting that
        differs between shells, and for images, whose layers cannot be edited.
        """
        if self._kind not in _EDITABLE or not _PLAIN.fullmatch(self._name) or " " in self._name:
            return None
        patterns = self._patterns(set(wanted))
        if patterns is None:
            return None
        if self._kind == "folder":
            names = " -o ".join(f"-path '{self._name}/{pattern}'" for pattern in patterns)
            command = f"find {self._name} \\( {names} \\) -type f -delete"
        else:
            quoted = " ".join(f"'{pattern}'" for pattern in patterns)
            command = f"zip -qd {self._name} {quoted}"
        return command if len(command) <= _MOST_CHARACTERS else None

    def _patterns(self, wanted: set[str]) -> list[str] | None:
        """Cover `wanted` by endings that only it has, then by whole folders, then by name."""
        if not all(_PLAIN.fullmatch(path) for path in wanted):
            return None
        endings = Counter(posixpath.splitext(path)[1] for path in wanted)
        own = {each for each, count in endings.items() if each and count == self._endings[each]}
        patterns = [f"*{ending}" for ending in sorted(own)]
        left = {path for path in wanted if posixpath.splitext(path)[1] not in own}
        for folder in self._whole_folders(left, wanted):
            patterns.append(f"{folder}/*")
            left = {path for path in left if not path.startswith(f"{folder}/")}
        patterns.extend(sorted(left))
        return patterns if 0 < len(patterns) <= _MOST_PATTERNS else None

    def _whole_folders(self, left: Iterable[str], wanted: Iterable[str]) -> list[str]:
        """Return the topmost folders all of whose files are wanted, as far as needed for `left`."""
        counts = Counter(folder for path in wanted for folder in _above(path))
        whole = {folder for folder, count in counts.items() if count == self._folders[folder]}
        chosen: set[str] = set()
        for path in left:
            found = [folder for folder in _above(path) if folder in whole]
            chosen.update(found[-1:])
        return sorted(chosen)


def _above(path: str) -> Iterator[str]:
    """Yield the folders of `path`, the nearest first."""
    folder = path.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
