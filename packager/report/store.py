"""What is said about the store: how much is in it, what is damaged, what was removed."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from packager.report.text import mib


class _Entry(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def bytes(self) -> int: ...


class _Damage(Protocol):
    @property
    def path(self) -> Path: ...
    @property
    def reason(self) -> str: ...


def size_document(root: Path, entries: Iterable[_Entry], *, shared: str | None) -> dict[str, Any]:
    """Return entries and bytes by kind, JSON-ready; `shared` is the shared store for people."""
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for entry in entries:
        counts[entry.kind] += 1
        sizes[entry.kind] += entry.bytes
    kinds = {kind: {"entries": counts[kind], "bytes": sizes[kind]} for kind in sorted(counts)}
    return {
        "path": str(root),
        "entries": counts.total(),
        "bytes": sizes.total(),
        "kinds": kinds,
        "shared_store": shared,
    }


def render_size(document: dict[str, Any]) -> str:
    """Return the same for people, the largest kind first."""
    rows = sorted(document["kinds"].items(), key=lambda row: (-row[1]["bytes"], row[0]))
    lines = [f"{document['path']}"]
    rows.append(("total", document))
    for kind, found in rows:
        lines.append(f"  {kind:<14}{mib(found['bytes']):>12}{found['entries']:>9,} entries")
    if document["shared_store"]:
        lines.append(f"shared with other machines: {document['shared_store']}")
    return "\n".join(lines) + "\n"


def damage_lines(root: Path, damaged: Iterable[_Damage]) -> list[str]:
    """Return one line for each damaged entry, with its place in the store."""
    return [f"{each.path.relative_to(root)}: {each.reason}" for each in damaged]


def count_of(number: int) -> str:
    """Word a number of entries."""
    return "1 entry" if number == 1 else f"{number:,} entries"
