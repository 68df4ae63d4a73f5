"""Runs in the target's interpreter, never in lpack's: compiles sources that arrive as frames.

Usage: python -s -S -B compile_frames.py, with PYTHONHASHSEED=0. Standard library only, Python 3.9
to 3.14. Nothing of what it compiles is run.

Every number is big-endian. It first says what it is: kind 2, length, JSON. Then, for each request
(name length, source length, name, source; lengths of four bytes) it answers (kind, length, body):
kind 0 is bytecode (PEP 552, unchecked), kind 1 the reason why there is none, as UTF-8.
"""

from __future__ import annotations

import sys

if not getattr(sys.flags, "safe_path", False):
    # Before Python 3.11 a script's own folder comes first, and that is lpack's.
    del sys.path[0]

import json
import marshal
import struct
from importlib.util import MAGIC_NUMBER, source_hash
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_REQUEST = struct.Struct(">II")
_ANSWER = struct.Struct(">BI")
_BYTECODE, _REASON, _INTERPRETER = 0, 1, 2
_UNCHECKED_HASH = (0b01).to_bytes(4, "little")
# marshal sorts the members of a frozenset since Python 3.11 (bpo-37596).
_ORDERS_SETS = sys.version_info >= (3, 11)
_HASHED_BY_VALUE = (str, bytes, int, float, complex)


class _UnstableError(Exception):
    """The bytecode would not be the same in every process."""


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
        held: list[object] = []
        _hold(code, held)
        body = marshal.dumps(code)
    except SyntaxError as error:
        return _REASON, f"line {error.lineno}: {error.msg}".encode("utf-8", "backslashreplace")
    except Exception as error:  # noqa: BLE001 -- whatever it is, this file has no bytecode
        text = f"{type(error).__name__}: {error}"
        return _REASON, text.encode("utf-8", "backslashreplace")
    return _BYTECODE, MAGIC_NUMBER + _UNCHECKED_HASH + source_hash(source) + body


def _hold(item: object, held: list[object]) -> None:
    """Take a second reference to everything that other code may share with `item`.

    marshal writes an object with more than one reference in another way than one with a single
    reference. Names are shared by all modules, so without this the bytes would depend on what
    else the process has seen.
    """
    held.append(item)
    if isinstance(item, CodeType):
        for names in (item.co_names, item.co_varnames, item.co_freevars, item.co_cellvars):
            held.extend(names)
        held += (item.co_filename, item.co_name, getattr(item, "co_qualname", None))
        for constant in item.co_consts:
            _hold(constant, held)
    elif isinstance(item, (tuple, frozenset)):
        if isinstance(item, frozenset) and len(item) > 1 and not _ORDERS_SETS:
            _refuse_unstable(item)
        for member in item:
            _hold(member, held)
    elif isinstance(item, slice):  # a constant since Python 3.14
        held += (item.start, item.stop, item.step)


def _refuse_unstable(members: frozenset[object]) -> None:
    """Refuse a set whose order depends on addresses, as the hash of None does in these versions."""
    if not all(isinstance(member, _HASHED_BY_VALUE) for member in members):
        raise _UnstableError("a set of constants has no stable order in this Python")


def _answer(answers: BinaryIO, kind: int, body: bytes) -> None:
    answers.write(_ANSWER.pack(kind, len(body)) + body)
    answers.flush()


if __name__ == "__main__":
    main()
