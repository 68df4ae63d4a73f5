"""A build as text for people: at most 100 columns, sizes in MiB, exact bytes near a limit. Pure."""

from collections.abc import Sequence

from packager import __version__
from packager.model.build import Build, BuiltLayer, LimitCheck, Share
from packager.model.figures import many, mib
from packager.model.image import ImageArtifact
from packager.report.image import base_bytes, image_lines

__all__ = ["largest", "many", "mib", "render_build"]

_ROWS = 12
_COLUMNS = 100


def render_build(build: Build, *, shown_path: str, rows: int = _ROWS) -> str:
    """Return the table that `lpack build` prints; `shown_path` is the artifact's for people."""
    target = build.dependencies.target
    lines = [
        (
            f"lpack {__version__} · {target.runtime} · {target.architecture} "
            f"({target.operating_system}, glibc {target.glibc})"
        ),
        "",
        *_table(build, rows),
        "",
        *_limits(build.measurement.limits),
        *_slimming(build),
        *_subtraction(build),
        "",
        *_result(build, shown_path),
    ]
    return "\n".join(lines) + "\n"


def _result(build: Build, shown_path: str) -> list[str]:
    """Name the artifact and its digests, on two lines when one would be too long."""
    if isinstance(build.artifact, ImageArtifact):
        return image_lines(build.artifact, shown_path)
    digests = f"sha256 {build.artifact.sha256[:16]}…  CodeSha256 {build.artifact.code_sha256}"
    line = f"{shown_path}  {digests}"
    return [line] if len(line) <= _COLUMNS else [shown_path, f"  {digests}"]


def largest(build: Build, limit_name: str, *, rows: int = 5) -> list[str]:
    """Return the largest distributions by what `limit_name` measures, with what they retain.

    A limit on the zip, or on one layer, is about what is in there.
    """
    zipped = limit_name != "unzipped"

    def own(share: Share) -> int:
        return share.compressed_bytes if zipped else share.uncompressed_bytes

    def with_others(share: Share) -> int:
        return share.retained_compressed_bytes if zipped else share.retained_uncompressed_bytes

    inside = limit_name.removeprefix("layer:") if limit_name.startswith("layer:") else None
    placed = build.placed
    counted = [
        share
        for share in build.measurement.shares
        if not zipped or placed.get(share.name) == inside
    ]
    ordered = sorted(counted, key=lambda share: (-own(share), share.name))
    return [
        f"{share.name} {share.version}  {mib(own(share))}"
        + (
            f" ({mib(with_others(share))} with what only it needs)"
            if with_others(share) != own(share)
            else ""
        )
        for share in ordered[:rows]
    ]


def _table(build: Build, rows: int) -> list[str]:
    placed = build.placed
    shares = [share for share in build.measurement.shares if share.name not in placed]
    shown, rest = list(shares[:rows]), shares[rows:]
    if len(rest) == 1:
        shown, rest = list(shares), []
    body = [_row(f"{s.name} {s.version}", s.uncompressed_bytes, s.compressed_bytes) for s in shown]
    if rest:
        body.append(_row(f"… {len(rest)} more", *_sum(rest)))
    code = build.measurement.code
    body.append(_row("your code", code.uncompressed_bytes, code.compressed_bytes))
    if isinstance(build.artifact, ImageArtifact):
        body.append(_row(f"base {build.artifact.base.reference}", *base_bytes(build.artifact)))
    name = build.artifact.path.rpartition("/")[2]
    return [
        f"  {_cut(name):<46}{'unzipped':>14}{'zipped':>14}",
        *body,
        "  " + "─" * 74,
        *_total(build, name),
    ]


def _total(build: Build, name: str) -> list[str]:
    """Add up the zip, and the layers with it: unzipped they count together."""
    unzipped, zipped = build.artifact.uncompressed_bytes, build.artifact.compressed_bytes
    layers = build.layers
    if not layers:
        return [_row("total", unzipped, zipped)]
    rows = [_row(name, unzipped, zipped)]
    for layer in layers:
        title = f"layer {layer.name}: {_inside(build, layer)}"
        rows.append(_row(title, layer.uncompressed_bytes, layer.compressed_bytes))
        unzipped += layer.uncompressed_bytes
        zipped += layer.compressed_bytes
    return [*rows, _row("total", unzipped, zipped)]


def _inside(build: Build, layer: BuiltLayer) -> str:
    """Name the largest of what a layer has for the function."""
    if layer.foreign is not None:
        return "built elsewhere"
    placed = build.placed
    names = [s.name for s in build.measurement.shares if placed.get(s.name) == layer.name]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"


def _sum(shares: Sequence[Share]) -> tuple[int, int]:
    return (
        sum(share.uncompressed_bytes for share in shares),
        sum(share.compressed_bytes for share in shares),
    )


def _row(name: str, uncompressed_bytes: int, compressed_bytes: int) -> str:
    return f"  {_cut(name):<46}{mib(uncompressed_bytes):>14}{mib(compressed_bytes):>14}"


def _cut(name: str) -> str:
    return name if len(name) <= 44 else name[:43] + "…"


def _limits(checks: Sequence[LimitCheck]) -> list[str]:
    return [line for check in checks for line in _wrapped(_limit(check), first="  ", rest=" " * 7)]


def _limit(check: LimitCheck) -> str:
    share = check.measured_bytes / check.limit_bytes
    measured = mib(check.measured_bytes)
    # Figures that round to the same text as the limit say nothing: show the bytes.
    if abs(check.measured_bytes - check.limit_bytes) * 100 < check.limit_bytes:
        measured += f" ({check.measured_bytes:,} of {check.limit_bytes:,} bytes)"
    if not check.binding:
        verdict = "does not bind: the upload goes through S3"
    elif check.passed:
        verdict = f"{mib(check.headroom_bytes)} left"
    else:
        verdict = f"{mib(-check.headroom_bytes)} too much"
    word = "ok  " if check.passed else "FAIL"
    return f"{word} {check.title}: {measured} of {mib(check.limit_bytes)} ({share:.0%}), {verdict}"


def _slimming(build: Build) -> list[str]:
    """Tell in one line what of the distributions that ship stays out of the zip."""
    payloads = [distribution.payload for distribution in build.dependencies.shipped]
    dropped = [each for payload in payloads for each in payload.dropped if each.tier != "format"]
    stripped = [removed for payload in payloads for _, removed in payload.stripped]
    parts = []
    if dropped:
        size = sum(each.uncompressed_bytes for each in dropped)
        parts.append(f"{many(len(dropped), 'file')} dropped (−{mib(size)} unzipped)")
    if stripped:
        libraries = many(len(stripped), "library", "libraries")
        parts.append(f"{libraries} stripped (−{mib(sum(stripped))})")
    return ["", "  slimmed: " + ", ".join(parts)] if parts else []


def _subtraction(build: Build) -> list[str]:
    """One sentence for each distribution that the runtime has too, group members together."""
    dependencies = build.dependencies
    lines: list[str] = []
    for layer in ("", *(layer.name for layer in dependencies.layers)):
        gone = [d for d in dependencies.distributions if d.subtracted and d.layer == layer]
        if gone:
            unzipped = sum(d.payload.uncompressed_bytes for d in gone)
            zipped = sum(d.payload.compressed_bytes for d in gone)
            who = f"the layer {layer}" if layer else "the runtime"
            lines.append(
                f"  left out {len(gone)} that {who} provides: "
                f"−{mib(unzipped)} unzipped, −{mib(zipped)} zipped"
            )
    followers: dict[str, list[str]] = {}
    ways: dict[str, int] = {}
    for line in dependencies.subtraction:
        if line.code == "group":
            followers.setdefault(line.reason.removeprefix(line.name), []).append(line.name)
        else:
            sign = "−" if line.outcome == "subtracted" else "+"
            lines.extend(_wrapped(f"{sign} {line.reason}"))
        if line.loosen is not None:
            ways[line.loosen] = line.loosen_compressed_bytes
    for reason, names in followers.items():
        together = ", ".join(names)
        said = reason if len(names) == 1 else reason.replace(" goes with ", " go with ", 1)
        lines.extend(_wrapped(f"+ {together}{said}"))
    for loosen, saved in ways.items():
        lines.extend(_wrapped(f"→ `{loosen}` instead would save {mib(saved)} zipped"))
    for conflict in dependencies.conflicts:
        lines.extend(_wrapped(f"! {conflict}"))
    return ["", *lines] if lines else []


def _wrapped(sentence: str, *, first: str = "    ", rest: str = "      ") -> list[str]:
    """Break a sentence at 100 columns under its sign; a longer word has a line of its own.

    Not `textwrap`, whose expressions take longer to prepare than a whole report takes.
    """
    lines: list[str] = []
    line = first
    for word in sentence.split(" "):
        if line.strip() and len(line) + len(word) > _COLUMNS:
            lines.append(line.rstrip())
            line = rest
        line += f"{word} "
    return [*lines, line.rstrip()]
