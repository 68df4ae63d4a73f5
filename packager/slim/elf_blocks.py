"""Decides which bytes of a library stay together, and how far to the left they go. Pure.

A loader maps segments by pages: a segment may only move by multiples of its p_align, and of a
page where that is more (System V ABI, program loading).
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from packager.slim.elf_layout import HEADER, PT_LOAD, SEGMENT, Layout, OddElf, Section, Segment

_WORD_BYTES = 8
_PAGE_BYTES = 4096


class Block(NamedTuple):
    """Bytes that stay together, from `start` to `end` of the file.

    They may move by multiples of `align`.
    """

    start: int
    end: int
    align: int


class Move(NamedTuple):
    """A block and how many bytes to the left it goes."""

    block: Block
    shift: int

    @property
    def start(self) -> int:
        """Where it starts in the new file."""
        return self.block.start - self.shift

    @property
    def end(self) -> int:
        """Where it ends in the new file."""
        return self.block.end - self.shift


def blocks_of(layout: Layout) -> list[Block]:
    """Return what must keep its bytes: headers, segments, loaded sections; overlaps joined."""
    header = layout.header
    table_end = header.segments_offset + header.segment_count * SEGMENT.size
    found = [Block(0, HEADER.size, 1), Block(header.segments_offset, table_end, _WORD_BYTES)]
    found += [
        Block(segment.offset, segment.end, _align_of(segment))
        for segment in layout.segments
        if segment.file_bytes or segment.type == PT_LOAD
    ]
    found += [
        Block(section.offset, section.end, max(section.align, 1))
        for section in layout.sections
        if section.loaded and section.file_bytes
    ]
    joined: list[Block] = []
    for block in sorted(found):
        last = joined[-1] if joined else None
        if last is not None and block.start < last.end:
            end, align = max(block.end, last.end), max(block.align, last.align)
            joined[-1] = Block(last.start, end, align)
        else:
            joined.append(block)
    return joined


def _align_of(segment: Segment) -> int:
    return max(segment.align, _PAGE_BYTES if segment.type == PT_LOAD else 1)


def moves_of(blocks: Sequence[Block]) -> list[Move]:
    """Move every block as far to the left as its alignment and the block before it allow."""
    moves: list[Move] = []
    cursor = 0
    for block in blocks:
        shift = (block.start - cursor) // block.align * block.align
        moves.append(Move(block, shift))
        cursor = block.end - shift
    return moves


class Places:
    """Where the bytes of the old file lie in the new one."""

    def __init__(self, layout: Layout, moves: Sequence[Move]) -> None:
        """Look places up in `moves`, which are in the order of the file."""
        self.moves = moves
        self._starts = [move.block.start for move in moves]
        self._loads = [
            segment for segment in layout.segments if segment.type == PT_LOAD and segment.file_bytes
        ]

    def find(self, start: int, end: int) -> Move | None:
        """Return the block that holds the bytes; None when they are in none.

        Raises OddElf when only some of them are.
        """
        index = bisect_right(self._starts, start) - 1
        move = self.moves[index]
        following = self._starts[index + 1 : index + 2]
        if end <= move.block.end:
            return move
        if start < move.block.end or (following and following[0] < end):
            raise OddElf("a section lies partly in a segment")
        return None

    def offset(self, old: int) -> int:
        """Return the new place of `old`, which may lie behind its block."""
        return old - self.moves[bisect_right(self._starts, old) - 1].shift

    def of_segment(self, segment: Segment) -> Segment:
        """Return `segment` with its new offset; nothing is known of those without bytes."""
        if not segment.file_bytes and segment.type != PT_LOAD:
            return segment
        return segment._replace(offset=self.offset(segment.offset))

    def of_empty(self, section: Section) -> int:
        """Return a new offset for a section without bytes: by its address, where it has one."""
        for load in self._loads:
            if (
                section.loaded
                and load.address <= section.address < load.address + load.memory_bytes
            ):
                return max(section.offset - load.offset + self.offset(load.offset), 0)
        return self.offset(section.offset)
