"""A pull request that grows the artifact through a transitive edge, in every format."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from support.fixture_wheels import CHECKOUT
from support.golden import check_golden, normalize
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.pull_request import (
    HEAVY_BYTES,
    REQUIREMENT_LINE,
    PullRequest,
    make_pull_request_wheels,
    open_pull_request,
)

EXPECTED = CHECKOUT / "tests" / "cases" / "gate" / "pull-request" / "expected"
FORMATS = ("text", "json", "markdown", "github", "gitlab", "openmetrics")


@pytest.fixture(scope="module")
def request_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    wheels = make_pull_request_wheels(tmp_path_factory.mktemp("pr-wheels"))
    with IndexServer([wheels]) as index:
        yield index


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory, request_index: IndexServer) -> PullRequest:
    folder = tmp_path_factory.mktemp("pr")
    return open_pull_request(folder, LpackRunner(home=folder / "home"), request_index)


def _said(change: PullRequest, text: str) -> str:
    names = {str(change.baseline): "<BASELINE>", str(change.project): "<PROJECT>"}
    return normalize(text, names=names, sizes=True)


@pytest.mark.parametrize("output_format", FORMATS)
def test_the_check_fails_and_says_why(
    change: PullRequest, output_format: str, update_golden: bool
) -> None:
    done = change.run(
        "check", "--baseline", str(change.baseline), "--output-format", output_format,
        "--base", "main",
    )  # fmt: skip
    assert done.exit_code == 1, done.explain()
    assert done.stderr == ""
    check_golden(
        EXPECTED / f"check.{output_format}", _said(change, done.stdout), update=update_golden
    )


@pytest.mark.parametrize("output_format", ["text", "json", "markdown"])
def test_the_difference_in_every_format(
    change: PullRequest, output_format: str, update_golden: bool
) -> None:
    done = change.run("diff", str(change.baseline), "dist", "--output-format", output_format)
    assert done.exit_code == 0, done.explain()
    check_golden(
        EXPECTED / f"diff.{output_format}", _said(change, done.stdout), update=update_golden
    )


def test_one_line_names_the_edge_and_the_annotation_is_on_the_requirement(
    change: PullRequest,
) -> None:
    done = change.run("check", "--baseline", str(change.baseline), "--output-format", "github")
    annotations = re.findall(
        r"^::error title=(.*?),file=(.*?),line=(\d+)::(.*)$", done.stdout, re.MULTILINE
    )
    titles = [title for title, *_ in annotations]
    assert titles == ["lpack LP301 orders", "lpack LP302 orders"]
    assert {(file, int(line)) for _, file, line, _ in annotations} == {
        ("pyproject.toml", REQUIREMENT_LINE)
    }
    written = (change.project / "pyproject.toml").read_text().splitlines()[REQUIREMENT_LINE - 1]
    assert '"filestore>=2"' in written
    [edge] = [line for line in annotations[0][3].split("%0A") if "objectcore 1.41.0 new" in line]
    assert edge.endswith(
        f"required by filestore (pyproject.toml:{REQUIREMENT_LINE}, was `filestore<2,>=1`) → "
        "aioobjects → objectcore; filestore 2.0 requires `aioobjects>=2`, a new edge"
    )
    assert edge.startswith(f"+{HEAVY_BYTES / 2**20:.1f} MiB: ")


@pytest.mark.parametrize(("command", "schema"), [("check", "check"), ("diff", "diff")])
def test_json_follows_the_published_schema(change: PullRequest, command: str, schema: str) -> None:
    arguments = ["--baseline", str(change.baseline)]
    if command == "diff":
        arguments = [str(change.baseline), "dist"]
    done = change.run(command, *arguments, "--output-format", "json")
    path = CHECKOUT / "packager" / "report" / f"{schema}.schema.json"
    rules = json.loads(path.read_text())
    Draft202012Validator.check_schema(rules)
    document: dict[str, Any] = json.loads(done.stdout)
    Draft202012Validator(rules).validate(document)


def test_reports_are_written_before_it_fails(change: PullRequest, tmp_path: Path) -> None:
    arguments = [f"--report={name}={tmp_path / name}" for name in FORMATS]
    done = change.run("check", "--baseline", str(change.baseline), *arguments)
    assert done.exit_code == 1, done.explain()
    for name in FORMATS:
        check_golden(
            EXPECTED / f"check.{name}", _said(change, (tmp_path / name).read_text()), update=False
        )


def test_exit_zero_tells_and_does_not_fail(change: PullRequest) -> None:
    done = change.run("check", "--baseline", str(change.baseline), "--exit-zero")
    assert done.exit_code == 0
    assert "FAIL orders" in done.stdout


def test_no_baseline_is_a_notice(change: PullRequest) -> None:
    done = change.run("check", "--baseline", "nowhere.json")
    assert done.exit_code == 0, done.explain()
    assert "LP304 there is no baseline `nowhere.json`" in done.stdout


def test_step_summary_and_outputs_are_appended(change: PullRequest, tmp_path: Path) -> None:
    summary, outputs = tmp_path / "summary.md", tmp_path / "outputs"
    summary.write_text("# before\n")
    env = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)}
    done = change.run("check", "--baseline", str(change.baseline), env=env)
    assert done.exit_code == 1
    check_golden(EXPECTED / "check.text", _said(change, done.stdout), update=False)
    appended = summary.read_text().removeprefix("# before\n")
    check_golden(EXPECTED / "check.markdown", _said(change, appended), update=False)
    assert "failed=true\n" in outputs.read_text()
    assert "errors=2\n" in outputs.read_text()


def test_paths_are_seen_from_the_root_of_the_repository(change: PullRequest) -> None:
    done = change.run(
        "check", "--baseline", str(change.baseline), "--output-format", "github",
        env={"GITHUB_WORKSPACE": str(change.project.parent)},
    )  # fmt: skip
    assert f"file=project/pyproject.toml,line={REQUIREMENT_LINE}::" in done.stdout


def test_equal_artifacts_do_not_differ(change: PullRequest) -> None:
    done = change.run("diff", "dist/orders.zip", "dist/orders.lpack.json")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1].strip() == "nothing changed"


def test_the_base_branch_is_named_by_what_runs_the_checks(
    change: PullRequest, tmp_path: Path
) -> None:
    """On GitHub the target branch is in the environment; its commit is the merge base here."""
    change.git("update-ref", "refs/remotes/origin/main", "main")
    done = change.run("check", "--baseline", str(change.baseline), env={"GITHUB_BASE_REF": "main"})
    assert "LP305" not in done.stdout
    document = json.loads(change.baseline.read_text())
    document["git"]["commit"] = change.git("rev-parse", "HEAD^{tree}")
    (tmp_path / "strange.json").write_text(json.dumps(document))
    done = change.run("check", "--baseline", str(tmp_path / "strange.json"))
    assert "LP308" in done.stdout
