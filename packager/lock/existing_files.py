"""Which files of a project exist although none fits: asked of pip, which says what it skips."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from packaging.requirements import Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from packager.lock.backend import LockJob
from packager.lock.pip_process import run_pip
from packager.model.redaction import redact_text
from packager.model.url_path import url_path

_SKIPPED = re.compile(
    r"(?:none of the wheel's tags .*? are compatible.*?|No sources permitted for .*?): (?P<url>\S+)"
)
_PYTHON = re.compile(
    r"Link requires a different Python \(.*? not in: '(?P<wanted>.*?)'\): (?P<url>\S+)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Existing:
    """What an index has of the newest version that a requirement allows and that does not fit.

    `filenames` are the files passed over, `python` is the Requires-Python that the target's
    Python does not satisfy, where that is the reason. `log` is all that pip said, redacted.
    """

    version: str | None = None
    filenames: tuple[str, ...] = ()
    python: str | None = None
    log: str = ""


def existing_files(wanted: Requirement, job: LockJob) -> Existing:
    """Ask pip why it passes the files of `wanted` over."""
    plain = Requirement(f"{wanted.name}{wanted.specifier}")
    done = run_pip(job, extra=("--no-deps", "-vv"), lines=[str(plain)])
    log = redact_text(done.stdout + done.stderr)
    version, filenames = _newest(
        [_filename(found["url"]) for found in _SKIPPED.finditer(log)], plain
    )
    if version is not None:
        return Existing(version=version, filenames=tuple(filenames), log=log)
    for found in _PYTHON.finditer(log):
        version, _ = _newest([_filename(found["url"])], plain)
        if version is not None:
            return Existing(version=version, python=found["wanted"], log=log)
    return Existing(log=log)


def _filename(url: str) -> str:
    return unquote(url_path(url).rpartition("/")[2])


def _newest(filenames: Sequence[str], wanted: Requirement) -> tuple[str | None, list[str]]:
    """Give the newest version that `wanted` allows, with its files."""
    name = canonicalize_name(wanted.name)
    by_version: dict[Version, set[str]] = {}
    for filename in filenames:
        version = _version(filename, name)
        if version is not None and wanted.specifier.contains(version, prereleases=True):
            by_version.setdefault(version, set()).add(filename)
    if not by_version:
        return None, []
    newest = max(by_version)
    return str(newest), sorted(by_version[newest])


def _version(filename: str, name: str) -> Version | None:
    """Give the version in `filename` when it is a file of the project `name`."""
    try:
        if filename.endswith(".whl"):
            found, version = parse_wheel_filename(filename)[:2]
        else:
            found, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return version if found == name else None
