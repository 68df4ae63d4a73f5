"""Where each file of a wheel goes, and which files do not ship. Pure.

The binary distribution format (PyPA specifications) spreads `NAME-VERSION.data/KEY/` over the
installation scheme. A Lambda bundle has one folder: `purelib`, `platlib` and `data` go to its
root, as `pip install --target` does; `scripts` and `headers` have no place on a function's path.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from packager.errors import WheelRefused
from packager.model.prune import Dropped
from packager.model.wheel import AdmittedWheel, WheelMember

_TO_ROOT = ("purelib", "platlib", "data")
_DROPPED = {
    "scripts": "scripts are not on a function's path",
    "headers": "headers serve compilers only",
}
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The shipped files as (archive name, member), ordered by archive name, and the dropped.

    `rewrite_record` tells that RECORD no longer describes what ships and is written anew.
    """

    shipped: tuple[tuple[str, WheelMember], ...]
    dropped: tuple[Dropped, ...]
    rewrite_record: bool


def lay_out(wheel: AdmittedWheel) -> Layout:
    """Decide for every member of `wheel` where it goes.

    Raises WheelRefused when two members would land on one archive name.
    """
    placed = list(_place(wheel))
    moved = any(name != member.name for name, member, _ in placed)
    if moved:
        placed = [_without_signature(wheel, *each) for each in placed]
    shipped: dict[str, WheelMember] = {}
    dropped: list[Dropped] = []
    for name, member, reason in placed:
        if reason is not None:
            dropped.append(
                Dropped(
                    member.name,
                    "format",
                    reason,
                    member.uncompressed_bytes,
                    member.compressed_bytes,
                )
            )
        elif name in shipped:
            raise WheelRefused(wheel.filename, f"two of its files would be installed as `{name}`")
        else:
            shipped[name] = member
    order = sorted(shipped, key=str.encode)
    return Layout(
        shipped=tuple((name, shipped[name]) for name in order),
        dropped=tuple(sorted(dropped)),
        rewrite_record=moved or bool(dropped),
    )


def _place(wheel: AdmittedWheel) -> Iterator[tuple[str, WheelMember, str | None]]:
    prefix = wheel.data_folder + "/"
    for member in wheel.members:
        if not member.name.startswith(prefix):
            yield member.name, member, None
            continue
        key, _, rest = member.name.removeprefix(prefix).partition("/")
        if key in _TO_ROOT and rest:
            yield rest, member, None
        elif key in _DROPPED:
            yield "", member, _DROPPED[key]
        else:
            reason = f"`{member.name}` belongs to no scheme of the wheel format"
            raise WheelRefused(wheel.filename, reason)


def _without_signature(
    wheel: AdmittedWheel, name: str, member: WheelMember, reason: str | None
) -> tuple[str, WheelMember, str | None]:
    if name in {f"{wheel.dist_info}/{signature}" for signature in _SIGNATURES}:
        return name, member, "it signs a RECORD that no longer holds"
    return name, member, reason
