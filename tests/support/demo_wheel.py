"""Parts of a wheel `demo 1.0` from which tests make odd and hostile wheels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from support.raw_zip import RawMember, descriptor, write_zip, zip64_extra
from support.wheel_builder import render_metadata, render_record_file, render_wheel_file

FILE_NAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
TEXT = b"VALUE = 1\n" * 20
_DESCRIPTOR_FLAG = 0x0008


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """One wheel; `reason` is a part of the refusal, or of a finding when it is accepted."""

    name: str
    data: bytes
    reason: str = ""
    filename: str = FILE_NAME


def describing_members(
    payload: Mapping[str, bytes], *, replaced: Mapping[str, bytes | None] | None = None
) -> list[RawMember]:
    """Make the `.dist-info` members for `payload`; `replaced` by file name, None leaves it out."""
    texts: dict[str, bytes] = {
        "METADATA": render_metadata("demo", "1.0"),
        "WHEEL": render_wheel_file("py3-none-any", root_is_purelib=True),
    }
    changes = dict(replaced or {})
    described = {f"{INFO}/{key}": changes.get(key, text) for key, text in texts.items()}
    files = {key: text for key, text in described.items() if text is not None}
    record = changes.get("RECORD", render_record_file({**payload, **files}, f"{INFO}/RECORD"))
    if record is not None:
        files[f"{INFO}/RECORD"] = record
    return [RawMember(name=key, data=text) for key, text in files.items()]


def wheel_of(*members: RawMember, **archive: object) -> bytes:
    """Write a wheel with these payload members first; `archive` goes to `write_zip`."""
    payload = {m.name: m.data for m in members if not m.name.endswith("/") and not m.hidden}
    return write_zip([*members, *describing_members(payload)], **archive)  # type: ignore[arg-type]  # passed through


def good(name: str = "demo/__init__.py", data: bytes = TEXT) -> RawMember:
    """A member without a lie."""
    return RawMember(name=name, data=data)


def streamed(member: RawMember, *, signature: bool = True, extended: bool = False) -> RawMember:
    """Make `member` as a streaming writer does: flag bit 3, zeros, and a data descriptor."""
    zeros: dict[str, int | bytes] = {"crc32": 0, "compressed": 0, "uncompressed": 0}
    if extended:
        zeros["extra"] = zip64_extra(0, 0)
    return replace(
        member,
        both={"flags": _DESCRIPTOR_FLAG},
        local=zeros,
        descriptor=descriptor(member, signature=signature, extended=extended),
    )
