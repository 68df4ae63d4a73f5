"""One tree out of many owners: collisions are found before a byte is written. Pure."""

from collections.abc import Callable, Iterator, Sequence

from packager.errors import CannotBuild
from packager.model.canonical import Record
from packager.model.project import SourceFile


class CollisionError(Exception):
    """Two files want one place; `merge` tells which."""


SameBytes = Callable[[int, Record, int, Record], bool]


def merge(
    owners: Sequence[str], records: Sequence[Sequence[Record]], *, same_bytes: SameBytes
) -> list[set[bytes]]:
    """Return for every owner the names it must leave out because an earlier owner ships them.

    A file that several owners ship with equal bytes (the `__init__.py` of a namespace, a
    licence) ships once. Raises CannotBuild when the bytes differ, or when one owner's file is
    another's folder, naming both owners. `same_bytes(i, a, j, b)` compares the contents.
    """
    first: dict[bytes, tuple[int, Record]] = {}
    skipped: list[set[bytes]] = [set() for _ in owners]
    for index, owned in enumerate(records):
        for record in owned:
            earlier = first.setdefault(record.name, (index, record))
            if earlier[0] == index:
                continue
            other, theirs = earlier
            if not _equal(theirs, record) or not same_bytes(other, theirs, index, record):
                raise _collision(owners[other], owners[index], record.name)
            skipped[index].add(record.name)
    _refuse_files_that_are_folders(owners, first)
    return skipped


def refuse_collisions(names: bytes, code: Sequence[SourceFile]) -> None:
    """Raise CollisionError when a file of the user's has a name that a payload or its folder has.

    `names` are those of all payloads together, each ended by a line feed. `merge` knows whose
    name it is.
    """
    taken = set(names.split(b"\n"))
    for source in code:
        name = source.archive_name.encode()
        if name in taken or b"\n" + name + b"/" in names or names.startswith(name + b"/"):
            raise CollisionError
        if any(folder in taken for folder in _folders(name)):
            raise CollisionError


def _equal(one: Record, two: Record) -> bool:
    return (one.crc32, one.uncompressed_bytes, one.executable) == (
        two.crc32,
        two.uncompressed_bytes,
        two.executable,
    )


def _collision(one: str, two: str, name: bytes) -> CannotBuild:
    return CannotBuild(
        f"{one} and {two} both ship `{name.decode()}` with different contents",
        hint=_hint(one, two),
    )


def _hint(one: str, two: str) -> str:
    if "your code" in (one, two):
        return "rename the file, or leave it out with `exclude` in [tool.lpack]"
    return "a bundle has one file of a name: drop one of the two requirements"


def _folders(name: bytes) -> Iterator[bytes]:
    position = name.rfind(b"/")
    while position > 0:
        yield name[:position]
        position = name.rfind(b"/", 0, position)


def _refuse_files_that_are_folders(
    owners: Sequence[str], first: dict[bytes, tuple[int, Record]]
) -> None:
    seen: set[bytes] = set()
    last = b""
    for name, (index, _) in first.items():
        parent = name[: max(name.rfind(b"/"), 0)]
        # Most files lie beside the one before, whose folders were looked at.
        if parent == last:
            continue
        last = parent
        for folder in _folders(name):
            if folder in seen:
                break
            seen.add(folder)
            if folder in first:
                owner = owners[first[folder][0]]
                raise CannotBuild(
                    f"{owner} ships the file `{folder.decode()}` where "
                    f"{owners[index]} has a folder",
                    hint=_hint(owner, owners[index]),
                )
