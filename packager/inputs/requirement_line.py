"""One requirement as pip's users write it: PEP 508, a URL, or a path to a project or a wheel."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from packager.errors import UsageError
from packager.inputs.documents import joined
from packager.model.redaction import redact_text
from packager.model.requirement import Declared, LocalProject
from packager.model.url_path import url_path

_VCS = re.compile(r"(?:^|@\s*)(?:git|hg|svn|bzr)\+", re.IGNORECASE)
_URL = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|file:)", re.IGNORECASE)
_EXTRAS = re.compile(r"^(?P<base>.+?)\[(?P<extras>[^\[\]]*)\]$")
_ARCHIVES = (".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz")


class Entry(NamedTuple):
    """What a line asks for: exactly one of the two is set."""

    declared: Declared | None = None
    local: LocalProject | None = None


class _Parts(NamedTuple):
    """A URL or path taken apart."""

    location: str
    extras: tuple[str, ...]
    marker: str | None


def parse_entry(text: str, *, written: str, origin: str, folder: Path, editable: bool) -> Entry:
    """Understand the requirement part of a line; `folder` is what relative paths belong to.

    `written` is the line as it stands in the file and the only form that may be shown. Raises
    UsageError naming `origin`.
    """
    if _VCS.search(text):
        raise UsageError(
            f"{origin}: `{redact_text(written)}` points into a version control system, whose "
            "files no hash can name",
            hint="build a wheel of it (`pip wheel --no-deps URL -w wheels`) and name that file",
        )
    if editable or _is_location(text, folder):
        return _location(text, written=written, origin=origin, folder=folder)
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        fixed = re.sub(r"(?<![=<>!~])=(?!=)", "==", text)
        hint = f"did you mean `{fixed}`?" if fixed != text and _is_valid(fixed) else None
        raise UsageError(
            f"{origin}: `{redact_text(written)}` is not a requirement", hint=hint
        ) from error
    if requirement.url and requirement.url.startswith("file:"):
        path = _path_of(requirement.url, folder)
        if path.is_dir():
            marker = str(requirement.marker) if requirement.marker else None
            extras = tuple(sorted(requirement.extras))
            return Entry(local=local_project(path, origin=origin, extras=extras, marker=marker))
        if not path.is_file():
            raise UsageError(f"{origin}: there is no `{path}`")
        requirement.url = path.as_uri()
    return Entry(declared=Declared(requirement=requirement, origin=origin))


def local_project(
    path: Path, *, origin: str, extras: tuple[str, ...] = (), marker: str | None = None
) -> LocalProject:
    """Name a folder that can be built. Raises UsageError when it cannot."""
    if not (path / "pyproject.toml").is_file() and not (path / "setup.py").is_file():
        missing = "is not there" if not path.exists() else "has no `pyproject.toml`"
        raise UsageError(f"{origin}: the local project `{path}` {missing}")
    return LocalProject(path=path, origin=origin, extras=extras, marker=marker)


def _is_valid(text: str) -> bool:
    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True


def _is_location(text: str, folder: Path) -> bool:
    """Tell a URL or a path from PEP 508, as pip does: by a separator, a dot or an archive."""
    if _URL.match(text):
        return True
    bare = _apart(text).location
    if " @ " in text or re.match(r"[A-Za-z0-9._-]+(\[[^\]]*\])?\s*@", text):
        return False
    if bare.lower().endswith(_ARCHIVES):
        return True
    looks_like_path = "/" in bare or bare.startswith(".")
    return looks_like_path and (bare.startswith((".", "/")) or (folder / bare).exists())


def _apart(text: str) -> _Parts:
    # In URLs a marker needs blanks around the semicolon (PEP 508); in paths it does not.
    separator = " ;" if _URL.match(text) else ";"
    location, _, marker = text.partition(separator)
    location = location.strip()
    extras: tuple[str, ...] = ()
    if found := _EXTRAS.match(location):
        location = found["base"]
        extras = tuple(
            sorted(extra.strip() for extra in found["extras"].split(",") if extra.strip())
        )
    return _Parts(location, extras, marker.strip() or None)


def _location(text: str, *, written: str, origin: str, folder: Path) -> Entry:
    parts = _apart(text)
    if parts.marker is not None:
        try:
            Marker(parts.marker)
        except InvalidMarker as error:
            raise UsageError(f"{origin}: `{parts.marker}` is not a marker") from error
    url, _, fragment = parts.location.partition("#")
    if _URL.match(url) and not url.lower().startswith("file:"):
        return _named(parts, url, parts.location, fragment, origin=origin, written=written)
    path = _path_of(url, folder)
    if path.is_dir():
        return Entry(
            local=local_project(path, origin=origin, extras=parts.extras, marker=parts.marker)
        )
    if not path.is_file():
        raise UsageError(f"{origin}: there is no `{path}`")
    return _named(parts, path.name, path.as_uri(), fragment, origin=origin, written=written)


def _path_of(url: str, folder: Path) -> Path:
    text = url
    if url.lower().startswith("file:"):
        text = unquote(url_path(url))
    return joined(folder, text)


def _named(
    parts: _Parts, filename: str, url: str, fragment: str, *, origin: str, written: str
) -> Entry:
    """Give a URL the name that its file name, or `#egg=`, tells."""
    egg = re.search(r"(?:^|&)egg=([A-Za-z0-9._-]+)", fragment)
    name = egg[1] if egg else _file_identity(filename)[0]
    if name is None:
        raise UsageError(
            f"{origin}: `{redact_text(written)}` does not tell the name of a distribution",
            hint="write it as `NAME @ URL`",
        )
    extras = f"[{','.join(parts.extras)}]" if parts.extras else ""
    marker = f" ; {parts.marker}" if parts.marker else ""
    try:
        requirement = Requirement(f"{name}{extras} @ {url}{marker}")
    except InvalidRequirement as error:
        raise UsageError(f"{origin}: `{redact_text(written)}` is not a requirement") from error
    return Entry(declared=Declared(requirement=requirement, origin=origin))


def _file_identity(url: str) -> tuple[NormalizedName | None, Version | None]:
    filename = unquote(url_path(url).rpartition("/")[2])
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        pass
    else:
        return name, version
    try:
        return parse_sdist_filename(filename)
    except InvalidSdistFilename:
        return None, None


def hashes_of(declared: Declared, hashes: Sequence[str]) -> tuple[tuple[str, str], frozenset[str]]:
    """Turn `--hash` options into ((name, version), sha256 digests in hex).

    The version is that of the `==` pin or of the file in the URL, as in pip's hash-checking
    mode. Raises UsageError when there is none, or no sha256.
    """
    requirement = declared.requirement
    version = exact_version(requirement)
    if version is None:
        raise UsageError(
            f"{declared.origin}: `{requirement.name}` has a `--hash` but no exact version",
            hint=f"pin it as `{requirement.name}==VERSION`",
        )
    digests = frozenset(
        each.partition(":")[2].lower() for each in hashes if each.lower().startswith("sha256:")
    )
    if not digests or not all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests):
        raise UsageError(
            f"{declared.origin}: `{requirement.name}` has no valid sha256 among its hashes",
            hint="pip hash FILE prints one",
        )
    return (canonicalize_name(requirement.name), str(version)), digests


def exact_version(requirement: Requirement) -> Version | None:
    """Give the one version that a requirement admits, when it is pinned or names a file."""
    if requirement.url:
        return _file_identity(requirement.url)[1]
    for specifier in requirement.specifier:
        if specifier.operator in {"==", "==="} and not specifier.version.endswith(".*"):
            try:
                return Version(specifier.version)
            except ValueError:  # not a version, or a number without end
                return None
    return None
