"""Where a stripped library is written to, which need not be memory. Pure."""

from collections.abc import Sequence

_PIECE_BYTES = 1024 * 1024


class Room:
    """Where a stripped library is written to: plain memory."""

    def make(self, length: int) -> bytearray:
        """Return `length` bytes to write to."""
        return bytearray(length)

    def rest(self) -> None:
        """Be told that another piece was read and written."""


def joined(pieces: Sequence[bytes | memoryview], room: Room) -> bytearray:
    """Write `pieces` behind each other into `room`."""
    whole = room.make(sum(map(len, pieces)))
    position = 0
    for piece in pieces:
        for start in range(0, len(piece), _PIECE_BYTES):
            part = piece[start : start + _PIECE_BYTES]
            whole[position : position + len(part)] = part
            position += len(part)
            room.rest()
    return whole
