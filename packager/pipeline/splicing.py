"""What every artifact made of payloads needs: their places, their date, repair of the store."""

import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from packager.assemble.checked import PayloadDamagedError
from packager.assemble.open_payload import PayloadSource
from packager.errors import UsageError
from packager.model.canonical import EPOCH_STAMP, stamp_of
from packager.model.payload import Distribution, Payload
from packager.model.progress import Reporter
from packager.pipeline.memory import Losses, Memory
from packager.wheels.store import EntryLostError, Store

_Made = TypeVar("_Made")
_NOWHERE_ELSE: Mapping[bytes, bytes] = MappingProxyType({})


def payload_source(
    owner: str,
    payload: Payload,
    store: Store,
    *,
    folder: bytes = b"",
    moved: Mapping[bytes, bytes] = _NOWHERE_ELSE,
) -> PayloadSource:
    """Say where `payload` lies and below which `folder` of an artifact it goes."""
    return PayloadSource(
        owner=owner,
        key=payload.key,
        path=store.file("payloads", payload.key, ".zip"),
        sha256=payload.sha256,
        body_bytes=payload.body_bytes,
        file_bytes=payload.file_bytes,
        entries=payload.entries,
        folder=folder,
        moved=moved,
    )


def owner_of(distribution: Distribution) -> str:
    """Return the name under which an artifact lists the files of `distribution`."""
    return f"{distribution.name} {distribution.version}"


def entry_stamp() -> int:
    """Return the date of every entry: SOURCE_DATE_EPOCH or 1980-01-01; raises UsageError."""
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return EPOCH_STAMP
    try:
        return stamp_of(int(text))
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is `{text}`, not a number of seconds",
            hint="unset SOURCE_DATE_EPOCH, or use `git log -1 --format=%ct`",
        ) from error


def healed(
    attempt: Callable[[bool], _Made], memories: Sequence[Memory], *, reporter: Reporter
) -> _Made:
    """Return what `attempt` makes; payloads that turn out damaged, or are gone, are made again.

    `attempt` is told whether it is the first. Raises CannotBuild when the store does not keep
    what is written to it.
    """
    store, first = memories[0].store, True
    losses = Losses(store)
    while True:
        try:
            return attempt(first)
        except PayloadDamagedError as damage:
            if altered := store.has("payloads", damage.key, ".zip"):
                reporter.warn("a payload in the store was damaged; it is made again from its wheel")
            else:
                reporter.step("the store lost a payload; it is made again from its wheel")
            store.discard("payloads", damage.key, ".zip")
            losses.note(damage.key, altered=altered)
        except EntryLostError as lost:
            losses.note(lost.what, altered=lost.altered)
        first = False
        for memory in memories:
            memory.forget()
