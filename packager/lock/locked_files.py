"""The files that a lock chooses, as publishers made them, and which index may tell of them."""

from collections.abc import Collection, Iterator
from contextlib import suppress

from packaging.pylock import Package, Pylock

from packager.lock.indexes import is_local, with_credentials
from packager.lock.public_index import default_index
from packager.lock.select import Choice
from packager.model.attestation import LockedFile
from packager.model.requirement import IndexSettings


def locked_files(
    pylock: Pylock, choice: Choice, *, own: Collection[str], indexes: IndexSettings
) -> list[LockedFile]:
    """Return wheels and source distributions, ordered by name, without the `own` projects.

    The index is the one that the lock names for a distribution, or else all that hold. Nobody is
    asked about what comes from elsewhere: its name may be known to no one else.
    """
    chosen = [
        *((pin.name, pin.wheel.filename, pin.wheel.sha256) for pin in choice.pins),
        *((sdist.name, sdist.filename, sdist.sha256) for sdist in choice.sdists),
    ]
    found = []
    for name, filename, sha256 in sorted(chosen):
        if name in own:
            continue
        package = _package_of(pylock, name, sha256)
        asked = tuple(_asked(package, indexes)) if package is not None else ()
        identities = tuple((package.attestation_identities or ()) if package is not None else ())
        found.append(LockedFile(name, filename, sha256, asked, identities))
    return found


def has_file(package: Package, sha256: str) -> bool:
    """Tell whether a file with this digest, in lower-case hex, is among those of `package`."""
    one = (package.sdist, package.archive)
    hashes = [entry.hashes for entry in (*(package.wheels or ()), *one) if entry is not None]
    return any(each.get("sha256", "").lower() == sha256 for each in hashes)


def _package_of(pylock: Pylock, name: str, sha256: str) -> Package | None:
    """Return the entry of a file: there can be several of one name, told apart by markers."""
    packages = (each for each in pylock.packages if each.name == name)
    return next((each for each in packages if has_file(each, sha256)), None)


def _asked(package: Package, indexes: IndexSettings) -> Iterator[str]:
    if package.is_direct or indexes.no_index:
        return
    every = (*indexes.extra_index_urls, indexes.index_url or default_index())
    for url in (package.index,) if package.index else every:
        if url and not is_local(url):
            # What is no URL in somebody's lock leads to no index.
            with suppress(ValueError):
                yield with_credentials(url, indexes)
