"""Source distributions come as wheels do: patiently, by their digest, or with one line."""

from pathlib import Path

from packager.lock.select import SdistReference
from packager.model.progress import NullReporter
from packager.model.requirement import IndexSettings
from packager.model.selection import WheelReference
from packager.wheels.download import fetch
from packager.wheels.store import Store


def fetch_sdist(
    sdist: SdistReference, folder: Path, *, indexes: IndexSettings, offline: bool
) -> Path:
    """Fetch `sdist` into `folder`, an empty one of its own, and return its path there.

    Raises CannotBuild when the bytes that were locked cannot be had.
    """
    store = Store(folder)
    wanted = WheelReference(filename=sdist.filename, sha256=sdist.sha256, url=sdist.url)
    fetch([wanted], store, settings=indexes, reporter=NullReporter(), offline=offline)
    return store.wheel_path(sdist.sha256).rename(folder / sdist.filename)
