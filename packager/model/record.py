"""RECORD: the list of a wheel's files with hash and size.

Source: PyPA specifications, "Binary distribution format" and "Recording installed projects".
"""

import base64
import csv
import io
from collections.abc import Mapping
from typing import NamedTuple

HASH_ALGORITHMS = ("sha256", "sha384", "sha512")
"""What the specification accepts: sha256 or better (PEP 427)."""


class RecordEntry(NamedTuple):
    """One line of RECORD.

    `hash` is as written (`sha256=<base64 for URLs without padding>`), or empty.
    `uncompressed_bytes` is None when the line leaves it empty.
    """

    hash: str
    uncompressed_bytes: int | None


def parse_record(text: bytes) -> dict[str, RecordEntry]:
    """Parse RECORD into its entries by path, in the order of the file.

    A line that repeats an earlier one word for word is ignored: old builders wrote such lines.

    Raises:
        ValueError: not UTF-8, not CSV, a line without three fields, a size that is no number,
            or two lines that disagree; the text says which.

    """
    entries: dict[str, RecordEntry] = {}
    try:
        rows = csv.reader(io.StringIO(text.decode("utf-8"), newline=""), strict=True)
        for row in rows:
            if not row:
                continue
            path, entry = _parse_row(row, rows.line_num)
            if entries.setdefault(path, entry) != entry:
                raise ValueError(f"line {rows.line_num} contradicts an earlier line")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except csv.Error as error:
        raise ValueError(f"it is not CSV ({error})") from error
    return entries


def render_record(entries: Mapping[str, RecordEntry]) -> bytes:
    """Render RECORD in the order of `entries`, with line feeds as line ends."""
    lines = _Lines()
    # Python before 3.13 quotes a carriage return only where lines end in one.
    writer = csv.writer(lines, lineterminator="\r\n")
    for path, entry in entries.items():
        writer.writerow([path, entry.hash, _render_bytes(entry.uncompressed_bytes)])
    return "".join(lines).encode("utf-8")


class _Lines(list[str]):
    """Collects what csv writes, a line at a time, with a line feed as its end."""

    def write(self, line: str) -> None:
        self.append(f"{line[:-2]}\n")


def encode_hash(algorithm: str, digest: bytes) -> str:
    """Write a digest as RECORD does: `sha256=` and base64 for URLs without padding."""
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')}"


def _parse_row(row: list[str], line: int) -> tuple[str, RecordEntry]:
    if len(row) != 3:
        raise ValueError(f"line {line} has {len(row)} fields instead of 3")
    path, hash_text, bytes_text = row
    if not path:
        raise ValueError(f"line {line} names no file")
    if bytes_text and not (bytes_text.isascii() and bytes_text.isdigit() and len(bytes_text) < 20):
        raise ValueError(f"line {line} states a size that is no number")
    return path, RecordEntry(hash_text, int(bytes_text) if bytes_text else None)


def _render_bytes(count: int | None) -> str:
    return "" if count is None else str(count)
