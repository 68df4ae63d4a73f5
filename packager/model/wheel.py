"""A wheel after admission: verified facts about its files, and where their streams lie."""

from dataclasses import dataclass
from typing import NamedTuple

from packaging.metadata import Metadata
from packaging.utils import NormalizedName
from packaging.version import Version


class WheelMember(NamedTuple):
    """One regular file of a verified wheel.

    `data_offset` is where the stored bytes begin in the wheel file. `method` is 0 (stored) or
    8 (deflate). Sizes are bytes. `executable` tells whether any x bit was set.
    """

    name: str
    method: int
    crc32: int
    compressed_bytes: int
    uncompressed_bytes: int
    data_offset: int
    executable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AdmittedWheel:
    """A wheel every claim of which was held against its bytes.

    `members` are ordered by name; directories are left out. `record` maps each member's name to
    the RECORD's hash (`sha256=...`), empty for RECORD itself. `dist_info` and `data_folder` are
    folder names without a slash (`boto3-1.44.5.dist-info`, `boto3-1.44.5.data`; the second need
    not exist). `root_is_purelib`, `tags` come from WHEEL. `findings` are things worth telling
    that do not refuse the wheel.
    """

    filename: str
    sha256: str
    name: NormalizedName
    version: Version
    dist_info: str
    data_folder: str
    root_is_purelib: bool
    tags: tuple[str, ...]
    members: tuple[WheelMember, ...]
    record: dict[str, str]
    metadata: Metadata
    findings: tuple[str, ...] = ()
