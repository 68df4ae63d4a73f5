"""A cooldown: what the index got too recently is not taken, whichever resolver is asked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.index_server import IndexServer
from support.lpack_runner import Finished, LpackRunner
from support.wheel_builder import build_wheel


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text("def handler(event, context):\n    return {}\n")
    (folder / "requirements.txt").write_text("beta\n")
    return folder


@pytest.mark.parametrize("resolver", ["uv", "pip"])
def test_versions_that_are_too_young_wait(
    tmp_path: Path, project: Path, lpack: LpackRunner, resolver: str
) -> None:
    wheels = [build_wheel(tmp_path / "wheels", "beta", version) for version in ("1.0", "2.0")]
    with IndexServer(wheels) as index:
        index.uploaded[wheels[1].name] = (datetime.now(UTC) - timedelta(days=2)).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )

        def build(*arguments: str) -> Finished:
            return lpack.run(
                "build", "--runtime", "python3.13", "--index-url", index.url,
                "--resolver", resolver, *arguments, cwd=project,
            )  # fmt: skip

        for arguments, version in (((), "2.0"), (("--exclude-newer", "7d"), "1.0"),
                                   (("--exclude-newer", "1d"), "2.0")):  # fmt: skip
            done = build(*arguments)
            assert done.exit_code == 0, done.explain()
            assert f"beta {version}" in " ".join(done.stdout.split()), done.explain()
        done = build("--exclude-newer", "2019-01-01")
        assert done.exit_code == 3, done.explain()
        assert "Traceback" not in done.stderr


def test_what_is_no_moment_is_a_usage_error(project: Path, lpack: LpackRunner) -> None:
    done = lpack.run("build", "--exclude-newer", "recently", cwd=project)
    assert done.exit_code == 2, done.explain()
    assert "`--exclude-newer`" in done.stderr
    (project / "lpack.toml").write_text('exclude-newer = "recently"\n')
    done = lpack.run("build", cwd=project)
    assert done.exit_code == 2, done.explain()
    assert "`exclude-newer`" in done.stderr
    assert "Traceback" not in done.stderr
