"""What machines read of a verdict: within their limits, escaped, stable."""

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from support.manifests import manifest, shipped

from packager.gate.difference import difference_of
from packager.model.finding_code import Level
from packager.model.verdict import GateFinding, Rule, Spot, Verdict
from packager.report.gate_markdown import render_check_markdown
from packager.report.gate_text import render_verdicts
from packager.report.github import render_annotations, render_outputs, step_outputs
from packager.report.gitlab import fingerprint, render_code_quality
from packager.report.markdown_text import MARK
from packager.report.openmetrics import render_openmetrics


def _finding(
    number: int = 0, *, level: Level = "error", message: str = "is too much", **facts: object
) -> GateFinding:
    return GateFinding(
        code="LP203", name="budget-distribution", level=level, message=message,
        subject=str(number), **facts,  # type: ignore[arg-type]  # passed through
    )  # fmt: skip


def _verdict(function: str, *findings: GateFinding) -> Verdict:
    return Verdict(
        function=function,
        artifact=f"dist/{function}.zip",
        entries=3,
        compressed_bytes=1000,
        uncompressed_bytes=3000,
        rules=(Rule("budget:zip", "budget, zipped", "bytes", 1000, 2000, True),),
        findings=findings,
    )


def _parsed(text: str) -> list[Any]:
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]  # theirs


def _annotations(text: str, kind: str) -> list[str]:
    return re.findall(rf"^::{kind} (.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("count", [1, 9, 10, 11, 60])
def test_github_shows_ten_of_a_type_and_the_last_counts_the_rest(count: int) -> None:
    text = render_annotations([_verdict("api", *map(_finding, range(count)))])
    shown = _annotations(text, "error")
    assert len(shown) == min(count, 10)
    if count > 10:
        assert shown[-1].endswith(f"::and {count - 9} more; the step summary has all of them")
    assert text.splitlines()[-1].startswith("1 of 1 failed")


def test_every_function_gets_its_worst_before_any_gets_a_second() -> None:
    verdicts = [_verdict(f"f{n}", *map(_finding, range(5))) for n in range(4)]
    shown = _annotations(render_annotations(verdicts), "error")
    titles = [line.split("::")[0].removeprefix("title=lpack LP203 ") for line in shown[:9]]
    assert titles == ["f0", "f1", "f2", "f3", "f0", "f1", "f2", "f3", "f0"]


def test_levels_are_types_of_their_own() -> None:
    levels: tuple[Level, ...] = ("note", "warning", "error")
    found = [_finding(level=level) for level in levels]
    text = render_annotations([_verdict("api", *found)])
    kinds = [line.split(" ")[0] for line in text.splitlines()[:3]]
    assert kinds == ["::error", "::warning", "::notice"]


def test_what_ends_a_command_is_escaped() -> None:
    finding = _finding(
        message="50 % of a\nb\r::error::c", spot=Spot("odd,na:me%.toml", 3), details=("x\ny",)
    )
    [line] = _annotations(render_annotations([_verdict("api", finding)], prefix="sub/"), "error")
    properties, _, data = line.partition("::")
    assert properties == "title=lpack LP203 api,file=sub/odd%2Cna%3Ame%25.toml,line=3"
    assert unquote(data) == "dist/api.zip 50 % of a\nb\r::error::c\nx\ny"
    assert "\n" not in data


def test_outputs_of_a_step() -> None:
    verdicts = [_verdict("a", _finding()), _verdict("b")]
    text = render_outputs(step_outputs(verdicts), delimiter="END")
    assert "failed=true\n" in text
    assert "artifacts<<END\ndist/a.zip\ndist/b.zip\nEND\n" in text
    assert "compressed-bytes=1000\n" in render_outputs(step_outputs(verdicts[:1]), delimiter="E")


def test_gitlab_gets_what_its_documentation_asks_for() -> None:
    verdict = _verdict("api", _finding(1), _finding(2, spot=Spot("pyproject.toml", 7)))
    rows = json.loads(render_code_quality([verdict, _verdict("b", _finding(1))], prefix="sub/"))
    for row in rows:
        assert {"description", "check_name", "fingerprint", "severity", "location"} <= row.keys()
        assert row["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert isinstance(row["location"]["lines"]["begin"], int)
    assert rows[1]["location"] == {"path": "sub/pyproject.toml", "lines": {"begin": 7}}
    assert len({row["fingerprint"] for row in rows}) == 3


def test_a_fingerprint_outlives_figures_and_lines() -> None:
    later = _finding(1, message="is even more", spot=Spot("pyproject.toml", 9), measured=7)
    assert fingerprint("api", _finding(1)) == fingerprint("api", later)


def test_openmetrics_is_what_its_parser_reads() -> None:
    old, new = manifest(shipped("a")), manifest(shipped("a", compressed=150))
    difference = difference_of(old, new, old_label="o", new_label="n")
    verdict = _verdict('odd"\\name', _finding())._replace(difference=difference)
    families = {
        family.name: family.samples
        for family in _parsed(render_openmetrics([verdict, _verdict("b")]))
    }
    zipped = families["lpack_artifact_zipped_bytes"]
    assert [(s.labels["function"], s.value) for s in zipped] == [('odd"\\name', 1000), ("b", 1000)]
    assert [s.value for s in families["lpack_distribution_growth_bytes"]] == [50]
    counts = {s.labels["level"]: s.value for s in families["lpack_artifact_findings"][:3]}
    assert counts == {"error": 1, "warning": 0, "note": 0}


def test_markdown_is_marked_and_fits_into_a_comment() -> None:
    verdicts = [_verdict(f"f{n}", *(_finding(i) for i in range(99))) for n in range(90)]
    text = render_check_markdown(verdicts)
    assert text.startswith(f"{MARK}\n")
    assert 40_000 < len(text) < 65_536
    assert text.endswith("prints all of it._\n")
    assert text.count("<details>") == text.count("</details>")


def test_markdown_keeps_code_and_escapes_the_rest() -> None:
    finding = _finding(message="a|b <i> *x* `c|d>=1`", details=("_under_",))
    text = render_check_markdown([_verdict("api", finding)])
    assert r"a\|b \<i\> \*x\* `c\|d>=1`" in text
    assert r"  - \_under\_" in text


def test_text_stays_within_a_hundred_columns() -> None:
    finding = _finding(message="word " * 60, details=("detail " * 60,), hint="hint " * 60)
    text = render_verdicts([_verdict("api", finding)])
    assert max(map(len, text.splitlines())) <= 100
    assert "PASS" not in text


def test_quiet_text_is_errors_and_the_sum() -> None:
    verdicts = [_verdict("good"), _verdict("bad", _finding(), _finding(1, level="note"))]
    assert render_verdicts(verdicts, quiet=True).splitlines() == [
        "FAIL bad  dist/bad.zip",
        "  error   LP203 is too much",
        "1 of 2 failed: 1 error, 1 note",
    ]
