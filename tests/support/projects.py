"""Reads the end-to-end cases: a project, the wheels it may use, the command, what must come of it.

A case is a folder `tests/cases/projects/NAME/` with `case.toml`:

    argv = ["build", "--index-url", "{index}"]      # {index} and {project} are filled in
    exit = 0
    sizes = true          # false: the figures in the output are not compared
    compare = ["stdout", "stderr", "files"]
    contains = ["alpha"]  # must occur in stderr; for texts that quote another program
    [env]                 # further environment variables
    [[wheels]]            # wheels built for the case's own index
    name = "alpha"
    version = "1.0"
    requires = ["beta>=1"]
    tag = "py3-none-any"
    [wheels.files]
    "alpha/__init__.py" = "VALUE = 1\\n"
    [faults."alpha-1.0-py3-none-any.whl"]   # how the index misbehaves: fields of Fault
    truncate_to = 100

and `project/`, which is copied before the run, and `expected/`, the golden files.
"""

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.fixture_wheels import CHECKOUT
from support.index_files import Fault
from support.wheel_builder import build_wheel

CASES = CHECKOUT / "tests" / "cases" / "projects"
_KEYS = {"argv", "exit", "sizes", "compare", "contains", "env", "wheels", "faults"}
_COMPARED = ("stdout", "stderr", "files")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectCase:
    """One case, as written in its folder."""

    folder: Path
    argv: tuple[str, ...]
    exit_code: int
    sizes: bool
    compare: tuple[str, ...]
    contains: tuple[str, ...]
    env: dict[str, str]
    wheels: tuple[dict[str, Any], ...]
    faults: dict[str, Fault]

    def prepare(self, scratch: Path) -> Path:
        """Copy the project below `scratch` and return the copy."""
        project = scratch / "project"
        source = self.folder / "project"
        if source.is_dir():
            shutil.copytree(source, project)
        else:
            project.mkdir()
        return project

    def build_wheels(self, folder: Path) -> list[Path]:
        """Build the case's wheels into `folder`."""
        folder.mkdir()
        return [_build(folder, dict(table)) for table in self.wheels]


def _build(folder: Path, table: dict[str, Any]) -> Path:
    """Build the wheel that `table` of a case describes."""
    files = {name: text.encode() for name, text in table.pop("files", {}).items()}
    return build_wheel(
        folder, table.pop("name"), table.pop("version"), files=files or None, **table
    )


def read_case(folder: Path) -> ProjectCase:
    """Read the case in `folder`; an unknown key is an error."""
    table = tomllib.loads((folder / "case.toml").read_text())
    unknown = set(table) - _KEYS
    assert not unknown, f"{folder.name}/case.toml: unknown keys {sorted(unknown)}"
    return ProjectCase(
        folder=folder,
        argv=tuple(table["argv"]),
        exit_code=table["exit"],
        sizes=table.get("sizes", True),
        compare=tuple(table.get("compare", _COMPARED)),
        contains=tuple(table.get("contains", ())),
        env=table.get("env", {}),
        wheels=tuple(table.get("wheels", ())),
        faults={name: Fault(**fields) for name, fields in table.get("faults", {}).items()},
    )


def case_folders() -> list[Path]:
    """Every case there is."""
    return sorted(path.parent for path in CASES.glob("*/case.toml"))
