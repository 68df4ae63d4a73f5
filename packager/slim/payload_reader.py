"""Read single files of a payload, however large, in pieces of bounded size."""

import io
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from packager.model.canonical import (
    END,
    LOCAL,
    STORED,
    NotCanonicalError,
    Record,
    read_directory,
    read_end_record,
)
from packager.model.deflating import inflated_pieces
from packager.slim.inflating import file_part

_IN_MEMORY_BYTES = 4 * 1024 * 1024


class PayloadReader:
    """The files of a payload, by name; `records` tell of them in the payload's order."""

    def __init__(self, source: io.BufferedReader) -> None:
        """Read the central directory of `source`; raises NotCanonicalError for a damaged one."""
        self.source = source
        file_bytes = os.fstat(source.fileno()).st_size
        source.seek(max(file_bytes - END.size, 0))
        entries, directory_bytes, offset = read_end_record(source.read(), file_bytes)
        source.seek(offset)
        directory = source.read(directory_bytes)
        self.records: dict[str, Record] = {
            record.name.decode(): record for record, _ in read_directory(directory, entries=entries)
        }

    def stored(self, name: str) -> Iterator[bytes]:
        """Yield the bytes as they are in the payload; raises NotCanonicalError when it is cut."""
        record = self.records[name]
        start = record.offset + LOCAL.size + len(record.name)
        try:
            yield from file_part(self.source.fileno(), start, record.compressed_bytes)
        except EOFError:
            raise NotCanonicalError(f"`{name}` is cut") from None

    def contents(self, name: str) -> Iterator[bytes]:
        """Yield the file; raises NotCanonicalError when it is damaged."""
        if self.records[name].method == STORED:
            yield from self.stored(name)
            return
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            yield from inflated_pieces(inflater, self.stored(name))
        except zlib.error as error:
            raise NotCanonicalError(f"`{name}` does not inflate") from error
        if not inflater.eof:
            raise NotCanonicalError(f"`{name}` does not inflate")

    @contextmanager
    def opened(self, name: str, folder: Path) -> Iterator[IO[bytes]]:
        """Yield the file, to be read anywhere; a large one lies without a name in `folder`."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(folder)) as file:
            for chunk in self.contents(name):
                file.write(chunk)
            file.seek(0)
            yield file
