"""Verdicts and differences as JSON-ready values; `*.schema.json` beside this are the schemas. Pure.

Bytes are integers, and nothing in it depends on the clock or the machine.
"""

import json
from collections.abc import Sequence
from typing import Any

from packager import __version__
from packager.model.difference import Difference, DistributionChange
from packager.model.growth_text import change_words
from packager.model.verdict import GateFinding, Verdict

SCHEMA_VERSION = 1


def check_document(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return what `lpack check --output-format json` prints (`check.schema.json`)."""
    return {
        "schema_version": SCHEMA_VERSION,
        "lpack": __version__,
        "passed": all(verdict.passed for verdict in verdicts),
        "errors": sum(verdict.number_of("error") for verdict in verdicts),
        "warnings": sum(verdict.number_of("warning") for verdict in verdicts),
        "notes": sum(verdict.number_of("note") for verdict in verdicts),
        "artifacts": [_verdict(verdict) for verdict in verdicts],
    }


def diff_document(differences: Sequence[Difference]) -> dict[str, Any]:
    """Return what `lpack diff --output-format json` prints (`diff.schema.json`)."""
    return {
        "schema_version": SCHEMA_VERSION,
        "lpack": __version__,
        "differences": [difference_row(each, with_files=True) for each in differences],
    }


def render_document(document: dict[str, Any]) -> str:
    """Return the text of a document."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def difference_row(difference: Difference, *, with_files: bool) -> dict[str, Any]:
    """Return one difference; the files only on demand, because there can be thousands."""
    row = {
        "old": difference.old._asdict(),
        "new": difference.new._asdict(),
        "compressed_delta": difference.compressed_delta,
        "uncompressed_delta": difference.uncompressed_delta,
        "code_compressed_delta": difference.code_compressed_delta,
        "code_uncompressed_delta": difference.code_uncompressed_delta,
        "distributions": [_change(change) for change in difference.distributions],
    }
    if with_files:
        row["files"] = [
            {
                **change._asdict(),
                "compressed_delta": change.compressed_delta,
                "uncompressed_delta": change.uncompressed_delta,
            }
            for change in difference.files
        ]
    return row


def _change(change: DistributionChange) -> dict[str, Any]:
    return {
        **change._asdict(),
        "chain": [step._asdict() for step in change.chain],
        "compressed_delta": change.compressed_delta,
        "uncompressed_delta": change.uncompressed_delta,
        "explanation": change_words(change),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    difference = verdict.difference
    return {
        "function": verdict.function,
        "artifact": verdict.artifact,
        "passed": verdict.passed,
        "entries": verdict.entries,
        "compressed_bytes": verdict.compressed_bytes,
        "uncompressed_bytes": verdict.uncompressed_bytes,
        "rules": [rule._asdict() for rule in verdict.rules],
        "findings": [_finding(finding) for finding in verdict.findings],
        "baseline": verdict.baseline,
        "difference": difference_row(difference, with_files=False) if difference else None,
    }


def _finding(finding: GateFinding) -> dict[str, Any]:
    row = finding._asdict()
    row["spot"] = finding.spot._asdict() if finding.spot is not None else None
    row["details"] = list(finding.details)
    return row
