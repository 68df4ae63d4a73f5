"""Make a member's contents smaller: strip a library, deflate anew. Pure."""

import base64
import hashlib
import zlib
from typing import NamedTuple

from packager.model.canonical import DEFLATED
from packager.model.deflating import STREAM_ABOVE_BYTES, deflated
from packager.model.prune import SlimSettings
from packager.model.wheel import WheelMember
from packager.slim.elf_room import Room
from packager.slim.elf_strip import Stripped, strip_elf
from packager.slim.payload_writer import Stream, smallest

_ELF = b"\x7fELF"
_PIECE_BYTES = 1024 * 1024


class Transformed(NamedTuple):
    """A member after slimming; without a `stream`, the wheel's own is the best there is.

    `record_hash` is RECORD's text for new contents, None when the contents are the wheel's.
    `stripped_bytes` is how much smaller the file itself became.
    """

    stream: Stream | None = None
    record_hash: str | None = None
    stripped_bytes: int = 0


def is_splicable(member: WheelMember, settings: SlimSettings) -> bool:
    """Tell whether the member's stream goes into the payload untouched and unread."""
    if member.method != DEFLATED:
        return not 0 < member.uncompressed_bytes <= STREAM_ABOVE_BYTES
    return not settings.recompress and not (settings.strip and _may_be_library(member))


def may_be_stripped(head: bytes | memoryview) -> bool:
    """Tell by its first bytes whether a file can be a library."""
    return head[:4] == _ELF


def strip(data: bytes | memoryview, *, room: Room | None = None) -> Stripped | None:
    """Strip `data` if it is a library that becomes worthwhile smaller; `room` is `strip_elf`'s."""
    if not may_be_stripped(data):
        return None
    outcome = strip_elf(data, room=room)
    return outcome if isinstance(outcome, Stripped) else None


def deflate_stripped(
    outcome: Stripped, settings: SlimSettings, *, room: Room | None = None
) -> Transformed:
    """Deflate what stripping left of a library, with RECORD's hash of it."""
    digest, crc, data = hashlib.sha256(), 0, memoryview(outcome.data)
    for start in range(0, len(data), _PIECE_BYTES):
        piece = data[start : start + _PIECE_BYTES]
        digest.update(piece)
        crc = zlib.crc32(piece, crc)
        if room is not None:
            room.rest()
    text = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    stream = smallest(data, deflated(data, settings.level), crc32=crc)
    return Transformed(stream, f"sha256={text}", outcome.removed_bytes)


def deflate_again(
    member: WheelMember, data: bytes | memoryview, settings: SlimSettings
) -> Transformed:
    """Deflate `data`, the contents of `member`, where the wheel did not or did it worse."""
    if member.method == DEFLATED and not settings.recompress:
        return Transformed()
    again = smallest(data, deflated(data, settings.level))
    return Transformed(again) if len(again.data) < member.compressed_bytes else Transformed()


def _may_be_library(member: WheelMember) -> bool:
    name = member.name.rpartition("/")[2]
    return ".so" in name or member.executable or "." not in name
