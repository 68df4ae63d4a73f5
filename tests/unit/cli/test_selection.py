"""Which functions a change touches, and which share of a matrix they are in."""

import subprocess
from pathlib import Path

import pytest
from support.build_world import BuildWorld

from packager.cli.selection import shard_of
from packager.errors import UsageError
from packager.model.project import Function

CONFIGURATION = """
[project]
name = "shop"
dependencies = ["beta"]

[tool.lpack]
runtime = "python3.13"
architecture = "x86_64"

[tool.lpack.functions.api]
handler = "api.handler"
source = ["api.py", "shared"]
requirements = ["project"]

[tool.lpack.functions.worker]
handler = "worker.handler"
source = ["worker.py", "shared"]
requirements = ["worker.txt"]

[tool.lpack.functions.lone]
handler = "lone.handler"
source = ["lone.py"]
requirements = ["worker.txt"]
"""
ALL = {"api", "worker", "lone"}
HANDLER = "def handler(event, context):\n    return 1\n"


def git(world: BuildWorld, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", *identity, *arguments]
    subprocess.run(command, cwd=world.project, check=True, capture_output=True)


@pytest.fixture
def shop(world: BuildWorld) -> BuildWorld:
    world.write("pyproject.toml", CONFIGURATION)
    for name in ("api.py", "worker.py", "lone.py"):
        world.write(name, HANDLER)
    world.write("shared/helper.py", "X = 1\n")
    world.write("worker.txt", "-r more.txt\n")
    world.write("more.txt", "gamma\n")
    world.write(".gitignore", "dist/\n")
    git(world, "init", "-q")
    git(world, "add", "-A")
    git(world, "commit", "-qm", "all")
    world.build()
    return world


def built(world: BuildWorld, *arguments: str) -> set[str]:
    """Remove what was built, and tell what the run builds."""
    for path in (world.project / "dist").glob("*.zip"):
        path.unlink()
    world.build(*arguments)
    return {path.stem for path in (world.project / "dist").glob("*.zip")}


@pytest.mark.parametrize(
    ("name", "text", "touched"),
    [
        ("README.md", "read me", set()),
        ("api.py", HANDLER + "X = 2\n", {"api"}),
        ("shared/helper.py", "X = 2\n", {"api", "worker"}),
        ("shared/new.py", "X = 2\n", {"api", "worker"}),
        ("worker.txt", "alpha\n", {"worker", "lone"}),
        # Named by another requirements file: known from the build before.
        ("more.txt", "beta\n", {"worker", "lone"}),
        ("pyproject.toml", CONFIGURATION + "[tool.ruff]\nline-length = 3\n", set()),
        ("pyproject.toml", CONFIGURATION + 'slim = "off"\n', {"lone"}),
        ("pyproject.toml", CONFIGURATION.replace("x86_64", "arm64"), {"api", "worker", "lone"}),
        (
            "pyproject.toml",
            CONFIGURATION.replace('["beta"]', '["gamma"]'),
            {"api", "worker", "lone"},
        ),
    ],
)
def test_what_a_change_touches(shop: BuildWorld, name: str, text: str, touched: set[str]) -> None:
    shop.write(name, text)
    assert built(shop, "--changed-since", "HEAD") == touched
    git(shop, "add", "-A")
    git(shop, "commit", "-qm", "more")
    assert built(shop, "--changed-since", "HEAD~1") == touched
    assert built(shop, "--changed-since", "HEAD") == set()


def test_what_git_cannot_tell(shop: BuildWorld) -> None:
    done = shop.run("--changed-since", "nowhere")
    assert done.exit_code == 2, done.explain()
    assert "git cannot tell what changed" in done.stderr
    done = shop.run("--changed-since", "--output=/tmp/x")
    assert done.exit_code == 2, done.explain()


def test_shares_are_disjoint_complete_and_stable(shop: BuildWorld) -> None:
    shares = [built(shop, "--all", "--shard", f"{number}/3") for number in (1, 2, 3)]
    assert set.union(*shares) == {"api", "worker", "lone"}
    assert sum(map(len, shares)) == 3


def named(name: str) -> Function:
    return Function(
        name=name,
        root=Path("/"),
        handler="a.b",
        runtime="python3.13",
        architecture="arm64",
        kind="lambda",
        sources=(),
        requirements=(),
    )


def test_a_function_stays_in_its_share_when_others_come_and_go() -> None:
    many = [named(f"f{number}") for number in range(300)]
    shares = [shard_of(many, f"{number}/10") for number in range(1, 11)]
    assert sorted(each.name for share in shares for each in share) == sorted(f.name for f in many)
    assert max(map(len, shares)) < 60
    assert shard_of(many[::2], "3/10") == tuple(each for each in shares[2] if each in many[::2])


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "-1/3", "a/b", "1/3/5"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(UsageError, match="no share"):
        shard_of([named("a")], text)


def test_all_and_a_name_contradict(shop: BuildWorld) -> None:
    done = shop.run("--all", "api")
    assert done.exit_code == 2, done.explain()
