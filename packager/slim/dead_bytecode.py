"""Which bytecode in a wheel the import system will never take. Pure.

A bundle's files all carry the date 1980-01-01, therefore bytecode with a time stamp is taken only
when it was made from a source of that date (PEP 552; importlib's SourceFileLoader).
"""

from collections.abc import Mapping
from struct import Struct

HEAD_BYTES = 16
_HEAD = Struct("<2s2s3I")
_EPOCH_SECONDS = 315_532_800
_HASH_BASED = 0b01
_KNOWN_FLAGS = 0b11
_OPTIMIZED = ".opt-"

# importlib.util.MAGIC_NUMBER of the released minor versions. A version that is missing here costs
# nothing but the bytes of its hash-based bytecode.
_MAGIC = {
    "cpython-38": 3413,
    "cpython-39": 3425,
    "cpython-310": 3439,
    "cpython-311": 3495,
    "cpython-312": 3531,
    "cpython-313": 3571,
}


def is_dead_bytecode(
    name: str, head: bytes, uncompressed_bytes: Mapping[str, int], *, python: str | None = None
) -> bool:
    """Tell whether no CPython would load the bytecode file `name`.

    `head` are its first 16 bytes; `uncompressed_bytes` has every name of the distribution with
    its size. With `python` (`3.11`) the bytecode of other versions counts as dead too. What
    cannot be judged is not dead.
    """
    folder, _, file = name.rpartition("/")
    if file.endswith(".pyo"):  # Nothing reads these since Python 3.5 (PEP 488).
        return True
    parent, _, last = folder.rpartition("/")
    if last != "__pycache__":
        # Legacy bytecode is taken only where there is no source (PEP 3147), then without a check.
        return f"{name[:-1]}" in uncompressed_bytes
    stem, _, tag = file.removesuffix(".pyc").partition(_OPTIMIZED)[0].rpartition(".")
    source = f"{parent}/{stem}.py" if parent else f"{stem}.py"
    if source not in uncompressed_bytes or not tag.startswith("cpython-"):
        return True
    if python is not None and tag != f"cpython-{python.replace('.', '')}":
        return True
    return _is_dead_head(head, tag, uncompressed_bytes[source])


def _is_dead_head(head: bytes, tag: str, source_bytes: int) -> bool:
    if len(head) < HEAD_BYTES:
        return True
    magic, newline, flags, seconds, size = _HEAD.unpack_from(head)
    wanted = _MAGIC.get(tag)
    if newline != b"\r\n" or (wanted is not None and int.from_bytes(magic, "little") != wanted):
        return True
    if flags & ~_KNOWN_FLAGS:
        return True
    if flags & _HASH_BASED:
        return False
    return (seconds, size) != (_EPOCH_SECONDS, source_bytes & 0xFFFFFFFF)
