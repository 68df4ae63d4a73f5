"""One workload's project and store: what every measurement starts from."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.fixture_wheels import workload_requirements
from support.lpack_runner import LpackRunner
from timing import Contender, Sample

BIN = Path(sys.executable).parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A copy of a workload in a scratch folder, with the pinned lock as its requirements."""

    workload: str
    target: str
    index_url: str
    folder: Path

    @property
    def project(self) -> Path:
        """The project folder."""
        return self.folder / "project"

    @property
    def runner(self) -> LpackRunner:
        """lpack with a home of its own."""
        return LpackRunner(home=self.folder / "home")

    @property
    def artifact(self) -> Path:
        """The zip that lpack builds."""
        return self.project / "dist" / f"{self.workload}.zip"

    @property
    def store(self) -> Path:
        """The store's own folder; the last part is the version of its layout."""
        return self.runner.store / "v1"

    def set_up(self) -> None:
        """Write the project."""
        self.project.mkdir(parents=True, exist_ok=True)
        requirements = workload_requirements(self.workload, self.target)
        shutil.copy(requirements, self.project / "requirements.txt")
        shutil.copy(requirements.with_name("handler.py"), self.project / "handler.py")
        self.write_configuration("lpack.toml")

    def write_configuration(self, name: str, settings: str = "") -> Path:
        """Write a configuration file with further `settings`, lines of TOML."""
        runtime, architecture = self.target.split("-")
        path = self.project / name
        path.write_text(
            f'runtime = "{runtime}"\narchitecture = "{architecture}"\nupload = "s3"\n{settings}'
            f'[functions.{self.workload}]\nhandler = "handler.lambda_handler"\n'
        )
        return path

    def copy_to(self, folder: Path) -> "Bench":
        """Set up the workload anew in `folder`, with a store that shares this one's files.

        Links suffice: the store replaces its files and never writes into one.
        """
        other = Bench(
            workload=self.workload, target=self.target, index_url=self.index_url, folder=folder
        )
        other.set_up()
        shutil.copytree(self.runner.home, other.runner.home, copy_function=os.link)
        return other

    def command(self, verb: str) -> list[str]:
        """The command as a user types it, on the benchmark's own index."""
        installed = BIN / "lpack"
        start = [str(installed)] if installed.exists() else [sys.executable, "-m", "packager"]
        return [*start, verb, "--index-url", self.index_url]

    def lpack(self, name: str, *options: str, verb: str = "build", rounds: int = 1) -> Contender:
        """A run of lpack in the project; a passed limit (1) is an answer of a build's."""
        return Contender(
            name=name,
            commands=[[*self.command(verb), *options]],
            cwd=self.project,
            env=self.runner.environment(),
            rounds=rounds,
            exit_codes=(0, 1) if verb == "build" else (0,),
        )

    def build(self, *options: str) -> Sample:
        """Build once, with what the store holds."""
        return self.lpack("build", *options).run_once(keep=False)

    def manifest(self, folder: str = "dist") -> dict[str, Any]:
        """The manifest that lies beside the zip in `folder`."""
        text = (self.project / folder / f"{self.workload}.lpack.json").read_text()
        manifest: dict[str, Any] = json.loads(text)
        return manifest

    def forget(self, *, keep: Sequence[str]) -> None:
        """Remove what was built, and everything from the store but the kinds in `keep`."""
        shutil.rmtree(self.project / "dist", ignore_errors=True)
        for kind in self.store.iterdir():
            if kind.is_dir() and kind.name not in keep:
                shutil.rmtree(kind)

    def change_handler(self) -> None:
        """Change one line of the handler, to something it never was before."""
        handler = self.project / "handler.py"
        kept = [x for x in handler.read_text().splitlines() if not x.startswith("BENCH = ")]
        count = int(hashlib.sha256(handler.read_bytes()).hexdigest()[:12], 16)
        handler.write_text("\n".join([*kept, f"BENCH = {count}"]) + "\n")
