"""An artifact once more, the slow way: wheels unpacked, every file decided on, one zip written.

What a wheel's file is comes from the wheel, through `zipfile`; RECORD is written anew by `csv`; the
user's files come from the disk. Only what slimming made (stripped libraries, bytecode, archives,
the bootstrap) is taken from a build that began with an empty store.
"""

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from packager.errors import CannotBuild
from packager.model.project import SourceFile
from packager.reference.archives import Inside, read_archive
from packager.reference.compare import Difference, of_file
from packager.reference.file_map import FileFact, member_of, mode_of, reading, regular
from packager.reference.wheel_files import WheelFiles, open_wheel

_OWN_FOLDER = ".lpack/"
_ASIDE = "traced"
_NOT_DROPPED = frozenset({_ASIDE, "bytecode"})
_METADATA = (".dist-info", ".egg-info")


class Ingredients(NamedTuple):
    """What one archive is made of.

    `distributions` are rows of a manifest, `wheel_of` says where the wheel with a digest lies.
    `folder` is empty or ends in a slash: where the files of wheels go, and the user's `code` too.
    `made` are names beside the user's code that lpack wrote: the bootstrap. `archives` are those
    of offloaded distributions by name: names in the zip, or below `beside`.
    """

    distributions: tuple[Mapping[str, Any], ...]
    wheel_of: Callable[[str], Path]
    beside: Path
    folder: str = ""
    code: tuple[SourceFile, ...] = ()
    made: frozenset[str] = frozenset()
    archives: Mapping[str, str] = {}


def write_reference(
    destination: Path, ingredients: Ingredients, *, fresh: Path
) -> list[Difference]:
    """Write to `destination` the zip that the `ingredients` make.

    `fresh` is the archive that the fast way made of an empty store. Returns what archives inside
    it hold that their wheels do not. Raises CannotBuild for a wheel that is not there or not the
    one of its digest, OSError when the disk fails.
    """
    with reading(fresh) as made, zipfile.ZipFile(destination, "w") as output:
        writer = _Writer(output, made, ingredients)
        for row in ingredients.distributions:
            path = ingredients.wheel_of(row["wheel_sha256"])
            with open_wheel(path, sha256=row["wheel_sha256"], named=row["wheel"]) as wheel:
                writer.add_wheel(wheel, row)
        for name in sorted(ingredients.made):
            writer.add_made(ingredients.folder + name)
        for file in ingredients.code:
            writer.add_code(file)
    return writer.found


class _Writer:
    """Writes the zip; `found` are the differences inside archives."""

    def __init__(
        self, output: zipfile.ZipFile, made: zipfile.ZipFile, ingredients: Ingredients
    ) -> None:
        self.found: list[Difference] = []
        self._output = output
        self._made = made
        self._ingredients = ingredients
        self._folder = ingredients.folder
        self._digests: dict[str, bytes] = {}
        self._libraries = {
            name.rpartition("/")[2]: name
            for name in made.namelist()
            if not name.startswith(self._folder)
        }

    def add_wheel(self, wheel: WheelFiles, row: Mapping[str, Any]) -> None:
        """Add what ships of a wheel and what was made of it; look into its archive."""
        title, inside = self._inside(row)
        dropped = {each[0] for each in row["dropped"] if each[1] not in _NOT_DROPPED}
        stripped = {name for name, _ in row["stripped"]}
        aside = {each[0] for each in row["dropped"] if each[1] == _ASIDE}
        kept = [name for name in wheel.names if name not in dropped]
        if row.get("placement") == "offload":
            aside.update(name for name in kept if not _is_metadata(name))
        listed: dict[str, bytes | None] = {}
        for name in kept:
            if name == wheel.record:
                continue
            new = (
                self._slimmed(name, inside if name in aside else None) if name in stripped else None
            )
            listed[name] = new
            data = wheel.read(name) if new is None else new
            if name in aside:
                self._look(title, name, inside.get(name), data, wheel)
            else:
                self._add(self._place(name), data, executable=wheel.executable(name))
        self._add_record(wheel, listed, rewritten=bool(dropped or stripped or wheel.moved))
        self._strangers(title, inside, aside)
        for place in self._made_of(row):
            self.add_made(place)

    def add_made(self, place: str) -> None:
        """Add a file that lpack wrote, as the fresh build wrote it; nothing when it did not."""
        if place in self._made.NameToInfo:
            entry = self._made.getinfo(place)
            executable = bool(mode_of(entry) & 0o111)
            self._add(place, self._made.read(entry), executable=executable)

    def add_code(self, file: SourceFile) -> None:
        """Add a file of the user's from the disk."""
        try:
            data = Path(file.path).read_bytes()
        except OSError as error:
            raise CannotBuild(
                f"cannot read `{file.path}`: {error.strerror}", hint="lpack build --check"
            ) from error
        self._add(self._folder + file.archive_name, data, executable=file.executable)

    def _add_record(
        self, wheel: WheelFiles, listed: dict[str, bytes | None], *, rewritten: bool
    ) -> None:
        place, own = self._place(wheel.record), wheel.record
        data = wheel.record_of(listed) if rewritten else wheel.read(own)
        self._add(place, data, executable=not rewritten and wheel.executable(own))

    def _inside(self, row: Mapping[str, Any]) -> tuple[str, Mapping[str, Inside]]:
        """Return the name and the files of the archive that has a part of the distribution."""
        titles = {each[2] for each in row["dropped"] if each[1] == _ASIDE}
        title = self._ingredients.archives.get(row["name"]) or next(iter(titles), "")
        if not title:
            return "", {}
        if self._folder + title in self._made.NameToInfo:
            return title, read_archive(title, self._made.read(self._folder + title))
        return title, read_archive(title, (self._ingredients.beside / title).read_bytes())

    def _slimmed(self, name: str, inside: Mapping[str, Inside] | None) -> bytes:
        try:
            return self._made.read(self._place(name)) if inside is None else inside[name].data
        except KeyError as error:
            raise CannotBuild(
                f"`{name}` is told to be stripped, and does not ship", hint="lpack build --upgrade"
            ) from error

    def _look(
        self, title: str, name: str, seen: Inside | None, data: bytes, wheel: WheelFiles
    ) -> None:
        """Hold a file of an archive against the wheel's."""
        shown = f"{title}: {name}"
        if seen is None:
            self.found.append(Difference(shown, "missing", "is missing"))
            return
        wanted = FileFact(
            regular(executable=wheel.executable(name)), hashlib.sha256(data).hexdigest()
        )
        fact = FileFact(seen.mode, hashlib.sha256(seen.data).hexdigest())
        self.found.extend(of_file(shown, wanted, fact))

    def _strangers(self, title: str, inside: Mapping[str, Inside], aside: set[str]) -> None:
        for name in inside:
            if name not in aside and not _is_made(name):
                text = "comes from no wheel"
                self.found.append(Difference(f"{title}: {name}", "extra", text))

    def _made_of(self, row: Mapping[str, Any]) -> Iterator[str]:
        """Yield the places of bytecode and archives; rows of images name them from the folder."""
        for name, *_ in row["files"]:
            place = name if name in self._made.NameToInfo else self._folder + name
            if place not in self._output.NameToInfo and _is_made(place.removeprefix(self._folder)):
                yield place

    def _place(self, name: str) -> str:
        """Return where a file of a wheel goes: below the folder, or where libraries are."""
        place = self._folder + name
        if place not in self._made.NameToInfo:
            return self._libraries.get(name.rpartition("/")[2], place)
        return place

    def _add(self, name: str, data: bytes, *, executable: bool) -> None:
        digest = hashlib.sha256(data).digest()
        # What two owners ship with equal bytes ships once.
        if self._digests.setdefault(name, digest) == digest and name in self._output.NameToInfo:
            return
        self._output.writestr(member_of(name, regular(executable=executable)), data)


def _is_metadata(name: str) -> bool:
    return name.partition("/")[0].endswith(_METADATA)


def _is_made(name: str) -> bool:
    return name.startswith(_OWN_FOLDER) or (
        name.endswith(".pyc") and name.split("/")[-2:-1] == ["__pycache__"]
    )
