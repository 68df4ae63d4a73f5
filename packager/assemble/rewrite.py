"""Write a zip anew after a change of the user's code: the payloads' part is known and copied."""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from packager.assemble.code_file import write_code_file
from packager.assemble.merge import refuse_collisions
from packager.assemble.open_payload import PayloadSource
from packager.assemble.output import Output, atomic_output
from packager.assemble.prefix_copy import PrefixCopy
from packager.assemble.reread import check_headers
from packager.assemble.zip_writer import check_zip_limits, finish_zip
from packager.model.artifact import Contents, Figures, ZipArtifact
from packager.model.canonical import EPOCH_STAMP, Record, central_record
from packager.model.prefix import Prefix
from packager.model.project import SourceFile


def rewrite_zip(
    destination: Path,
    payloads: Sequence[PayloadSource],
    code: Sequence[SourceFile],
    prefix: Prefix,
    *,
    durable: bool = True,
    ahead: PrefixCopy | None = None,
    retired: Path | None = None,
) -> ZipArtifact:
    """Write what `write_zip` would write for the same payloads, of which `prefix` is known.

    `ahead` copies the same prefix into a file beside `destination` already; that file goes on.
    The file that is replaced is kept at `retired`, if that can be.

    Raises CannotBuild for collisions, sizes beyond the zip format and what the disk refuses,
    PayloadDamagedError when the store does not hold what `prefix` says: `write_zip` then tells
    which payload it is. Nothing is left behind and an existing file stays.
    """
    refuse_collisions(prefix.names, code)
    check_zip_limits(prefix.entries + len(code), prefix.body_bytes)
    sources = [(payload.key, payload.path) for payload in payloads]
    begun = None if ahead is None else ahead.target
    with atomic_output(
        destination, durable=durable, hashed=False, begun=begun, retired=retired
    ) as output:
        output.skip(prefix.body_bytes)
        with ahead or PrefixCopy(prefix, sources, output.path) as copying:
            records = [
                write_code_file(source, output.write, offset=output.offset, stamp=EPOCH_STAMP)
                for source in code
            ]
            central = [central_record(record, EPOCH_STAMP) for record in records]
            joined = prefix.directory + b"".join(central)
            finish_zip(output, joined, entries=prefix.entries + len(records))
            digest = copying.finish()
        for chunk in output.read_back(prefix.body_bytes):
            digest.update(chunk)
        check_headers(
            output.path,
            records,
            stamp=EPOCH_STAMP,
            shown=destination,
            directory=joined,
            before=(prefix.entries, prefix.body_bytes),
        )
        return _artifact(destination, output, prefix, records, digest.hexdigest())


def _artifact(
    destination: Path, output: Output, prefix: Prefix, records: list[Record], sha256: str
) -> ZipArtifact:
    contents = list(_known(prefix))
    own = tuple(records)
    if contents and not contents[-1].owner:
        own = (*contents.pop().records, *own)
    contents.append(Contents(owner="", records=own))
    return ZipArtifact(
        path=str(destination),
        sha256=sha256,
        compressed_bytes=output.offset,
        uncompressed_bytes=sum(owned.uncompressed_bytes for owned in contents),
        stamp=EPOCH_STAMP,
        contents=tuple(contents),
        prefix=prefix,
    )


def _known(prefix: Prefix) -> list[Contents]:
    ends = list(accumulate(each.directory_bytes for each in prefix.owned))
    return [
        Contents(
            owner=each.owner,
            directory=prefix.directory[end - each.directory_bytes : end],
            figures=Figures(each.entries, each.compressed_bytes, each.uncompressed_bytes),
        )
        for each, end in zip(prefix.owned, ends, strict=True)
    ]
