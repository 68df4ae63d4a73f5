"""Reading and writing `pylock.toml` (PEP 751)."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.pylock import Package, Pylock, PylockUnsupportedVersionError, PylockValidationError

from packager.errors import CannotBuild, UsageError
from packager.leftovers import remove_leftovers, temporary_mark
from packager.lock.toml_text import render_document
from packager.model.redaction import redact_url
from packager.parsing import parse_toml


def read_lock(path: Path) -> Pylock:
    """Read the lock at `path`; raise UsageError, with the place inside, when it is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(
            f"`{path}` does not exist", hint="write it with `uv lock` or pip"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"`{path}` cannot be read: {_reason(error)}") from error
    return parse_lock(text, origin=str(path))


def parse_lock(text: str, *, origin: str) -> Pylock:
    """Parse a lock; `origin` names it in the UsageError raised when it is not valid."""
    try:
        document = parse_toml(text)
    except ValueError as error:
        raise UsageError(f"`{origin}` is not valid TOML: {error}") from error
    try:
        return Pylock.from_dict(document)
    except PylockUnsupportedVersionError as error:
        raise UsageError(
            f"`{origin}` has a lock-version that lpack does not know: {error.message}",
            hint="write it again with lock-version 1.0",
        ) from error
    except PylockValidationError as error:
        place = f", at `{error.context}`" if error.context else ""
        reason = error.message.partition("\n")[0]
        raise UsageError(
            f"`{origin}` is not a valid PEP 751 lock{place}: {reason}",
            hint="write it again with the tool that made it",
        ) from error


def lock_of(packages: Sequence[Mapping[str, Any]], *, created_by: str) -> Pylock:
    """Make a lock from package tables."""
    ordered = sorted(packages, key=lambda package: str(package["name"]))
    document = {"lock-version": "1.0", "created-by": created_by, "packages": ordered}
    return Pylock.from_dict(document)


def render_lock(pylock: Pylock) -> str:
    """Give the text of `pylock`, with the credentials taken out of every URL."""
    clean = replace(pylock, packages=[_without_credentials(p) for p in pylock.packages])
    # PEP 751 requires `packages`, also of a lock that needs none.
    empty = "" if clean.packages else "packages = []\n"
    return render_document(clean.to_dict()) + empty


def write_lock(pylock: Pylock, path: Path) -> None:
    """Write `pylock` to `path`, in one step; raise CannotBuild when the disk refuses."""
    content = render_lock(pylock).encode()
    temporary = path.with_name(f".{path.name}.{temporary_mark()}.part")
    try:
        remove_leftovers(str(path.parent), prefix=f".{path.name}.", suffix=".part")
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise CannotBuild(
            f"cannot write `{path}`: {_reason(error)}", hint="check the folder and the disk"
        ) from error


def _without_credentials(package: Package) -> Package:
    return replace(
        package,
        index=_clean(package.index),
        sdist=replace(package.sdist, url=_clean(package.sdist.url)) if package.sdist else None,
        archive=(
            replace(package.archive, url=_clean(package.archive.url)) if package.archive else None
        ),
        vcs=replace(package.vcs, url=_clean(package.vcs.url)) if package.vcs else None,
        wheels=(
            [replace(wheel, url=_clean(wheel.url)) for wheel in package.wheels]
            if package.wheels is not None
            else None
        ),
    )


def _clean(url: str | None) -> str | None:
    """Drop the user information altogether: a mask would be taken for a user name."""
    return redact_url(url).replace("***@", "", 1) if url is not None else None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8"
