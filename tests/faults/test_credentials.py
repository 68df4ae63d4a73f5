"""The password of an index gets into nothing that lpack writes or says (threats I10)."""

from pathlib import Path

import pytest
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

SECRET = "s3cr3t-pa/ss@word"  # noqa: S105 -- of a server that lives for one test
FORMS = (b"s3cr3t-pa", b"s3cr3t-pa%2Fss", b"ss@word", b"ss%40word")


@pytest.mark.parametrize("resolver", ["uv", "pip"])
@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_a_password_is_nowhere(
    tmp_path: Path, lpack: LpackRunner, resolver: str, right: bool
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("def handler(event, context):\n    return {}\n")
    (project / "requirements.txt").write_text("beta\n")
    wheel = build_wheel(tmp_path / "wheels", "beta", "1.0")
    auth = ("builder", SECRET if right else "another")
    with IndexServer([wheel], auth=auth) as index:
        done = lpack.run(
            "build", "--runtime", "python3.13", "--resolver", resolver, "--verbose", "--lock",
            "--index-url", index.url_with("builder", SECRET), cwd=project,
        )  # fmt: skip
    assert done.exit_code == (0 if right else 3), done.explain()
    written = [path for top in (project, lpack.home) for path in top.rglob("*") if path.is_file()]
    assert len(written) > (3 if right else 1)
    told = [(path, path.read_bytes()) for path in written]
    told += [(Path("stdout"), done.stdout.encode()), (Path("stderr"), done.stderr.encode())]
    found = [str(path) for path, data in told for form in FORMS if form in data]
    assert found == []


def test_a_lock_that_is_not_utf8_is_told(tmp_path: Path, lpack: LpackRunner) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return {}\n")
    (tmp_path / "pylock.toml").write_bytes(b"\xff\xfe")
    done = lpack.run("build", "-r", "pylock.toml", cwd=tmp_path)
    assert done.exit_code == 2, done.explain()
    assert "pylock.toml` cannot be read: it is not UTF-8" in done.stderr
    assert "Traceback" not in done.stderr
