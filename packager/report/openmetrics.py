"""Verdicts as OpenMetrics text, such as GitLab's metrics reports and Prometheus read. Pure.

Source: OpenMetrics 1.0 (prometheus/OpenMetrics).
"""

from collections.abc import Iterator, Sequence

from packager.model.finding_code import LEVELS
from packager.model.verdict import Verdict

_FAMILIES = (
    ("lpack_artifact_zipped_bytes", "bytes", "Bytes of the artifact as it is uploaded."),
    ("lpack_artifact_unzipped_bytes", "bytes", "Bytes that count against the unzipped limit."),
    ("lpack_artifact_files", "", "Files in the artifact."),
    ("lpack_artifact_findings", "", "What lpack check found."),
    ("lpack_distribution_growth_bytes", "bytes", "Zipped growth against the baseline."),
)


def render_openmetrics(verdicts: Sequence[Verdict]) -> str:
    """Return the exposition, with its end mark."""
    samples = [list(_samples(verdict)) for verdict in verdicts]
    lines = []
    for name, unit, help_text in _FAMILIES:
        lines.append(f"# TYPE {name} gauge")
        lines.extend([f"# UNIT {name} {unit}"] if unit else [])
        lines.append(f"# HELP {name} {help_text}")
        lines.extend(text for each in samples for family, text in each if family == name)
    return "".join(f"{line}\n" for line in [*lines, "# EOF"])


def _samples(verdict: Verdict) -> Iterator[tuple[str, str]]:
    label = f'function="{_escaped(verdict.function)}"'
    figures = (verdict.compressed_bytes, verdict.uncompressed_bytes, verdict.entries)
    for (family, _, _), figure in zip(_FAMILIES[:3], figures, strict=True):
        yield family, f"{family}{{{label}}} {figure}"
    for level in LEVELS:
        count = verdict.number_of(level)
        yield _FAMILIES[3][0], f'{_FAMILIES[3][0]}{{{label},level="{level}"}} {count}'
    changes = verdict.difference.distributions if verdict.difference is not None else ()
    for change in changes:
        labels = f'{label},distribution="{_escaped(change.name)}"'
        yield _FAMILIES[4][0], f"{_FAMILIES[4][0]}{{{labels}}} {change.compressed_delta}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
