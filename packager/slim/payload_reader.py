"""Read single files of a payload."""

import io
import os
import zlib

from packager.model.canonical import (
    END,
    LOCAL,
    STORED,
    NotCanonicalError,
    Record,
    read_directory,
    read_end_record,
)


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

    def stored(self, name: str) -> bytes:
        """Return the bytes as they are in the payload."""
        record = self.records[name]
        self.source.seek(record.offset + LOCAL.size + len(record.name))
        data = self.source.read(record.compressed_bytes)
        if len(data) != record.compressed_bytes:
            raise NotCanonicalError(f"`{name}` is cut")
        return data

    def contents(self, name: str) -> bytes:
        """Return the file."""
        stored = self.stored(name)
        if self.records[name].method == STORED:
            return stored
        try:
            return zlib.decompress(stored, -zlib.MAX_WBITS)
        except zlib.error as error:
            raise NotCanonicalError(f"`{name}` does not inflate") from error
