"""A wheel read with the standard library: what an installer would put where.

Source: PyPA specifications, "Binary distribution format" and "Recording installed projects".
Nothing here is taken from the admission or the slimming of wheels, which it is held against.
"""

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from packager.errors import CannotBuild
from packager.reference.file_map import mode_of, reading

_TO_ROOT = ("purelib", "platlib", "data")
_HASHES = ("sha256", "sha384", "sha512")


class WheelFiles:
    """The files of an open wheel under the names they have when it is installed.

    `record` is the name of its RECORD, `moved` tells that files of `.data` changed their place.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Lay out the members of `archive`."""
        self._archive = archive
        self._members: dict[str, zipfile.ZipInfo] = {}
        self.moved = False
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            place = _place(entry.filename)
            self.moved = self.moved or place != entry.filename
            if place is not None:
                self._members[place] = entry
        self.record = next(
            name for name in self._members
            if name.count("/") == 1 and name.endswith(".dist-info/RECORD")
        )  # fmt: skip
        self._algorithms = self._read_algorithms()

    @property
    def names(self) -> Collection[str]:
        """Where the files are installed."""
        return self._members.keys()

    def read(self, name: str) -> bytes:
        """Return the bytes of the file that is installed as `name`."""
        return self._archive.read(self._members[name])

    def executable(self, name: str) -> bool:
        """Tell whether anybody may execute it."""
        return bool(mode_of(self._members[name]) & 0o111)

    def record_of(self, ships: Mapping[str, bytes | None]) -> bytes:
        """Write RECORD anew for the files `ships`: their bytes, None for those of the wheel."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        for name in sorted(ships, key=str.encode):
            changed = ships[name]
            data = self.read(name) if changed is None else changed
            known = self._algorithms.get(self._members[name].filename, "")
            algorithm = known if changed is None and known in _HASHES else "sha256"
            digest = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest())
            writer.writerow([name, f"{algorithm}={digest.decode().rstrip('=')}", len(data)])
        writer.writerow([self.record, "", ""])
        return text.getvalue().encode()

    def _read_algorithms(self) -> dict[str, str]:
        rows = csv.reader(io.StringIO(self.read(self.record).decode(), newline=""))
        return {row[0]: row[1].partition("=")[0] for row in rows if len(row) > 1}


@contextmanager
def open_wheel(path: Path, *, sha256: str, named: str) -> Iterator[WheelFiles]:
    """Open the wheel at `path`; raises CannotBuild when its bytes have another digest."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CannotBuild(
            f"the wheel `{named}` is not in the store", hint="lpack build --upgrade"
        ) from error
    if digest != sha256:
        raise CannotBuild(
            f"the wheel `{named}` in the store has other bytes than were locked",
            hint="lpack cache verify --repair",
        )
    with reading(path) as archive:
        yield WheelFiles(archive)


def _place(name: str) -> str | None:
    """Return where a member is installed, None for scripts and headers."""
    folder, _, rest = name.partition("/")
    if not folder.endswith(".data"):
        return name
    key, _, inside = rest.partition("/")
    return inside if key in _TO_ROOT else None
