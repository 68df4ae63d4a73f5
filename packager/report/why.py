"""Why a distribution or a file is in a zip, or is not, from the manifest alone. Pure."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from packager.model.figures import many, mib
from packager.model.imported import ImportChain

Manifest = Mapping[str, Any]
Locate = Callable[[str, str], str | None]
_MOST_CHAINS = 5


def find_owner(manifest: Manifest, word: str) -> tuple[Mapping[str, Any] | None, list[Any] | None]:
    """Find what `word` names: a distribution, or a path in the zip with its file row.

    Returns (distribution, row); for a file of the user's own code the distribution is None and
    the row is set; (None, None) when nothing has this name.
    """
    name = re.sub(r"[-_.]+", "-", word).lower()
    for distribution in manifest["distributions"]:
        if distribution["name"] == name:
            return distribution, None
    for distribution in manifest["distributions"]:
        for row in distribution["files"]:
            if row[0] == word:
                return distribution, row
    for row in manifest["code"]["files"]:
        if row[0] == word:
            return None, row
    return None, None


def find_dropped(manifest: Manifest, path: str) -> tuple[Mapping[str, Any], list[Any]] | None:
    """Find the distribution whose file `path` was left out, and the row that says why."""
    for distribution in manifest["distributions"]:
        for row in distribution["dropped"]:
            if row[0] == path:
                return distribution, row
    return None


def nearest_names(manifest: Manifest, word: str) -> list[str]:
    """Return the names of distributions that look like `word`."""
    names = [distribution["name"] for distribution in manifest["distributions"]]
    return get_close_matches(word.lower(), names, n=3)


def chains_to(manifest: Manifest, name: str) -> list[list[tuple[str, str]]]:
    """Return for everything that asks for `name` the shortest chain from the project to it.

    A chain is (name, requirement) steps; its first step is the project, with the place where it
    declares the second. The shortest chains come first, five at most.
    """
    edges: dict[str, list[dict[str, str]]] = {
        distribution["name"]: distribution["required_by"]
        for distribution in manifest["distributions"]
    }
    found: list[list[tuple[str, str]]] = []
    for edge in edges.get(name, ()):
        start = _chain_to_parent(edges, edge, without=name)
        if start is not None:
            found.append([*start, (name, edge["requirement"])])
    return sorted(found, key=len)[:_MOST_CHAINS]


def _chain_to_parent(
    edges: Mapping[str, list[dict[str, str]]], edge: dict[str, str], *, without: str
) -> list[tuple[str, str]] | None:
    """Return the shortest chain from the project to the parent of `edge`, not over `without`."""
    waiting: list[tuple[dict[str, str], list[tuple[str, str]]]] = [(edge, [])]
    seen = {without}
    while waiting:
        current, tail = waiting.pop(0)
        parent = current["parent"]
        if not parent:
            return [(current["origin"], ""), *tail]
        if parent not in seen:
            seen.add(parent)
            waiting.extend(
                (above, [(parent, above["requirement"]), *tail]) for above in edges.get(parent, ())
            )
    return None


def render_why(
    manifest: Manifest,
    distribution: Mapping[str, Any],
    *,
    locate: Locate | None = None,
    imports: ImportChain | None = None,
) -> str:
    """Explain `distribution`: its bytes, who asked for it, and what was decided about it.

    `locate` turns an origin and the name it asks for into `FILE:LINE`; `imports` is how code
    reaches the distribution.
    """
    decision = _decision(manifest, distribution["name"])
    title = f"{distribution['name']} {distribution['version']}".rstrip()
    lines = [
        (
            f"{title}  {mib(distribution['uncompressed_bytes'])} unzipped, "
            f"{mib(distribution['compressed_bytes'])} zipped · "
            f"{_where(manifest, distribution, decision)}"
        ),
    ]
    lines.extend(_chain_lines(manifest, distribution["name"], locate))
    if imports is not None:
        lines.extend(_import_lines(imports))
    lines.extend(_retained_lines(distribution))
    if decision is not None:
        lines.append(f"  runtime: {decision['reason']}")
        if decision["loosen"]:
            saved = mib(decision["loosen_compressed_bytes"])
            lines.append(f"  to leave it out: `{decision['loosen']}` saves {saved} zipped")
    lines.extend(f"  published by {each}" for each in distribution.get("publishers", ()))
    lines.extend(_slimmed_lines(distribution))
    lines.extend(f"  note: {finding}" for finding in distribution["findings"])
    return "\n".join(lines) + "\n"


def render_file(manifest: Manifest, owner: Mapping[str, Any] | None, row: list[Any]) -> str:
    """Explain one file of the zip."""
    of = f"{owner['name']} {owner['version']}" if owner is not None else "your code"
    path, unzipped, zipped = row[:3]
    return (
        f"{path}  {mib(unzipped)} unzipped, {mib(zipped)} zipped · "
        f"in {_place(manifest, owner)}, from {of}\n"
    )


def _place(manifest: Manifest, owner: Mapping[str, Any] | None) -> str:
    """Name the zip, the image or the layer that has the files of `owner`."""
    placement = str(owner.get("placement")) if owner is not None else ""
    if placement.startswith("layer:"):
        return f"the layer {placement.removeprefix('layer:')}"
    return str(manifest["artifact"]["path"])


def render_dropped(manifest: Manifest, owner: Mapping[str, Any], row: list[Any]) -> str:
    """Explain one file that is not in the zip."""
    path, tier, rule, unzipped = row[:4]
    return (
        f"{path}  {mib(unzipped)} unzipped · not in {manifest['artifact']['path']}, dropped from "
        f"{owner['name']} {owner['version']}: {rule} ({tier})\n"
    )


def _decision(manifest: Manifest, name: str) -> Mapping[str, Any] | None:
    for decision in manifest["subtraction"]["decisions"]:
        if decision["name"] == name:
            found: Mapping[str, Any] = decision
            return found
    return None


def _slimmed_lines(distribution: Mapping[str, Any]) -> list[str]:
    dropped, stripped = distribution["dropped"], distribution["stripped"]
    lines = []
    if dropped:
        size = mib(sum(row[3] for row in dropped))
        lines.append(f"  dropped: {many(len(dropped), 'file')}, {size} unzipped")
    if stripped:
        size = mib(sum(row[1] for row in stripped))
        lines.append(f"  stripped: {many(len(stripped), 'library', 'libraries')}, {size} smaller")
    return lines


def _where(
    manifest: Manifest, distribution: Mapping[str, Any], decision: Mapping[str, Any] | None
) -> str:
    """Say where it is: in the artifact, in a layer, left to the runtime, or unpacked at start."""
    artifact, placement = manifest["artifact"]["path"], distribution.get("placement") or "zip"
    kind, _, layer = placement.partition(":")
    if kind == "layer":
        return f"not in {artifact}: the layer {layer} has it"
    if distribution["subtracted"]:
        has = f" {decision['runtime_version']}" if decision and decision["runtime_version"] else ""
        return f"not in {artifact}: {manifest['target']['runtime']} provides it{has}"
    if kind == "offload":
        return f"offloaded: an archive of {artifact}, unpacked to /tmp when it is first imported"
    guessed = distribution.get("evidence") == "guess"
    return f"in {artifact}{', guessed by name' if guessed else ''}"


def _import_lines(chain: ImportChain) -> list[str]:
    """Tell the imports from the project's own line on, one below the other."""
    if not chain.steps:
        read = f"{many(chain.modules, 'module')} read{'' if chain.complete else ', not all'}"
        return [f"  imported: no statement found ({read}; names made at run time are not seen)"]
    lazy = any(step.lazy for step in chain.steps)
    when = "when a function is called" if lazy else "at start"
    lines = [f"  imported {when}:"]
    lines.extend(f"    {step.path}:{step.line}  imports {step.module}" for step in chain.steps)
    return lines


def _chain_lines(manifest: Manifest, name: str, locate: Locate | None) -> list[str]:
    chains = chains_to(manifest, name)
    if not chains:
        return ["  required by nothing that is known: the lock names it"]
    lines = []
    for chain in chains:
        origin = chain[0][0]
        found = locate(origin, chain[1][0]) if locate is not None else None
        steps = [found or origin, *(requirement for _, requirement in chain[1:])]
        lines.append("  " + " → ".join(steps))
    return lines


def _retained_lines(distribution: Mapping[str, Any]) -> list[str]:
    retained = distribution.get("retained_uncompressed_bytes")
    if retained is None or retained == distribution["uncompressed_bytes"]:
        return []
    zipped = mib(distribution["retained_compressed_bytes"])
    return [f"  retained: without it {mib(retained)} unzipped, {zipped} zipped would leave"]
