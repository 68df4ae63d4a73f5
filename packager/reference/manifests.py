"""Two manifests held against each other: what one says of a build that the other does not. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from packager.reference.compare import Difference

_SHOWN = 60


def manifest_differences(expected: bytes, shipped: bytes, *, loose: bool) -> Iterator[Difference]:
    """Name every part of a manifest that is not as in the one of the fresh build.

    With `loose`, wheels may have other digests: some were built from source, twice. Layers built
    elsewhere may lie elsewhere.
    """
    if expected == shipped:
        return
    try:
        seen = json.loads(shipped)
    except ValueError:
        yield Difference("", "bytes", "is no JSON")
        return
    wanted = _plain(json.loads(expected), loose=loose)
    for path, one, two in _walk(wanted, _plain(seen, loose=loose), ""):
        yield Difference(path, "manifest", f"is {_short(two)} instead of {_short(one)}")


def _walk(one: Any, two: Any, path: str) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 -- JSON
    """Yield what differs; distributions are named, of files only the first of a list."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in dict.fromkeys((*one, *two)):
            yield from _walk(one.get(key), two.get(key), f"{path}.{key}" if path else key)
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for number, (mine, theirs) in enumerate(zip(one, two, strict=True)):
            name = mine.get("name", number) if isinstance(mine, dict) else number
            yield from _walk(mine, theirs, f"{path}[{name}]")
    elif one != two:
        yield path, one, two


def _plain(manifest: Any, *, loose: bool) -> Any:  # noqa: ANN401 -- JSON
    """Return a manifest without what may differ."""
    if not isinstance(manifest, dict):
        return manifest
    layers = [
        {**each, "path": None} if isinstance(each, Mapping) and each.get("foreign") else each
        for each in manifest.get("layers") or ()
    ]
    rows = manifest.get("distributions") or ()
    if loose:
        rows = [{**each, "wheel_sha256": None} if isinstance(each, dict) else each for each in rows]
    return {**manifest, "layers": layers, "distributions": [*rows]}


def _short(value: object) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
