"""A small project, an index of real wheels and the real command: for tests of whole builds."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.elf_builder import (
    DYNAMIC_LOAD,
    NAMES,
    STRTAB,
    SYMTAB,
    Load,
    Unloaded,
    build_library,
)
from support.lpack_runner import Finished, LpackRunner
from support.wheel_builder import build_wheel

# A library with symbols to strip.
LIBRARY = build_library(
    Load(name=".text", content=bytes(range(256)) * 8),
    DYNAMIC_LOAD,
    Unloaded(name=".symtab", content=b"symbols!" * 3000, kind=SYMTAB, align=8, links_to=".strtab"),
    Unloaded(name=".strtab", content=b"name\0" * 4000, kind=STRTAB),
    NAMES,
)

# Files written less than this ago are not trusted to be settled; see `packager.cli.unchanged`.
SETTLING_SECONDS = 0.07


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildWorld:
    """A project in its own folder; the store may be shared with others."""

    project: Path
    index_url: str
    lpack: LpackRunner

    @property
    def zip(self) -> Path:
        """The artifact."""
        return self.project / "dist" / "api.zip"

    @property
    def manifest_path(self) -> Path:
        """The manifest."""
        return self.project / "dist" / "api.lpack.json"

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest's values."""
        values: dict[str, Any] = json.loads(self.manifest_path.read_text(encoding="utf-8"))
        return values

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *arguments: str, **options: Any) -> Finished:
        """Run `lpack build` with the index, whatever comes of it."""
        index = ("--index-url", self.index_url)
        return self.lpack.run("build", *index, *arguments, cwd=self.project, **options)

    def build(self, *arguments: str, **options: Any) -> Finished:
        """Run `lpack build` with the index and demand that it succeeds."""
        done = self.run(*arguments, **options)
        assert done.exit_code == 0, done.explain()
        return done

    def output(self) -> tuple[int, int]:
        """Tell which zip lies there: a rebuild, even to equal bytes, writes another file."""
        status = self.zip.stat()
        return status.st_ino, status.st_mtime_ns

    def settle(self, *arguments: str, exit_code: int = 0, **options: Any) -> Finished:
        """Build until the answer is remembered; returns the last real build."""
        last: Finished | None = None
        for _ in range(5):
            time.sleep(SETTLING_SECONDS)
            before = self.output() if self.zip.exists() else None
            done = self.run(*arguments, **options)
            assert done.exit_code == exit_code, done.explain()
            if last is not None and self.output() == before:
                return last
            last = done
        raise AssertionError("the answer is never remembered")


def make_wheels(folder: Path) -> list[Path]:
    """Build a few distributions: a tree, an SDK the runtime has, a native one, a spread one."""
    return [
        build_wheel(
            folder,
            "alpha",
            "1.0",
            requires=["beta>=1", "gamma", "boto3>=1.30", "six==1.0"],
            files={"alpha/__init__.py": b"VALUE = 1\n" * 400, "alpha/py.typed": b""},
        ),
        build_wheel(folder, "beta", "1.2", requires=["gamma>=2"]),
        build_wheel(
            folder,
            "gamma",
            "2.5",
            files={
                "gamma/__init__.py": b"",
                "gamma/run": b"#!/bin/sh\n",
                "gamma-2.5.data/scripts/gamma": b"#!python\n",
                "gamma-2.5.data/data/share/gamma/größe.txt": b"data\n" * 40,
                "gamma_start.pth": b"import gamma\n",
            },
            executables={"gamma/run"},
        ),
        build_wheel(folder, "boto3", "1.30.5", requires=["botocore"], files={"boto3.py": b"B=1\n"}),
        build_wheel(folder, "botocore", "1.30.5", files={"botocore.py": b"B=1\n"}),
        build_wheel(folder, "delta", "1.0", files={"delta/_native.so": LIBRARY}),
        build_wheel(folder, "six", "1.0", files={"six.py": b"S=1\n"}),
    ]


PYPROJECT = """
[project]
name = "api"
version = "1"
dependencies = ["alpha"]

[tool.lpack]
runtime = "python3.13"
architecture = "x86_64"
requirements = ["requirements.txt"]
source = ["app.py", "pkg"]

[tool.lpack.functions.api]
handler = "app.handler"
"""


def write_project(folder: Path) -> None:
    """Write the project: a handler, a package, requirements, every setting that matters."""
    files = {
        "app.py": "import alpha\n\n\ndef handler(event, context):\n    return 1\n",
        "pkg/__init__.py": "",
        "pkg/helper.py": "HELP = 1\n",
        "pkg/__pycache__/helper.cpython-313.pyc": "x",
        "requirements.txt": "alpha\n",
        "pyproject.toml": PYPROJECT,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
