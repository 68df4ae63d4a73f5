"""What could leave an artifact: its own rules, services and pins, asked of the finished manifest.

manifest → inert and declared rules, named rules, services, loosened pins → trims with bytes
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packager.inspect.removal import Remover
from packager.model.canonical import CENTRAL, LOCAL
from packager.model.plan import Taken, Trim
from packager.model.prune import SlimSettings
from packager.model.record import RecordEntry, render_record
from packager.pipeline.inspection import inspecting
from packager.pipeline.provided import find_provided
from packager.pipeline.services import propose, service_rows
from packager.slim.prune_rules import declared_distributions, load_declared
from packager.slim.rules import choose_listed

_RULES = 2
_ASK = 3
_FEATURE = 4
_GPU_ONLY = frozenset({"triton", "pytorch-triton"})
_HASH = "sha256=" + "0" * 43

Manifest = Mapping[str, Any]
Row = Sequence[Any]


def trims_of(
    manifest: Manifest, artifact: Path | None, *, release_share: float
) -> tuple[Trim, ...]:
    """Return everything that lpack knows how to leave out of the artifact of `manifest`.

    `release_share` is what the best deflate takes off the zipped bytes. `artifact` is read for the
    cloud services its code names; nothing is changed. Bytes unzipped are exact, RECORD included;
    bytes zipped do not know how RECORD deflates afterwards.
    """
    shipped = [each for each in manifest["distributions"] if not each["subtracted"]]
    return tuple(
        trim
        for trim in (
            *_release(manifest, shipped, release_share),
            *_tier(shipped, "inert", risk=1),
            *_tier(shipped, "declared", risk=_RULES),
            *_named_rules(shipped),
            *_gpu(shipped),
            *_services(manifest, artifact),
            *_loosened(manifest),
            *_provided(manifest, artifact),
        )
        if trim.uncompressed_bytes > 0 or trim.compressed_bytes > 0
    )


def _release(
    manifest: Manifest, shipped: Sequence[Mapping[str, Any]], share: float
) -> Iterator[Trim]:
    """Yield the best deflate, unless it was used: only a build tells how much it really takes."""
    if manifest.get("foreign") or manifest["function"].get("release"):
        return
    takes = tuple(Taken(d["name"], 0, round(d["compressed_bytes"] * share)) for d in shipped)
    title = "release = true (everything deflated at the best level)"
    yield Trim("release", title, takes, "modelled", 1, settings=(("release", True),))


def _tier(shipped: Sequence[Mapping[str, Any]], tier: str, *, risk: int) -> Iterator[Trim]:
    settings = SlimSettings(tier="inert" if tier == "inert" else "declared")
    takes: list[Taken] = []
    for each in shipped:
        dropped = choose_listed(each["name"], each["version"], each["files"], settings)
        gone = {drop.path for drop in dropped if drop.tier == tier}
        takes += _taken(each, gone)
    if takes:
        title = f'slim = "{tier}"'
        yield Trim(tier, title, tuple(takes), "exact", risk, settings=(("slim", tier),))


def _named_rules(shipped: Sequence[Mapping[str, Any]]) -> Iterator[Trim]:
    """Yield the rules that are off unless they are named, because a feature is lost."""
    known = set(declared_distributions())
    for each in shipped:
        if each["name"] not in known:
            continue
        for rule in load_declared(each["name"]):
            if not rule.named:
                continue
            settings = SlimSettings(tier="off", rules=(rule.id,))
            dropped = choose_listed(each["name"], each["version"], each["files"], settings)
            takes = _taken(each, {drop.path for drop in dropped})
            title = f"rule {rule.id} ({rule.reason})"
            yield Trim(
                rule.id, title, takes, "exact", _FEATURE, settings=(("slim-rules", [rule.id]),)
            )


def _gpu(shipped: Sequence[Mapping[str, Any]]) -> Iterator[Trim]:
    """Yield the libraries for graphics processors, which no Lambda function has.

    Their metadata stays, so that whoever requires them finds them installed. Source: the Lambda
    Developer Guide offers processors and memory only.
    """
    for each in shipped:
        if not each["name"].startswith("nvidia-") and each["name"] not in _GPU_ONLY:
            continue
        gone = {row[0] for row in each["files"] if ".dist-info/" not in row[0]}
        # Many share the folder `nvidia`; each has one of its own below.
        folders = {
            "/".join(path.split("/")[: 2 if path.startswith("nvidia/") else 1]) for path in gone
        }
        drops = [{"glob": f"/{f}/**", "reason": "Lambda has no GPU"} for f in sorted(folders)]
        yield Trim(
            f"gpu-{each['name']}",
            f"drop {each['name']} (Lambda has no GPU)",
            _taken(each, gone),
            "exact",
            _ASK,
            settings=(("drop", drops),),
        )


def _services(manifest: Manifest, artifact: Path | None) -> Iterator[Trim]:
    """Yield what leaves when only the services stay that the code in the artifact names."""
    if artifact is None or not artifact.is_file():
        return
    for proposal in propose(artifact, manifest):
        rows = service_rows(manifest, proposal)
        takes = [taken for each, gone in rows for taken in _taken(each, gone)]
        yield Trim(
            f"services-{proposal.owner}",
            f"only the services {', '.join(proposal.services)} of {proposal.owner}",
            tuple(takes),
            "exact",
            _ASK if proposal.uncertain else _RULES,
            settings=(("services", {proposal.owner: list(proposal.services)}),),
        )


def _loosened(manifest: Manifest) -> Iterator[Trim]:
    """Yield the pins that, loosened, let the runtime's own distributions be used."""
    decisions = manifest["subtraction"]["decisions"]
    kept = {line["name"] for line in decisions if line["outcome"] == "kept"}
    sizes = {each["name"]: each for each in manifest["distributions"] if each["name"] in kept}
    for line in decisions:
        if not line["loosen"] or line["name"] not in sizes:
            continue
        leaving = _leaving(line, decisions, sizes)
        takes = tuple(
            Taken(name, sizes[name]["uncompressed_bytes"], sizes[name]["compressed_bytes"])
            for name in leaving
        )
        yield Trim(
            f"loosen-{line['name']}",
            f"`{line['loosen']}`, so that the runtime's is used",
            takes,
            "exact",
            _ASK,
            removes=True,
            requirement=line["loosen"],
        )


def _provided(manifest: Manifest, artifact: Path | None) -> Iterator[Trim]:
    """Yield what of another tool's artifact the runtime has itself, in versions that suit."""
    if artifact is None or not manifest.get("foreign"):
        return
    target = manifest["target"]
    with inspecting(
        artifact, runtime=target["runtime"], architecture=target["architecture"]
    ) as inspection:
        found = list(find_provided(inspection, Remover(inspection.opened.found, str(artifact))))
    for advice in found:
        gone = set(advice.paths)
        leaving = [
            each
            for each in manifest["distributions"]
            if any(row[0] in gone for row in each["files"])
        ]
        takes = tuple(
            Taken(each["name"], each["uncompressed_bytes"], each["compressed_bytes"])
            for each in leaving
        )
        names = ", ".join(each["name"] for each in leaving)
        yield Trim(
            "runtime-provides",
            f"leave {names} to the runtime, which has them",
            takes,
            "exact",
            _ASK,
            removes=True,
        )


def _leaving(
    line: Mapping[str, Any],
    decisions: Iterable[Mapping[str, Any]],
    sizes: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """Return who leaves when `line` is loosened: those whose bytes are the ones it names."""
    own = sizes[line["name"]]
    if own["uncompressed_bytes"] == line["loosen_uncompressed_bytes"]:
        return [line["name"]]
    group = [each["name"] for each in decisions if each["name"] in sizes]
    total = sum(sizes[name]["uncompressed_bytes"] for name in group)
    if total == line["loosen_uncompressed_bytes"]:
        return group
    return [line["name"]]


def _taken(distribution: Mapping[str, Any], gone: set[str]) -> tuple[Taken, ...]:
    """Return what leaves with the files `gone`: themselves, and their lines of RECORD."""
    rows = [row for row in distribution["files"] if row[0] in gone]
    if not rows:
        return ()
    # A duplicate of files in bytecode payloads would count twice; names are unique in an artifact.
    lines = render_record({row[0]: RecordEntry(_HASH, row[1]) for row in rows})
    headers = sum(LOCAL.size + CENTRAL.size + 2 * len(row[0].encode()) for row in rows)
    recorded = any(row[0].endswith(".dist-info/RECORD") for row in distribution["files"])
    return (
        Taken(
            distribution["name"],
            sum(row[1] for row in rows) + (len(lines) if recorded else 0),
            sum(row[2] for row in rows) + headers,
            tuple(row[0] for row in rows),
        ),
    )
