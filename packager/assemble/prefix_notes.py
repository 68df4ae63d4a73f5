"""Notes of what goes in front of the user's code while it is written, for the next build. Pure."""

from collections.abc import Sequence

from packager.model.artifact import Contents
from packager.model.canonical import LOCAL, Record, central_record
from packager.model.prefix import Owned, Prefix, Range


class PrefixNotes:
    """Collects the payloads' files in their order in the artifact."""

    def __init__(self) -> None:
        """Know of nothing yet."""
        self.entries = 0
        self._owners: list[tuple[str, list[Record], bytes]] = []
        self._ranges: list[Range] = []
        self._payloads = 0

    def add(
        self, owner: str, written: Sequence[Record], source: Sequence[Record], stamp: int
    ) -> None:
        """Note the files `written` of one payload, which held those of `source`.

        Several payloads in a row can be of one owner.
        """
        directory = b"".join([central_record(record, stamp) for record in written])
        if self._owners and self._owners[-1][0] == owner:
            _, earlier, before = self._owners.pop()
            self._owners.append((owner, [*earlier, *written], before + directory))
        else:
            self._owners.append((owner, list(written), directory))
        self._ranges.extend(_ranges(self._payloads, written, source))
        self._payloads += 1
        self.entries += len(written)

    def contents(self) -> list[Contents]:
        """Return what every owner has, in order."""
        return [Contents(owner=owner, records=tuple(records)) for owner, records, _ in self._owners]

    def directory(self) -> bytes:
        """Return the central records of all files."""
        return b"".join([directory for _, _, directory in self._owners])

    def prefix(self, sha256: str, body_bytes: int) -> Prefix:
        """Everything together; `sha256` is the digest of the first `body_bytes` bytes."""
        owned = [
            Owned(contents.owner, contents.entries, len(directory), *contents.figures[1:])
            for contents, (_, _, directory) in zip(self.contents(), self._owners, strict=True)
        ]
        names = [record.name + b"\n" for _, records, _ in self._owners for record in records]
        return Prefix(
            sha256=sha256,
            body_bytes=body_bytes,
            ranges=tuple(self._ranges),
            owned=tuple(owned),
            directory=self.directory(),
            names=b"".join(names),
        )


def _ranges(payload: int, written: Sequence[Record], source: Sequence[Record]) -> list[Range]:
    """Return which bytes of the payload were written, in as few pieces as there can be."""
    kept = {record.name for record in written}
    ranges: list[Range] = []
    for record in source:
        if record.name not in kept:
            continue
        length = LOCAL.size + len(record.name) + record.compressed_bytes
        last = ranges[-1] if ranges else None
        if last is not None and last.offset + last.length_bytes == record.offset:
            ranges[-1] = last._replace(length_bytes=last.length_bytes + length)
        else:
            ranges.append(Range(payload, record.offset, length))
    return ranges
