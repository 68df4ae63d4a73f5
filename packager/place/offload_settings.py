"""What the settings of `offload` ask for, and whether the target allows it. Pure.

Sources: Lambda quotas (/tmp of 512 to 10,240 MB), "Improving startup performance with Lambda
SnapStart" (Python 3.12 and later, no more than 512 MB of /tmp), CloudFront Developer Guide,
"Restrictions on Lambda@Edge" (512 MB of /tmp, no SnapStart, every Region).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from packager.errors import UsageError
from packager.model.project import Function
from packager.model.selection import Graph
from packager.model.target import Target
from packager.place.offload_codec import ZSTD_SINCE

_URL = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?")
_MEBIBYTE = 1024 * 1024
SNAPSTART_MIB = 512


class Destination(NamedTuple):
    """Where archives lie in S3; `prefix` ends with a slash or is empty."""

    bucket: str
    prefix: str


def check_offload(function: Function, target: Target, *, largest_mib: int) -> None:
    """Raise UsageError for what the target cannot do; `largest_mib` is its largest /tmp."""
    storage = function.ephemeral_storage
    if storage > largest_mib:
        raise UsageError(
            f"`ephemeral-storage` is {storage}, and {target.label} has at most {largest_mib} MiB "
            "of /tmp",
            hint=f"ephemeral-storage = {largest_mib}",
        )
    if function.snapstart:
        _check_snapstart(function, target)
    if not function.offload:
        return
    if function.package_type == "image":
        raise UsageError(
            "`offload` is for zips: an image has room for 10 GiB",
            hint='package-type = "zip", or no `offload`',
        )
    if function.offload_from == "s3":
        if target.kind == "edge":
            raise UsageError(
                '`offload-from = "s3"` is not for Lambda@Edge: it runs in every Region, and a '
                "bucket is in one",
                hint='offload-from = "zip"',
            )
        destination(function.offload_url)
    if function.offload_codec == "zstd" and target.python < ZSTD_SINCE:
        raise UsageError(
            f'`offload-codec = "zstd"` needs Python 3.14, and {target.runtime} has none of it',
            hint='offload-codec = "auto"',
        )


def _check_snapstart(function: Function, target: Target) -> None:
    if not target.snapstart:
        raise UsageError(
            f"{target.label} has no SnapStart",
            hint="snapstart = false, or a runtime from python3.12 on",
        )
    if function.ephemeral_storage > SNAPSTART_MIB:
        raise UsageError(
            f"SnapStart allows {SNAPSTART_MIB} MiB of /tmp, and `ephemeral-storage` is "
            f"{function.ephemeral_storage}",
            hint=f"ephemeral-storage = {SNAPSTART_MIB}, or snapstart = false",
        )


def destination(url: str) -> Destination:
    """Take `s3://BUCKET/PREFIX` apart; raises UsageError for anything else."""
    found = _URL.fullmatch(url)
    if found is None:
        said = f"`offload-url` is `{url}`" if url else '`offload-from = "s3"` says no `offload-url`'
        raise UsageError(said, hint='offload-url = "s3://my-bucket/lambda"')
    prefix = (found["prefix"] or "").strip("/")
    return Destination(found["bucket"], f"{prefix}/" if prefix else "")


def known_names(asked: Collection[str], known: Collection[str]) -> dict[str, bool]:
    """Return the normalized names that `offload` lists, and whether each has a `+`.

    Raises UsageError for a name that is not among the `known` distributions.
    """
    names: dict[str, bool] = {}
    for text in asked:
        name = re.sub(r"[-_.]+", "-", text.removesuffix("+").strip()).lower()
        if name not in known:
            from difflib import get_close_matches  # noqa: PLC0415 -- only to word an error

            near = get_close_matches(name, known, 1)
            raise UsageError(
                f"`offload` names `{text}`, which is none of the {len(known)} distributions",
                hint=f"did you mean `{near[0]}`?" if near else "lpack why NAME tells what is there",
            )
        names[name] = names.get(name, False) or text.endswith("+")
    return names


def chosen(asked: Mapping[str, bool], graph: Graph, subtracted: Collection[str]) -> list[str]:
    """Return the distributions to offload, ordered by name.

    Those with a `+` bring along what is required by nothing that stays. Raises UsageError for
    one that does not ship.
    """
    for name in asked:
        if name in subtracted:
            raise UsageError(
                f"`offload` names `{name}`, which does not ship: the runtime provides it",
                hint=f'take it out of `offload`, or say subtract = {{ {name} = "never" }}',
            )
    following = {name for name, with_others in asked.items() if with_others}
    required = set(_reached(graph, _roots(graph), without=following))
    along = set(_reached(graph, following, without=frozenset())) - required
    return sorted(({*asked} | along) - {*subtracted})


def check_space(needed: Mapping[str, int], function: Function) -> None:
    """Raise UsageError when the distributions, by name, need more bytes than /tmp has."""
    total = sum(needed.values())
    if total < function.ephemeral_storage * _MEBIBYTE:
        return
    enough = -(-(total + 1) // _MEBIBYTE)
    if function.snapstart or function.kind == "edge":
        hint = "offload less: SnapStart and Lambda@Edge have no more"
    elif enough > 10_240:
        hint = "offload less, or ship a container image: /tmp has at most 10240 MiB"
    else:
        hint = f"ephemeral-storage = {-(-enough // 64) * 64}"
    largest = sorted(needed.items(), key=lambda item: -item[1])[:5]
    raise UsageError(
        f"what `offload` names needs {total / _MEBIBYTE:.1f} MiB of /tmp, and "
        f"`ephemeral-storage` is {function.ephemeral_storage}",
        hint=hint,
        details=[f"{name}: {amount / _MEBIBYTE:.1f} MiB" for name, amount in largest],
    )


def _roots(graph: Graph) -> set[str]:
    """Return what the project asks for; with a lock alone, what nothing else asks for."""
    asked: set[str] = {edge.requirement.name for edge in graph.edges if edge.parent is None}
    if asked:
        return {re.sub(r"[-_.]+", "-", name).lower() for name in asked}
    return set(map(str, graph.versions)) - {child for _, child in _edges(graph)}


def _edges(graph: Graph) -> Iterator[tuple[str | None, str]]:
    for edge in graph.edges:
        yield edge.parent, re.sub(r"[-_.]+", "-", edge.requirement.name).lower()


def _reached(graph: Graph, start: Collection[str], *, without: Collection[str]) -> Iterator[str]:
    """Yield what `start` requires, itself included, not going through those `without`."""
    children: dict[str, list[str]] = {}
    for parent, child in _edges(graph):
        children.setdefault(parent or "", []).append(child)
    seen = set(without)
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting.extend(children.get(name, ()))
