"""Runs in the target's interpreter, never in lpack's: compiles sources that arrive as frames.

Usage: python -I -S -B compile_frames.py. Standard library only, Python 3.9 to 3.14. Nothing of
what it compiles is run.

Every number is big-endian. It first says what it is: kind 2, length, JSON. Then, for each request
(name length, source length, name, source; lengths of four bytes) it answers (kind, length, body):
kind 0 is bytecode (PEP 552, unchecked), kind 1 the reason why there is none, as UTF-8.
"""

from __future__ import annotations

import json
import marshal
import struct
import sys
from importlib.util import MAGIC_NUMBER, source_hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_REQUEST = struct.Struct(">II")
_ANSWER = struct.Struct(">BI")
_BYTECODE, _REASON, _INTERPRETER = 0, 1, 2
_UNCHECKED_HASH = (0b01).to_bytes(4, "little")

# The type codes of Python/marshal.c that can occur in code.
_FLAG = 0x80
_REFERENCE, _CODE, _FROZENSET, _SLICE, _INTEGER = b"rc>:l"
_SHORT_TUPLE, _TUPLE = b")("
_SINGLETONS = frozenset(b"NTF.S")
_FIXED = {**dict.fromkeys(_SINGLETONS, 0), ord("i"): 4, ord("g"): 8, ord("y"): 16}
_SHORT_TEXTS = frozenset(b"zZ")
_TEXTS = frozenset(b"stuaA")
# What is between a code object's type and its first member, and how many members there are before
# and after its line number.
_CODE_HEAD, _BEFORE_LINE, _AFTER_LINE = (20, 8, 2) if sys.version_info >= (3, 11) else (24, 8, 1)
# Texts with and without the mark that they are interned: short ASCII, ASCII, UTF-8.
_PLAIN = dict(zip(b"ZAt", b"zau"))  # noqa: B905 -- strict came with Python 3.10
_MARKED = {**{plain: marked for marked, plain in _PLAIN.items()}, **dict.fromkeys(_PLAIN)}
_BYTE = [bytes([number]) for number in range(256)]
_LONG = struct.Struct("<i")


def main() -> None:
    """Answer every request until the input ends."""
    with open(0, "rb") as requests, open(1, "wb") as answers:
        _answer(answers, _INTERPRETER, json.dumps(_interpreter()).encode())
        while True:
            head = requests.read(_REQUEST.size)
            if not head:
                return
            name_bytes, source_bytes = _REQUEST.unpack(head)
            path = requests.read(name_bytes).decode()
            _answer(answers, *_compiled(path, requests.read(source_bytes)))


def _interpreter() -> dict[str, object]:
    return {
        "version": list(sys.version_info[:3]),
        "level": sys.version_info.releaselevel,
        "implementation": sys.implementation.name,
        "tag": sys.implementation.cache_tag,
        "magic": int.from_bytes(MAGIC_NUMBER[:2], "little"),
    }


def _compiled(path: str, source: bytes) -> tuple[int, bytes]:
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
        body = Canonical(marshal.dumps(code)).render()
        if marshal.loads(body) != code:  # noqa: S302 -- made two lines above
            return _REASON, b"its bytecode cannot be written in one way only"
    except SyntaxError as error:
        return _REASON, f"line {error.lineno}: {error.msg}".encode("utf-8", "backslashreplace")
    except Exception as error:  # noqa: BLE001 -- whatever it is, this file has no bytecode
        text = f"{type(error).__name__}: {error}"
        return _REASON, text.encode("utf-8", "backslashreplace")
    return _BYTECODE, MAGIC_NUMBER + _UNCHECKED_HASH + source_hash(source) + body


class Canonical:
    """What marshal wrote, read as a graph in which equal constants are one, to be written again.

    marshal's own bytes depend on what else the process has seen: an object that something else
    refers to is marked, a text is interned when another module has it, a set is copied when its
    texts were interned before (pycparser and scipy show it), and the order of sets hangs on
    hashes before Python 3.11. What is written here depends on the values alone.
    """

    def __init__(self, data: bytes) -> None:
        """Read `data`, which `marshal.dumps` made; raises ValueError for unknown types."""
        self._data = data
        self._position = 0
        self._heads: list[bytes] = []
        self._members: list[tuple[int, ...]] = []
        self._known: dict[object, int] = {}
        self._references: list[int] = []
        self._root = self._read()

    def _read(self) -> int:
        """Read one object and return its number."""
        data = self._data
        start = self._position + 1
        kind = data[start - 1]
        if kind == _REFERENCE:
            self._position = start + 4
            return self._references[int.from_bytes(data[start : start + 4], "little")]
        own = kind & ~_FLAG
        if own in _SHORT_TEXTS:
            self._position = start + 1 + data[start]
        elif own in _TEXTS:
            self._position = start + 4 + _LONG.unpack_from(data, start)[0]
        elif own in _FIXED:
            self._position = start + _FIXED[own]
        elif own == _INTEGER:
            self._position = start + 4 + 2 * abs(_LONG.unpack_from(data, start)[0])
        else:
            return self._read_group(own, start, bool(kind & _FLAG))
        head = _BYTE[own] + data[start : self._position]
        number = self._known.get(head)
        if number is None:
            number = self._known[head] = self._add_atom(head)
        if kind & _FLAG:
            self._references.append(number)
        return number

    def _add_atom(self, head: bytes) -> int:
        """Add what has no members, with the same mark of interning for the same text.

        Whether marshal finds a text interned depends on other modules, unless it looks like a
        name. Where it matters, code objects intern their texts when they are loaded.
        """
        if head[0] not in _MARKED:
            return self._add(head, ())
        marked = _MARKED[head[0]] or head[0]
        text = head[2:] if head[0] in _SHORT_TEXTS else head[5:]
        is_name = not text or (text.isascii() and text.replace(b"_", b"a").isalnum())
        usual = _BYTE[marked if is_name else _PLAIN[marked]] + head[1:]
        number = self._known.get(usual)
        if number is None:
            number = self._known[usual] = self._add(usual, ())
        return number

    def _read_group(self, kind: int, start: int, flagged: bool) -> int:
        """Read an object that has members; its number of reference is taken before theirs."""
        place = len(self._references)
        if flagged:
            self._references.append(-1)
        number = self._read_code(start) if kind == _CODE else self._read_constant(kind, start)
        if flagged:
            self._references[place] = number
        return number

    def _read_code(self, start: int) -> int:
        head = self._take(start, start + _CODE_HEAD)
        members = [self._read() for _ in range(_BEFORE_LINE)]
        line = self._take(self._position, self._position + 4)
        members.append(self._add(line, ()))
        members += [self._read() for _ in range(_AFTER_LINE)]
        return self._add(_BYTE[_CODE] + head, tuple(members))

    def _read_constant(self, kind: int, start: int) -> int:
        if kind == _SHORT_TUPLE:
            head, count = self._take(start, start + 1), self._data[start]
        elif kind in (_TUPLE, _FROZENSET):
            head, count = self._take(start, start + 4), _LONG.unpack_from(self._data, start)[0]
        elif kind == _SLICE:  # since Python 3.14
            head, count = self._take(start, start), 3
        else:
            raise ValueError(f"marshal type {kind} is not known")
        members = [self._read() for _ in range(count)]
        if kind == _FROZENSET and count > 1:
            members.sort(key=self._contents)
        key = (kind, *members)
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = self._add(_BYTE[kind] + head, tuple(members))
        return number

    def _take(self, start: int, end: int) -> bytes:
        self._position = end
        return self._data[start:end]

    def _add(self, head: bytes, members: tuple[int, ...]) -> int:
        self._heads.append(head)
        self._members.append(members)
        return len(self._heads) - 1

    def _contents(self, number: int) -> bytes:
        """Return an object's bytes without any reference: equal for equal objects only."""
        return self._heads[number] + b"".join(map(self._contents, self._members[number]))

    def render(self) -> bytes:
        """Return the bytes: each object in full where it first occurs, then as a reference."""
        order, uses = self._walk()
        places: dict[int, bytes] = {}
        parts: list[bytes] = []
        for number in order:
            head = self._heads[number]
            if uses[number] == 1 or head[0] in _SINGLETONS:
                parts.append(head)
            elif number in places:
                parts.append(places[number])
            else:
                places[number] = b"r" + _LONG.pack(len(places))
                parts += (_BYTE[head[0] | _FLAG], head[1:])
        return b"".join(parts)

    def _walk(self) -> tuple[list[int], list[int]]:
        """Return all objects in the order they are written, and how often each occurs."""
        order: list[int] = []
        uses = [0] * len(self._heads)
        waiting = [self._root]
        while waiting:
            number = waiting.pop()
            order.append(number)
            if not uses[number]:
                waiting.extend(reversed(self._members[number]))
            uses[number] += 1
        return order, uses


def _answer(answers: BinaryIO, kind: int, body: bytes) -> None:
    answers.write(_ANSWER.pack(kind, len(body)) + body)
    answers.flush()


if __name__ == "__main__":
    main()
