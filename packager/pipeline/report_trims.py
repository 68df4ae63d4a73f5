"""What could leave an artifact: the prune rules of a build, applied to files that are there."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from packaging.metadata import Metadata, RawMetadata
from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from packager.inspect.codes import BY_NAME
from packager.inspect.consistency import title_of
from packager.inspect.removal import Remover
from packager.model.advice import Advice
from packager.model.found import FoundFile
from packager.model.owned import OwnedDistribution
from packager.model.prune import SlimSettings
from packager.model.wheel import AdmittedWheel, WheelMember
from packager.pipeline.inspection import Inspection
from packager.slim.prune_rules import load_declared, load_inert
from packager.slim.rules import choose_dropped

_DEAD = "dead-bytecode"
_BYTECODE_HEAD_BYTES = 16
_HASH_BASED = 0b01


class _Hit(NamedTuple):
    """A file that a rule would leave out."""

    tier: str
    rule: str
    owner: str
    file: FoundFile


def find_trims(inspection: Inspection, remover: Remover) -> Iterator[Advice]:
    """Yield what the inert and declared rules would leave out, one finding for each rule.

    Inert rules are told together for all distributions, declared ones for each.
    """
    groups: dict[tuple[str, str, str], list[_Hit]] = {}
    for hit in _hits(inspection):
        owner = hit.owner if hit.tier == "declared" else ""
        groups.setdefault((hit.tier, hit.rule, owner), []).append(hit)
    for (tier, rule, owner), hits in groups.items():
        yield _advice(inspection, remover, (tier, rule, owner), hits)


def _hits(inspection: Inspection) -> Iterator[_Hit]:
    python = f"{inspection.target.python[0]}.{inspection.target.python[1]}"
    for distribution in inspection.ownership.distributions:
        wheel = _as_wheel(distribution)
        yield from _dropped(inspection, wheel, distribution.files, distribution.root, python)
    own = OwnedDistribution("", "", "guess", "", "", (), (), (), False, (), ())
    for hit in _dropped(inspection, _as_wheel(own), inspection.ownership.code, "", python):
        # Of your own code lpack drops nothing by itself; dead bytecode is dead all the same.
        if hit.rule == _DEAD:
            yield hit


def _dropped(
    inspection: Inspection,
    wheel: AdmittedWheel,
    files: Iterable[FoundFile],
    root: str,
    python: str,
) -> Iterator[_Hit]:
    by_name = {file.path.removeprefix(root): file for file in files}
    placed = [(name, _member(name, file)) for name, file in by_name.items()]
    settings = SlimSettings(tier="declared" if wheel.version != _UNKNOWN else "inert")

    def read_head(member: WheelMember) -> bytes:
        try:
            return inspection.opened.read(by_name[member.name], 32)
        except OSError:
            # Told as unreadable elsewhere; nothing is known of what it holds.
            return b""

    for dropped in choose_dropped(wheel, placed, settings, read_head=read_head, python=python):
        file = by_name[dropped.path]
        if dropped.rule == _DEAD and _is_current(inspection, file, by_name, root):
            continue
        yield _Hit(dropped.tier, dropped.rule, wheel.name, file)


_UNKNOWN = Version("0")


def _as_wheel(distribution: OwnedDistribution) -> AdmittedWheel:
    """Say of an installed distribution what the rules ask of a wheel."""
    try:
        version = Version(distribution.version)
    except InvalidVersion:
        version = _UNKNOWN
    raw = RawMetadata(requires_dist=list(distribution.requires))
    return AdmittedWheel(
        filename="",
        sha256="",
        name=NormalizedName(distribution.name),
        version=version,
        dist_info=distribution.info.removeprefix(distribution.root).rstrip("/"),
        data_folder="",
        root_is_purelib=True,
        tags=distribution.tags,
        members=(),
        record={},
        metadata=Metadata.from_raw(raw, validate=False),
    )


def _member(name: str, file: FoundFile) -> WheelMember:
    sizes = (file.compressed_bytes, file.uncompressed_bytes)
    return WheelMember(name, 8, file.crc32 or 0, *sizes, 0, executable=False)


def _is_current(
    inspection: Inspection, file: FoundFile, by_name: Mapping[str, FoundFile], root: str
) -> bool:
    """Tell whether dated bytecode has the very date its source has in this artifact (PEP 552).

    lpack dates everything 1980, so that its own rule calls all dated bytecode dead.
    """
    folder, cache, name = file.path.removeprefix(root).rpartition("__pycache__/")
    source = by_name.get(f"{folder}{name.partition('.')[0]}.py") if cache else None
    if source is None or source.dated is None:
        return False
    head = inspection.opened.read(file, _BYTECODE_HEAD_BYTES)
    if len(head) < _BYTECODE_HEAD_BYTES or head[4] & _HASH_BASED:
        return False
    python = "".join(map(str, inspection.target.python))
    seconds, size = (int.from_bytes(head[at : at + 4], "little") for at in (8, 12))
    return (
        f".cpython-{python}." in name
        and size == source.uncompressed_bytes & 0xFFFFFFFF
        and 0 <= seconds - source.dated < 2
    )


def _advice(
    inspection: Inspection, remover: Remover, key: tuple[str, str, str], hits: list[_Hit]
) -> Advice:
    tier, rule, owner = key
    kind = _DEAD if rule == _DEAD else f"{tier}-files"
    code = BY_NAME[kind]
    files = [hit.file for hit in hits]
    named = next((d for d in inspection.ownership.distributions if d.name == owner), None)
    whose = f" of {title_of(named)}" if named is not None else ""
    paths = tuple(file.path for file in files)
    return Advice(
        code.code,
        code.level,
        f"{rule}{whose}: {_reason(rule, owner)}",
        path=files[0].path,
        owner=owner,
        hint=remover.command(paths) or (f'slim = "{tier}"' if kind != _DEAD else "lpack build"),
        paths=paths,
        compressed_bytes=sum(file.contribution_bytes for file in files),
        uncompressed_bytes=sum(file.uncompressed_bytes for file in files),
    )


def _reason(rule: str, owner: str) -> str:
    for each in (*load_inert(), *(load_declared(owner) if owner else ())):
        if each.id == rule:
            return each.reason
    return rule
