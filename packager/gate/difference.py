"""Two manifests held against each other: by distribution, then by file. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from packager.gate.chains import Chains
from packager.gate.sizes import unzipped_bytes
from packager.model.difference import (
    ChangeKind,
    Difference,
    DistributionChange,
    FileChange,
    Side,
)

Manifest = Mapping[str, Any]
_File = tuple[str, int, int, int | None, int | None]


def difference_of(
    old: Manifest, new: Manifest, *, old_label: str, new_label: str, with_files: bool = True
) -> Difference:
    """Return what changed from `old` to `new`; the labels are for people.

    Raises KeyError, TypeError or IndexError when one of them is no manifest.
    """
    return Difference(
        old=side_of(old, old_label),
        new=side_of(new, new_label),
        distributions=tuple(sorted(_changes(old, new), key=_most_grown)),
        code_compressed_delta=_code(new, "compressed_bytes") - _code(old, "compressed_bytes"),
        code_uncompressed_delta=_code(new, "uncompressed_bytes") - _code(old, "uncompressed_bytes"),
        files=tuple(sorted(_file_changes(old, new), key=_largest)) if with_files else (),
    )


def side_of(manifest: Manifest, label: str) -> Side:
    """Return what `manifest` says of the whole artifact."""
    artifact, target = manifest["artifact"], manifest["target"]
    words = (target.get(word) for word in ("runtime", "architecture", "kind"))
    return Side(
        label=label,
        function=manifest["function"]["name"],
        target=" ".join(word for word in words if word and word != "lambda"),
        lpack=str(manifest.get("lpack") or ""),
        entries=artifact["entries"],
        compressed_bytes=artifact["compressed_bytes"],
        uncompressed_bytes=unzipped_bytes(manifest),
    )


def _code(manifest: Manifest, key: str) -> int:
    return int(manifest["code"][key])


def _most_grown(change: DistributionChange) -> tuple[int, int, str]:
    return (-change.compressed_delta, -change.uncompressed_delta, change.name)


def _largest(change: FileChange) -> tuple[int, int, str]:
    return (-abs(change.compressed_delta), -abs(change.uncompressed_delta), change.path)


def _changes(old: Manifest, new: Manifest) -> Iterator[DistributionChange]:
    olds = {each["name"]: each for each in old["distributions"]}
    news = {each["name"]: each for each in new["distributions"]}
    to_new, to_old = Chains(new, old), Chains(old, new)
    for name in sorted(olds.keys() | news.keys()):
        before, after = olds.get(name), news.get(name)
        kind = _kind(before, after)
        if kind is not None:
            yield DistributionChange(
                name=name,
                kind=kind,
                old_version=before["version"] if before else None,
                new_version=after["version"] if after else None,
                old_compressed_bytes=_bytes(before, "compressed_bytes"),
                new_compressed_bytes=_bytes(after, "compressed_bytes"),
                old_uncompressed_bytes=_bytes(before, "uncompressed_bytes"),
                new_uncompressed_bytes=_bytes(after, "uncompressed_bytes"),
                chain=(to_new if after else to_old).to(name),
                reason=_reason(kind, before, after, old=old, new=new),
            )


def _ships(distribution: Mapping[str, Any] | None) -> bool:
    return distribution is not None and not distribution["subtracted"]


def _bytes(distribution: Mapping[str, Any] | None, key: str) -> int:
    return int(distribution[key]) if distribution is not None and _ships(distribution) else 0


def _kind(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> ChangeKind | None:
    ships = (_ships(before), _ships(after))
    if ships == (False, False):
        return None
    if ships == (False, True):
        return "added" if before is None else "bundled"
    if ships == (True, False):
        return "removed" if after is None else "left-out"
    if before is None or after is None:
        return None
    if before["version"] != after["version"]:
        return "changed"
    return "resized" if _weight(before) != _weight(after) or _moved(before, after) else None


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether it ships elsewhere now; baselines of an older schema do not know where."""
    return bool(before.get("placement", after["placement"]) != after["placement"])


def _weight(distribution: Mapping[str, Any]) -> tuple[int, int, int]:
    return (
        distribution["entries"],
        distribution["compressed_bytes"],
        distribution["uncompressed_bytes"],
    )


def _reason(
    kind: ChangeKind,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    *,
    old: Manifest,
    new: Manifest,
) -> str:
    """Say why, where no requirement does: the subtraction, another wheel, another lpack."""
    if before is None or after is None:
        return ""
    if kind in {"bundled", "left-out"}:
        decisions = new["subtraction"]["decisions"]
        reasons = (str(each["reason"]) for each in decisions if each["name"] == after["name"])
        return next(reasons, "")
    if kind != "resized":
        return ""
    if _moved(before, after):
        reason = f"moved from {before['placement']} to {after['placement']}"
    elif before.get("wheel_sha256") != after.get("wheel_sha256"):
        reason = f"another wheel of the same version: {before['wheel']} → {after['wheel']}"
    elif old.get("lpack") != new.get("lpack"):
        reason = f"built by lpack {new.get('lpack')} instead of {old.get('lpack')}"
    else:
        reason = "the same wheel, slimmed or deflated otherwise"
    return reason


def _file_changes(old: Manifest, new: Manifest) -> Iterator[FileChange]:
    olds, news = _files(old), _files(new)
    for path in olds.keys() | news.keys():
        before, after = olds.get(path), news.get(path)
        if before is not None and after is not None and _same(before, after):
            continue
        kind: Literal["added", "removed", "changed"] = "changed"
        if before is None or after is None:
            kind = "added" if before is None else "removed"
        yield FileChange(
            path=path,
            owner=(after or before or ("",))[0],
            kind=kind,
            old_compressed_bytes=before[2] if before else 0,
            new_compressed_bytes=after[2] if after else 0,
            old_uncompressed_bytes=before[1] if before else 0,
            new_uncompressed_bytes=after[1] if after else 0,
        )


def _same(before: _File, after: _File) -> bool:
    """Tell whether two files are the same as far as both sides know them."""
    pairs = zip(before[1:], after[1:], strict=True)
    return all(old == new for old, new in pairs if old is not None and new is not None)


def _files(manifest: Manifest) -> dict[str, _File]:
    """Return owner, uncompressed and compressed bytes, crc32 and mode of every file by path."""
    owned = [(each["name"], each["files"]) for each in manifest["distributions"]]
    owned.append(("", manifest["code"]["files"]))
    return {row[0]: (owner, *row[1:5]) for owner, rows in owned for row in rows}
