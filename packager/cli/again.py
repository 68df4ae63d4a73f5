"""Build again after a change of the user's code, without reading the configuration anew.

Holds only while everything the settings were read, guessed and checked from is as it was: the
configuration, which files there are, and what the handler's module binds.
"""

from collections.abc import Sequence
from typing import Any

from packager.cli.building import build_all
from packager.cli.ending import end_of
from packager.cli.packing import unpacked
from packager.cli.signatures import listing_of, signature_of
from packager.cli.unchanged import Looks, now_ns
from packager.pipeline.ahead import HeadStart
from packager.wheels.store import Store


def rebuild(
    arguments: Sequence[str], stamp: dict[str, Any], ahead: HeadStart | None = None
) -> int | None:
    """Build what changed and return the exit code; None when the settings may have changed.

    `ahead` is at work for one of the functions already.
    """
    started_ns = now_ns()
    if stamp["request"] is None or not _settings_hold(stamp):
        return None
    try:
        request = unpacked(stamp["request"])
    except (ValueError, TypeError, KeyError, AttributeError, ImportError):
        return None
    store = Store.default()
    return end_of(
        lambda: build_all(
            request,
            arguments,
            store=store,
            started_ns=started_ns,
            earlier=stamp["answers"],
            ahead=ahead,
        )
    )


def _settings_hold(stamp: dict[str, Any]) -> bool:
    looks = Looks()
    if not all(_holds(entry, looks) for entry in stamp["paths"]):
        return False
    return all(_answer_holds(answer, looks) for answer in stamp["answers"])


def _answer_holds(answer: dict[str, Any], looks: Looks) -> bool:
    """Tell whether only the contents of the user's files may have changed."""
    may_change = {*answer["files"], *answer["outputs"]}
    if not all(_holds(entry, looks) for entry in answer["paths"] if entry[0] not in may_change):
        return False
    known = {path: identity for path, identity, _ in answer["paths"]}
    return all(
        looks(path) == known[path] or signature_of(path, attribute) == signature
        for path, attribute, signature in answer["signatures"]
    )


def _holds(entry: Sequence[Any], looks: Looks) -> bool:
    """Tell whether a file is the same, or whether a folder has the same names in it."""
    path, identity, listing = entry
    if looks(path) == identity:
        return True
    return listing is not None and listing_of(path) == listing
