"""What the test index serves: files with their digests and metadata, and how they misbehave."""

import hashlib
import html
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

HELD_SECONDS = 15.0
_SHA256_FOLDER = re.compile(r"[0-9a-f]{64}")


@dataclass(kw_only=True)
class Fault:
    """How the index misbehaves for one file.

    `status` is answered instead of the file, for the first `times` requests (None: always).
    `truncate_to` cuts the connection after so many bytes of the announced length. `body`
    replaces the bytes (the announced hash stays that of the real file). `sha256` is announced
    instead of the true one. `delay` is slept before the answer, in seconds; `until` holds it back
    until that is so, at most `HELD_SECONDS`. `metadata` is served instead of the METADATA of the
    wheel (PEP 658).
    """

    status: int | None = None
    times: int | None = None
    truncate_to: int | None = None
    body: bytes | None = None
    sha256: str | None = None
    delay: float = 0.0
    until: Callable[[], bool] = lambda: True
    yanked: str | None = None
    metadata: bytes | None = None

    def due(self) -> bool:
        """Tell whether the fault strikes now, and use up one of its times."""
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass(kw_only=True)
class ServedFile:
    """One file of the index; the digest and the metadata are worked out when first asked for."""

    path: Path
    _sha256: str = ""
    _metadata: bytes | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def project(self) -> str:
        """The normalized name of the distribution (PEP 503), from the file's name."""
        stem = self.name.removesuffix(".tar.gz")
        first = stem.split("-")[0] if self.name.endswith(".whl") else stem.rpartition("-")[0]
        return re.sub(r"[-_.]+", "-", first).lower()

    @property
    def sha256(self) -> str:
        """The digest; a parent folder named by a digest is believed (the fixture cache)."""
        if not self._sha256:
            folder = self.path.parent.name
            self._sha256 = (
                folder
                if _SHA256_FOLDER.fullmatch(folder)
                else hashlib.sha256(self.path.read_bytes()).hexdigest()
            )
        return self._sha256

    @property
    def metadata(self) -> bytes:
        """The METADATA file of a wheel; empty for anything else or for a broken wheel."""
        if self._metadata is None:
            self._metadata = _read_metadata(self.path)
        return self._metadata

    @property
    def requires_python(self) -> str:
        """The Requires-Python of the metadata, empty when there is none."""
        text = self.metadata.decode("utf-8", "replace")
        return HeaderParser().parsestr(text).get("Requires-Python", "")


def _read_metadata(path: Path) -> bytes:
    """Read METADATA out of the wheel at `path`; broken wheels are served without it."""
    if path.suffix != ".whl":
        return b""
    try:
        with zipfile.ZipFile(path) as wheel:
            names = [n for n in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n)]
            return wheel.read(names[0]) if names else b""
    except (zipfile.BadZipFile, OSError):
        return b""


def version_of(filename: str) -> str:
    """The version in a wheel's or an sdist's name."""
    if filename.endswith(".whl"):
        return filename.split("-")[1]
    return filename.removesuffix(".tar.gz").rpartition("-")[2]


def render_link(entry: Mapping[str, object]) -> str:
    """Render one file of a project page as PEP 503 wants it."""
    hashes = entry["hashes"]
    assert isinstance(hashes, dict)
    attributes = ""
    if "requires-python" in entry:
        attributes += f' data-requires-python="{html.escape(str(entry["requires-python"]))}"'
    core = entry.get("core-metadata")
    if isinstance(core, dict):
        attributes += f' data-core-metadata="sha256={core["sha256"]}"'
    if entry["yanked"]:
        attributes += f' data-yanked="{html.escape(str(entry["yanked"]))}"'
    if "provenance" in entry:
        attributes += f' data-provenance="{html.escape(str(entry["provenance"]))}"'
    target = f"{entry['url']}#sha256={hashes['sha256']}"
    return f'<a href="{target}"{attributes}>{entry["filename"]}</a>'
