"""What GitHub Actions reads: annotations and step outputs. Pure.

Source: GitHub documentation, "Workflow commands for GitHub Actions" and "Adding a job summary".
"""

from collections.abc import Iterable, Sequence

from packager.model.finding_code import LEVELS, Level
from packager.model.verdict import GateFinding, Verdict
from packager.report.gate_text import summary_of

_MOST_OF_A_TYPE = 10
"""GitHub shows this many annotations of one type for one step, and drops the others."""
_TYPES: dict[Level, str] = {"error": "error", "warning": "warning", "note": "notice"}


def render_annotations(verdicts: Sequence[Verdict], *, prefix: str = "") -> str:
    """Return one workflow command for each finding, within what GitHub shows.

    The worst of every function comes first, then the next of every function; where a type has
    more than GitHub shows, its last one counts the rest. `prefix` is the way from the root of
    the repository to the folder that files are seen from, empty or with a slash at the end.
    """
    lines: list[str] = []
    for level in LEVELS:
        found = list(_in_turns(verdicts, level))
        shown = found if len(found) <= _MOST_OF_A_TYPE else found[: _MOST_OF_A_TYPE - 1]
        lines.extend(_annotation(verdict, finding, prefix) for verdict, finding in shown)
        if len(found) > len(shown):
            more = f"and {len(found) - len(shown)} more; the step summary has all of them"
            lines.append(f"::{_TYPES[level]} title=lpack::{_data(more)}")
    lines.append(summary_of(verdicts))
    return "".join(f"{line}\n" for line in lines)


def step_outputs(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Return the outputs of the step, by name."""
    failed = any(not verdict.passed for verdict in verdicts)
    outputs = {
        "failed": "true" if failed else "false",
        "summary": summary_of(verdicts),
        "artifacts": "\n".join(verdict.artifact for verdict in verdicts),
    }
    for level in LEVELS:
        outputs[f"{level}s"] = str(sum(verdict.number_of(level) for verdict in verdicts))
    if len(verdicts) == 1:
        outputs["compressed-bytes"] = str(verdicts[0].compressed_bytes)
        outputs["uncompressed-bytes"] = str(verdicts[0].uncompressed_bytes)
    return outputs


def render_outputs(outputs: dict[str, str], *, delimiter: str) -> str:
    """Return the lines for GITHUB_OUTPUT; values of several lines stand between `delimiter`s."""
    lines = []
    for name, value in outputs.items():
        many = "\n" in value
        lines.append(f"{name}<<{delimiter}\n{value}\n{delimiter}" if many else f"{name}={value}")
    return "".join(f"{line}\n" for line in lines)


def _in_turns(verdicts: Sequence[Verdict], level: Level) -> Iterable[tuple[Verdict, GateFinding]]:
    """Yield the first finding of every verdict, then the second of every verdict, and so on."""
    queues = [(v, [f for f in v.findings if f.level == level]) for v in verdicts]
    for turn in range(max((len(queue) for _, queue in queues), default=0)):
        for verdict, queue in queues:
            if turn < len(queue):
                yield verdict, queue[turn]


def _annotation(verdict: Verdict, finding: GateFinding, prefix: str) -> str:
    properties = {"title": f"lpack {finding.code} {verdict.function}"}
    if finding.spot is not None:
        properties |= {"file": f"{prefix}{finding.spot.file}", "line": str(finding.spot.line)}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = "\n".join([f"{verdict.artifact} {finding.message}", *finding.details])
    return f"::{_TYPES[finding.level]} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
