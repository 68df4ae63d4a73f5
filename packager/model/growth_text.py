"""One sentence for a change, down to the requirement that caused it. Pure."""

from itertools import pairwise

from packager.model.difference import DistributionChange, Step
from packager.model.figures import signed


def growth_line(change: DistributionChange, delta_bytes: int) -> str:
    """Say on one line what changed, by how much, and which requirement or edge brought it."""
    return f"{signed(delta_bytes)}: {change_words(change)}"


def change_words(change: DistributionChange) -> str:
    """Say on one line what changed and why: `botocore 1.4 new, required by s3fs (…) → botocore`."""
    parts = [_what(change)]
    if len(change.chain) == 1:
        parts.append(f"required in {_origin(change.chain[0]) or 'the project'}")
    elif change.chain:
        parts.append(f"required by {chain_words(change.chain)}")
    elif change.kind in {"added", "changed"}:
        parts.append("required by nothing that is known")
    if change.kind in {"added", "changed"}:
        cause = edge_words(change.chain)
        parts.extend([cause] if cause else [])
    text = ", ".join(parts[:2]) + "".join(f"; {each}" for each in parts[2:])
    return f"{text}: {change.reason}" if change.reason else text


def chain_words(chain: tuple[Step, ...]) -> str:
    """Say the chain: `s3fs (pyproject.toml:14) → aiobotocore → botocore`."""
    origin = _origin(chain[0])
    start = f"{chain[0].name} ({origin})" if origin else chain[0].name
    return " → ".join([start, *(step.name for step in chain[1:])])


def edge_words(chain: tuple[Step, ...]) -> str:
    """Name what on the chain is new: the first edge, or else the first version that moved.

    What the project itself asks for anew is told where it is named, not here.
    """
    if chain and chain[0].was is None:
        return ""
    for parent, step in pairwise(chain):
        if step.is_new:
            new = ", a new edge" if step.was is None else f" (was `{step.was}`)"
            return f"{parent.name} {parent.version} requires `{step.requirement}`{new}"
    for step in chain[:-1]:
        if step.old_version is not None and step.old_version != step.version:
            return f"{step.name} went from {step.old_version} to {step.version}"
    return ""


def _origin(first: Step) -> str:
    """Say where the project requires it, and how it did before when that changed."""
    if not first.is_new:
        return first.origin
    before = "new" if first.was is None else f"was `{first.was}`"
    return ", ".join(filter(None, [first.origin, before]))


def _what(change: DistributionChange) -> str:
    if change.kind == "added":
        return f"{change.name} {change.new_version} new"
    if change.kind == "removed":
        return f"{change.name} {change.old_version} gone"
    if change.kind == "changed":
        return f"{change.name} {change.old_version} → {change.new_version}"
    if change.kind == "bundled":
        return f"{change.name} {change.new_version} ships now"
    if change.kind == "left-out":
        return f"{change.name} {change.new_version} is left out now"
    return f"{change.name} {change.new_version} repacked"
