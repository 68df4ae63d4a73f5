"""Which folders are members of a uv workspace."""

from pathlib import Path

import pytest

from packager.errors import UsageError
from packager.inputs.uv_sources import workspace_members

ROOT = """[project]
name = "Top"
version = "1"
[tool.uv.workspace]
members = [{members}]
exclude = ["libs/old"]
"""


def _workspace(folder: Path, members: str) -> Path:
    (folder / "pyproject.toml").write_text(ROOT.format(members=members))
    for name in ("one", "two", "old"):
        (folder / "libs" / name).mkdir(parents=True)
        (folder / "libs" / name / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
    return folder


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ("", {"top"}),
        ('"."', {"top"}),
        ('"./"', {"top"}),
        ('"./."', {"top"}),
        ('"libs/.."', {"top"}),
        ('".", "libs/*"', {"top", "one", "two"}),
        ('"./libs/*/"', {"top", "one", "two"}),
        ('"libs/one/."', {"top", "one"}),
        ('"libs/old"', {"top"}),
        ('"nowhere/*"', {"top"}),
    ],
)
def test_members_are_found(tmp_path: Path, members: str, names: set[str]) -> None:
    assert workspace_members(_workspace(tmp_path, members)).keys() == names


@pytest.mark.parametrize("members", ['""', '"/libs/*"'])
def test_what_is_no_glob_of_folders_is_refused(tmp_path: Path, members: str) -> None:
    with pytest.raises(UsageError, match="is not a glob of folders"):
        workspace_members(_workspace(tmp_path, members))
