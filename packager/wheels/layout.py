"""Which folders of a wheel mean something, and where its files go when it is installed; pure.

Source: PyPA specification "Binary distribution format", sections "File name convention" and
"The .data directory".
"""

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.utils import (
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from packager.wheels.names import find_clash, show, show_some

_DIST_INFO = ".dist-info"
_DATA = ".data"
_SITE_KEYS = ("purelib", "platlib")
_DATA_KEYS = (*_SITE_KEYS, "scripts", "headers", "data")


class WrongLayout(Exception):  # noqa: N818 -- named as what the wheel has
    """The wheel's name or folders break the specification; the text is the reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileName:
    """What a wheel's file name states; `tags` are ordered as text."""

    name: NormalizedName
    version: Version
    tags: tuple[str, ...]


def parse_file_name(filename: str) -> FileName:
    """Parse a wheel's file name.

    Raises:
        WrongLayout: it is none.

    """
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        raise WrongLayout("its file name is not that of a wheel") from None
    return FileName(name=name, version=version, tags=tuple(sorted(map(str, tags))))


def find_dist_info(names: Iterable[str], expected: FileName) -> str:
    """Find the one top-level `.dist-info` folder; it must state the file's name and version.

    Raises:
        WrongLayout: none, several, or another distribution's.

    """
    folders = _find_folders(names, _DIST_INFO)
    if not folders:
        raise WrongLayout("it has no `.dist-info` folder")
    if len(folders) > 1:
        raise WrongLayout(f"it has several `.dist-info` folders: {show_some(folders)}")
    if not _states(folders[0].removesuffix(_DIST_INFO), expected):
        raise WrongLayout(f"its {show(folders[0])} is another distribution's")
    return folders[0]


def find_data_folder(names: Iterable[str], expected: FileName, *, dist_info: str) -> str:
    """Find the name of the `.data` folder, which need not exist.

    Installers disagree about a `.data` folder with another name, so there may be none.

    Raises:
        WrongLayout: it is another distribution's, or has a key the specification lacks.

    """
    folders = _find_folders(names, _DATA)
    if not folders:
        return dist_info.removesuffix(_DIST_INFO) + _DATA
    if len(folders) > 1 or not _states(folders[0].removesuffix(_DATA), expected):
        raise WrongLayout(f"its {show_some(folders)} is another distribution's")
    for name in names:
        folder, key, *rest = [*name.split("/", 2), ""]
        if folder == folders[0] and key and (key not in _DATA_KEYS or not rest[0]):
            raise WrongLayout(f"{show(name)} is of no kind that a `.data` folder may hold")
    return folders[0]


def find_site_name(name: str, data_folder: str) -> str | None:
    """Find where a file lands below `site-packages`; None for scripts, headers and data."""
    folder, _, rest = name.partition("/")
    if folder != data_folder:
        return name
    key, _, below = rest.partition("/")
    return below if key in _SITE_KEYS else None


def check_site(names: Iterable[str], *, data_folder: str, dist_info: str) -> None:
    """Demand that purelib, platlib and the root do not put two things in one place.

    Raises:
        WrongLayout: they do, or one of them brings a second `.dist-info`.

    """
    site = [place for name in names if (place := find_site_name(name, data_folder))]
    clash = find_clash(site, ())
    if clash:
        raise WrongLayout(f"after installation {clash}")
    others = [folder for folder in _find_folders(site, _DIST_INFO) if folder != dist_info]
    if others:
        raise WrongLayout(f"its {show(data_folder)} brings {show_some(others)}")


def _find_folders(names: Iterable[str], suffix: str) -> list[str]:
    tops = {name.partition("/")[0] for name in names if "/" in name}
    return sorted(top for top in tops if top.endswith(suffix))


def _states(stem: str, expected: FileName) -> bool:
    name, _, version = stem.rpartition("-")
    try:
        same_version = Version(version) == expected.version
    except InvalidVersion:
        return False
    return same_version and canonicalize_name(name) == expected.name
