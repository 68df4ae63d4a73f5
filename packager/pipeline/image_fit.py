"""What a function has to be for an image: where it may run, what its base leaves it to bring."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from packager.errors import LpackError, UsageError
from packager.model.image import BaseImage
from packager.model.project import Function
from packager.parsing import parse_json
from packager.pipeline.base import local_base
from packager.pipeline.build import manifest_path
from packager.registry.layout import is_layout

_CLIENT = "awslambdaric"
_LARGEST_DATE = 8**11 - 1


def refuse_edge(function: Function) -> None:
    """Raise UsageError for a function at the edge."""
    if function.kind == "edge":
        raise UsageError(
            "Lambda@Edge takes no container images (cloudfront, lambda-at-edge-function-"
            "restrictions)",
            hint="--package-type zip",
        )


def modified_seconds() -> int:
    """Return the date of every file: SOURCE_DATE_EPOCH or 1970-01-01."""
    text = os.environ.get("SOURCE_DATE_EPOCH") or "0"
    try:
        return min(max(int(text), 0), _LARGEST_DATE)
    except ValueError as error:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is `{text}`, not a number of seconds",
            hint="unset SOURCE_DATE_EPOCH, or use `git log -1 --format=%ct`",
        ) from error


def pinned_base(function: Function) -> tuple[str, str] | None:
    """Return reference and digest of the base that the last build's manifest has."""
    try:
        manifest = parse_json(manifest_path(function).read_bytes())
        base, target = manifest["image"]["base"], manifest["target"]
        if base["digest"] and target["architecture"] == function.architecture:
            return str(base["reference"]), str(base["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def fitted_to(function: Function, base: BaseImage) -> Function:
    """Return `function` as its base wants it: what AWS's image provides, another one does not."""
    if base.runtime:
        return function
    kept = tuple((name, policy) for name, policy in function.subtract if policy == "always")
    kept = tuple(pair for pair in kept if pair[0] != "*")
    added = () if base.client else ((_CLIENT, f"the base image {base.reference} has no client"),)
    return function._replace(subtract=(("*", "never"), *kept), added_requirements=added)


@contextmanager
def explaining_additions(function: Function) -> Iterator[None]:
    """Say of an error about a requirement that nobody wrote down where it comes from."""
    try:
        yield
    except LpackError as error:
        told = " ".join((error.message, *error.details))
        for name, origin in function.added_requirements:
            if name in told:
                error.hint = f"{origin}: list {name}, and what it needs, among your requirements"
        raise


def base_inputs(function: Function) -> list[str]:
    """Return every path of this machine that the base is made of; none for a registry's.

    A layout is named by its index, whose digests lead to everything else.
    """
    path = local_base(function)
    if path is None:
        return []
    if is_layout(path):
        return [str(path / "index.json")]
    if not path.is_dir():
        return [str(path)]
    return [str(path), *(str(each) for each in path.rglob("*"))]
