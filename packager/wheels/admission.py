"""Admission: every claim of a wheel is held against its bytes, once.

After it, streams may be copied into artifacts without being looked at again. A stream that was
never inflated is a hole through which readers can be made to see different files (threats §0.1).
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from packager.errors import CannotBuild, WheelRefused
from packager.model.record import RecordEntry, encode_hash, parse_record
from packager.model.wheel import AdmittedWheel, WheelMember
from packager.wheels.dist_info import parse_metadata_file, parse_wheel_file
from packager.wheels.layout import (
    FileName,
    WrongLayout,
    check_site,
    find_data_folder,
    find_dist_info,
    find_site_name,
    parse_file_name,
)
from packager.wheels.names import find_clash, find_device_stems, find_twins, show, show_some
from packager.wheels.record import Contents, check_record, choose_algorithm
from packager.wheels.start_files import MAX_READ_BYTES, describe_start_file, is_start_file
from packager.wheels.zip_end import MalformedZip
from packager.wheels.zip_members import locate_stream, stream_member
from packager.wheels.zip_reader import Archive, Entry, read_archive

_MAX_DESCRIPTION_BYTES = 32 * 2**20
_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}


def admit(
    path: Path, *, sha256: str, filename: str, allow_record_mismatch: bool = False
) -> AdmittedWheel:
    """Verify the wheel at `path`, whose bytes are known to have the digest `sha256`.

    `filename` is the name under which it was published. `allow_record_mismatch` turns
    disagreements between RECORD and the files into findings. Needs a few MiB of memory whatever
    the wheel's size; may be called in several threads at once.

    Raises:
        WheelRefused: the reason, and for RECORD the setting that allows the wheel.
        CannotBuild: the file cannot be read.

    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return _admit(
                descriptor, sha256=sha256, filename=filename, lenient=allow_record_mismatch
            )
        finally:
            os.close(descriptor)
    except (MalformedZip, WrongLayout) as error:
        raise WheelRefused(filename, str(error)) from None
    except OSError as error:
        raise CannotBuild(f"cannot read `{filename}`: {error.strerror}") from error


def _admit(descriptor: int, *, sha256: str, filename: str, lenient: bool) -> AdmittedWheel:
    stated = parse_file_name(filename)
    archive = read_archive(descriptor)
    entries = {entry.name: entry for entry in archive.entries if not entry.is_directory}
    _check_names(archive)
    dist_info = find_dist_info(entries, stated)
    data_folder = find_data_folder(entries, stated, dist_info=dist_info)
    check_site(entries, data_folder=data_folder, dist_info=dist_info)
    wheel = parse_wheel_file(_read(descriptor, entries, f"{dist_info}/WHEEL"), stated)
    metadata, odd_fields = parse_metadata_file(
        _read(descriptor, entries, f"{dist_info}/METADATA"), stated
    )
    record = _parse_record(_read(descriptor, entries, f"{dist_info}/RECORD"))
    members, contents = _verify_members(descriptor, archive.entries, record)
    wrong = _judge_record(record, contents, dist_info, _Leniency(filename, stated, lenient))
    return AdmittedWheel(
        filename=filename,
        sha256=sha256,
        name=stated.name,
        version=stated.version,
        dist_info=dist_info,
        data_folder=data_folder,
        root_is_purelib=wheel.root_is_purelib,
        tags=wheel.tags,
        members=tuple(sorted(members)),
        record={
            name: "" if name == f"{dist_info}/RECORD" else found.hash
            for name, found in contents.items()
        },
        metadata=metadata,
        findings=(
            *wheel.findings,
            *odd_fields,
            *wrong,
            *_find_oddities(archive, entries),
            *_describe_start_files(descriptor, entries.values(), data_folder),
        ),
    )


class _Leniency(NamedTuple):
    """For which wheel a RECORD is judged, and whether the user allows it to disagree."""

    filename: str
    stated: FileName
    allowed: bool


def _check_names(archive: Archive) -> None:
    clash = find_clash(
        (entry.name for entry in archive.entries if not entry.is_directory),
        (entry.name[:-1] for entry in archive.entries if entry.is_directory),
    )
    if clash:
        raise MalformedZip(clash)


def _verify_members(
    descriptor: int, entries: Iterable[Entry], record: Mapping[str, RecordEntry]
) -> tuple[list[WheelMember], dict[str, Contents]]:
    """Inflate every stream once; hash it on the way with the algorithm RECORD uses for it."""
    members = []
    contents = {}
    for entry in entries:
        data_offset, first = locate_stream(descriptor, entry)
        algorithm = choose_algorithm(record.get(entry.name))
        digest = _HASHES[algorithm]()
        for chunk in stream_member(descriptor, entry, data_offset, first):
            digest.update(chunk)
        if entry.is_directory:
            continue
        contents[entry.name] = Contents(
            encode_hash(algorithm, digest.digest()), entry.uncompressed_bytes
        )
        members.append(
            WheelMember(
                name=entry.name,
                method=entry.method,
                crc32=entry.crc32,
                compressed_bytes=entry.compressed_bytes,
                uncompressed_bytes=entry.uncompressed_bytes,
                data_offset=data_offset,
                executable=entry.executable,
            )
        )
    return members, contents


def _read(descriptor: int, entries: Mapping[str, Entry], name: str) -> bytes:
    """Read one of the files that describe the wheel, which must be there."""
    entry = entries.get(name)
    if entry is None:
        raise WrongLayout(f"it has no {show(name)}")
    if entry.uncompressed_bytes > _MAX_DESCRIPTION_BYTES:
        raise WrongLayout(f"its {show(name)} is larger than {_MAX_DESCRIPTION_BYTES} bytes")
    return b"".join(stream_member(descriptor, entry, *locate_stream(descriptor, entry)))


def _parse_record(data: bytes) -> dict[str, RecordEntry]:
    try:
        return parse_record(data)
    except ValueError as error:
        raise WrongLayout(f"its RECORD cannot be read: {error}") from None


def _judge_record(
    record: Mapping[str, RecordEntry],
    contents: Mapping[str, Contents],
    dist_info: str,
    leniency: _Leniency,
) -> tuple[str, ...]:
    verdict = check_record(record, contents, dist_info=dist_info)
    if verdict.refusals and not leniency.allowed:
        pin = f"{leniency.stated.name}=={leniency.stated.version}"
        raise WheelRefused(
            leniency.filename,
            verdict.refusals[0],
            hint=f'if you trust it, allow-record-mismatch = ["{pin}"] under [tool.lpack]',
        )
    return (*verdict.refusals, *verdict.findings)


def _find_oddities(archive: Archive, names: Iterable[str]) -> Iterator[str]:
    ordered = sorted(names)
    if archive.trailing_nul_bytes:
        yield f"{archive.trailing_nul_bytes} NUL bytes follow the end of the archive"
    twins = find_twins(ordered)
    if twins:
        more = f" and {len(twins) - 1} more" if len(twins) > 1 else ""
        yield f"names that differ only in case or accents: {twins[0]}{more}"
    stems = find_device_stems(ordered)
    if stems:
        yield f"names that Windows reserves for devices: {show_some(stems)}"


def _describe_start_files(
    descriptor: int, entries: Iterable[Entry], data_folder: str
) -> Iterator[str]:
    for entry in entries:
        place = find_site_name(entry.name, data_folder)
        if place is None or not is_start_file(place):
            continue
        data = None
        if entry.uncompressed_bytes <= MAX_READ_BYTES:
            start = locate_stream(descriptor, entry)
            data = b"".join(stream_member(descriptor, entry, *start))
        yield describe_start_file(place, data)
