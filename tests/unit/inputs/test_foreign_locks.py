"""Locks that uv, Poetry and Pipenv themselves wrote (`tests/cases/inputs/locks`).

All three were written for the same wheels: alpha 1.0 and 2.0, beta 1.5 (needs alpha, gamma below
Python 3.12, delta with the extra `fast`), and devtool in a development group.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
from support.functions import make_function
from support.wheel_builder import build_wheel

from packager.errors import UsageError
from packager.inputs.requirements import read_requirements
from packager.lock.backend import find_uv
from packager.model.requirement import Declared, RequirementSet

CASES = Path(__file__).parents[2] / "cases" / "inputs" / "locks"
ALPHA_1 = "bfdfddf1966b47ccee985c46ab8b6ed83923b04a4e225c981dfe5d16f05d2220"


VCS = "comes from a version control system, whose files no hash can name"
BUILD = "build a wheel of it (`pip wheel --no-deps URL -w wheels`) and name that file"


def copied(tool: str, tmp_path: Path) -> Path:
    return shutil.copytree(CASES / tool, tmp_path / tool)


def texts(requirements: tuple[Declared, ...]) -> list[str]:
    return [str(each.requirement) for each in requirements]


def read(root: Path, *references: str) -> RequirementSet:
    return read_requirements(make_function(root, references))


def test_poetry(tmp_path: Path) -> None:
    root = copied("poetry", tmp_path)
    found = read(root, "poetry.lock")
    assert texts(found.declared) == [
        'alpha<1.1,>=1.0; python_version < "3.12"',
        'alpha<3.0,>=2.0; python_version >= "3.12"',
        "beta[fast]<2.0,>=1.5",
    ]
    assert texts(found.constraints) == [
        'alpha==1.0; python_version == "3.11"',
        'alpha==2.0; python_version >= "3.12"',
        "beta==1.5",
        "delta==4.0",
        "devtool==9.0",
        "gamma==0.3",
    ]
    assert [project.path for project in found.local_projects] == [root / "lib"]
    assert found.hashes["alpha", "1.0"] == {ALPHA_1}
    assert found.require_hashes
    assert found.indexes.index_url is not None
    assert found.indexes.index_url.startswith("http://127.0.0.1:")


def test_poetry_with_a_group(tmp_path: Path) -> None:
    found = read(copied("poetry", tmp_path), "poetry.lock", "project", "group:dev")
    assert texts(found.declared)[-1] == "devtool"


def test_pipenv(tmp_path: Path) -> None:
    found = read(copied("pipenv", tmp_path), "Pipfile.lock")
    assert texts(found.declared) == ["alpha<2", "beta[fast]>=1.5"]
    assert texts(found.constraints) == ["alpha==1.0", "beta==1.5", "delta==4.0", "gamma==0.3"]
    assert found.hashes["alpha", "1.0"] == {ALPHA_1}
    assert found.require_hashes
    assert found.roots_known


def test_pipenv_with_its_development_packages(tmp_path: Path) -> None:
    found = read(copied("pipenv", tmp_path), "Pipfile.lock", "group:dev")
    assert texts(found.declared)[-1] == "devtool"
    assert texts(found.constraints)[-1] == "devtool==9.0"


def test_pipenv_without_a_pipfile(tmp_path: Path) -> None:
    root = copied("pipenv", tmp_path)
    (root / "Pipfile").unlink()
    found = read(root, "Pipfile.lock")
    assert not found.roots_known
    assert texts(found.declared) == ["alpha==1.0", "beta==1.5", "delta==4.0", "gamma==0.3"]


def test_uv(tmp_path: Path) -> None:
    root = copied("uv", tmp_path)
    found = read(root, "uv.lock")
    assert texts(found.declared) == [
        'alpha<2; python_version < "3.12"',
        'alpha>=2; python_version >= "3.12"',
        "beta[fast]",
    ]
    assert texts(found.constraints) == [
        'alpha==1.0; python_full_version < "3.12"',
        'alpha==2.0; python_full_version >= "3.12"',
        "beta==1.5",
        "delta==4.0",
        "devtool==9.0",
        "gamma==0.3",
    ]
    assert [project.path for project in found.local_projects] == [root / "packages" / "lib"]
    assert found.hashes["alpha", "1.0"] == {ALPHA_1}
    assert found.require_hashes
    assert found.files[0] == root / "uv.lock"


def test_uv_for_a_member_of_the_workspace(tmp_path: Path) -> None:
    root = copied("uv", tmp_path)
    found = read(root / "packages" / "lib", "../../uv.lock")
    assert texts(found.declared) == ["gamma"]
    assert found.local_projects == ()


@pytest.mark.parametrize(
    ("tool", "lock", "change", "message", "hint"),
    [
        (
            "uv",
            "uv.lock",
            ("pyproject.toml", '"mylib"]', '"mylib", "epsilon>=1"]'),
            (
                "`uv.lock` is stale: it does not hold `epsilon>=1` (asked for in pyproject.toml "
                "(project.dependencies))"
            ),
            "uv lock",
        ),
        (
            "uv",
            "uv.lock",
            ("pyproject.toml", '"beta[fast]"', '"beta[fast]>=1.6"'),
            (
                "`uv.lock` is stale: `beta[fast]>=1.6` does not admit the locked 1.5 (asked for in "
                "pyproject.toml (project.dependencies))"
            ),
            "uv lock",
        ),
        (
            "poetry",
            "poetry.lock",
            ("pyproject.toml", '"^1.5"', '"^1.6"'),
            (
                "`poetry.lock` is stale: `beta[fast]<2.0,>=1.6` does not admit the locked 1.5 "
                "(asked for in pyproject.toml (tool.poetry.dependencies.beta))"
            ),
            "poetry lock",
        ),
        (
            "pipenv",
            "Pipfile.lock",
            ("Pipfile", '"<2"', '">=2"'),
            (
                "`Pipfile.lock` is stale: `alpha>=2` does not admit the locked 1.0 (asked for in "
                "Pipfile (packages.alpha))"
            ),
            "pipenv lock",
        ),
        (
            "uv",
            "uv.lock",
            (
                "uv.lock",
                'name = "delta"\nversion = "4.0"\nsource = { registry = ',
                'name = "delta"\nversion = "4.0"\nsource = { git = ',
            ),
            f"`uv.lock`: `delta` {VCS}",
            BUILD,
        ),
        (
            "poetry",
            "poetry.lock",
            ("poetry.lock", '[package.source]\ntype = "legacy"', '[package.source]\ntype = "git"'),
            f"`poetry.lock`: `alpha` {VCS}",
            BUILD,
        ),
        (
            "uv",
            "uv.lock",
            ("uv.lock", "version = 1\n", "version = 2\n"),
            "`uv.lock` is of version 2 of uv's format, lpack reads 1",
            "uv export --format pylock.toml -o pylock.toml, then name that file",
        ),
        (
            "uv",
            "uv.lock",
            ("uv.lock", "\"python_full_version >= '3.12'\"", "\"extra == 'extra-3-api-cpu'\""),
            (
                "`uv.lock` holds several versions of `alpha` for extras or groups that exclude "
                "each other"
            ),
            "uv export --format pylock.toml -o pylock.toml, then name that file",
        ),
        (
            "pipenv",
            "Pipfile.lock",
            ("Pipfile.lock", '"==1.5"', '">=1.5"'),
            "`Pipfile.lock`: `beta` has no exact version",
            "pipenv lock",
        ),
    ],
)
def test_refuses(
    tool: str, lock: str, change: tuple[str, str, str], message: str, hint: str, tmp_path: Path
) -> None:
    root = copied(tool, tmp_path)
    name, old, new = change
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new))
    with pytest.raises(UsageError) as caught:
        read(root, lock)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_git_in_a_development_group_does_not_matter(tmp_path: Path) -> None:
    root = copied("uv", tmp_path)
    text = (root / "uv.lock").read_text()
    old = 'name = "devtool"\nversion = "9.0"\nsource = { registry'
    assert old in text
    (root / "uv.lock").write_text(text.replace(old, old.replace("registry", "git")))
    assert "devtool==9.0" not in texts(read(root, "uv.lock").constraints)
    with pytest.raises(UsageError, match="devtool"):
        read(root, "uv.lock", "project", "group:dev")


def test_a_lock_that_this_uv_writes(tmp_path: Path) -> None:
    """The recorded lock is of one uv; this one is of the uv at hand, over a folder of wheels."""
    uv = find_uv()
    if uv is None:
        pytest.skip("uv is not installed")
    root = tmp_path / "project"
    wheels = root / "wheels"
    wheels.mkdir(parents=True)
    for version in ("1.0", "2.0"):
        build_wheel(wheels, "alpha", version)
    build_wheel(wheels, "beta", "1.5", requires=["alpha>=1"])
    (root / "pyproject.toml").write_text(
        '[project]\nname = "api"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["beta", "never; python_version < \'3\'"]\n'
        "[tool.uv]\nno-index = true\nfind-links = ['wheels']\n"
    )
    done = subprocess.run(
        [uv, "lock", "--offline", "--quiet"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = read(root, "uv.lock")
    assert texts(found.constraints) == ["alpha==2.0", "beta==1.5"]
    assert found.indexes.find_links == (str(wheels),)
    # uv writes no hashes for a folder of wheels, so that there is nothing to hold files against.
    assert (found.hashes, found.require_hashes) == ({}, False)
