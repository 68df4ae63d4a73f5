"""Layers across functions as text for people (100 columns) and as JSON-ready values. Pure."""

from textwrap import wrap
from typing import Any

from packager.model.sharing import Sharing
from packager.report.text import many, mib

SHARING_SCHEMA_VERSION = 1
_COLUMNS = 100


def render_sharing(sharing: Sharing, *, functions: int, toml: str) -> str:
    """Return the layers, who shares them, and the bytes before and after."""
    if not sharing.layers:
        return f"{many(functions, 'function')}: no layer would save anything\n"
    before, after = sharing.before, sharing.after
    proof = "nothing saves more" if sharing.proved else "a better choice may exist"
    lines = [
        f"{many(functions, 'function')}, {many(len(sharing.layers), 'layer')} ({proof})",
        "",
        f"  {'a month':<24}{'before':>14}{'after':>14}",
        f"  {'uploaded':<24}{mib(before.uploaded_bytes):>14}{mib(after.uploaded_bytes):>14}",
        f"  {'stored, unzipped':<24}{mib(before.stored_bytes):>14}{mib(after.stored_bytes):>14}",
        "",
    ]
    for layer in sharing.layers:
        lines.append(
            f"  {layer.name}  {mib(layer.compressed_bytes)} zipped, "
            f"{mib(layer.uncompressed_bytes)} unzipped, changes {layer.changes_per_month:g} a month"
        )
        lines += _wrapped(f"holds {', '.join(layer.distributions)}")
        lines += _wrapped(f"for {', '.join(layer.functions)}")
    lines += ["", *(f"  {line}" if line else "" for line in toml.rstrip().splitlines())]
    return "\n".join(lines) + "\n"


def sharing_document(sharing: Sharing, *, toml: str) -> dict[str, Any]:
    """Return the same as JSON-ready values; sizes in bytes, uploads for a month."""
    return {
        "schema_version": SHARING_SCHEMA_VERSION,
        "proved": sharing.proved,
        "before": sharing.before._asdict(),
        "after": sharing.after._asdict(),
        "layers": [
            {
                **layer._asdict(),
                "distributions": list(layer.distributions),
                "functions": list(layer.functions),
            }
            for layer in sharing.layers
        ],
        "configuration": toml,
    }


def _wrapped(text: str) -> list[str]:
    return wrap(text, _COLUMNS, initial_indent="    ", subsequent_indent="      ")
