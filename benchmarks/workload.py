"""One workload's project, store and contenders."""

import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.fixture_wheels import TARGETS, workload_requirements
from support.lpack_runner import LpackRunner
from timing import Contender, Sample

BIN = Path(sys.executable).parent
FIRST = "first build, only wheels in the store"
RESOLVED = "first build, wheels and resolution in the store"
CHANGED = "one line of the handler changed"
UNCHANGED = "nothing changed"
REFERENCE = "uv pip install --target + zip -9"
START = "python -c 'import click'"
COPY = "cp of the zip"
DIGEST = "hashlib.sha256 of the zip"
_FRESH_PAYLOADS = ("payloads", "dependencies", "pointers")


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
        self.project.mkdir(parents=True)
        requirements = workload_requirements(self.workload, self.target)
        shutil.copy(requirements, self.project / "requirements.txt")
        shutil.copy(requirements.with_name("handler.py"), self.project / "handler.py")
        runtime, architecture = self.target.split("-")
        (self.project / "lpack.toml").write_text(
            f'runtime = "{runtime}"\narchitecture = "{architecture}"\nupload = "s3"\n'
            f'[functions.{self.workload}]\nhandler = "handler.lambda_handler"\n'
        )

    def lpack(self) -> list[str]:
        """The command as a user types it."""
        installed = BIN / "lpack"
        command = [str(installed)] if installed.exists() else [sys.executable, "-m", "packager"]
        return [*command, "build", "--index-url", self.index_url]

    def forget(self, *, keep: Sequence[str]) -> None:
        """Remove what was built, and everything from the store but the kinds in `keep`."""
        shutil.rmtree(self.project / "dist", ignore_errors=True)
        if not self.store.is_dir():
            return
        for kind in self.store.iterdir():
            if kind.is_dir() and kind.name not in keep:
                shutil.rmtree(kind)

    def forget_payloads(self) -> None:
        """Remove what was built and every payload; wheels and resolutions stay."""
        kinds = [kind.name for kind in self.store.iterdir() if kind.is_dir()]
        self.forget(keep=[name for name in kinds if name not in _FRESH_PAYLOADS])

    def change_handler(self) -> None:
        """Change one line of the handler, to something it never was before."""
        handler = self.project / "handler.py"
        kept = [x for x in handler.read_text().splitlines() if not x.startswith("BENCH = ")]
        count = int(hashlib.sha256(handler.read_bytes()).hexdigest()[:12], 16)
        handler.write_text("\n".join([*kept, f"BENCH = {count}"]) + "\n")

    def lpack_contenders(self, *, rounds: int) -> list[Contender]:
        """The ways a user meets lpack, by name."""
        few = max(1, rounds // 2)
        return [
            self._lpack(FIRST, lambda: self.forget(keep=("wheels",)), few),
            self._lpack(RESOLVED, self.forget_payloads, few),
            self._lpack(CHANGED, self.change_handler, rounds),
            self._lpack(UNCHANGED, self.settle, rounds),
        ]

    def settle(self) -> None:
        """Build what is there now, a moment after it was written: dates alone cannot mislead."""
        time.sleep(0.2)
        self._lpack(UNCHANGED, lambda: None, 1).run_once(keep=False)

    def _lpack(self, name: str, prepare: Callable[[], None], rounds: int) -> Contender:
        """A run of lpack; a passed limit (1) is an answer like any other."""
        return Contender(
            name=name,
            commands=[self.lpack()],
            cwd=self.project,
            env=self.runner.environment(),
            prepare=prepare,
            rounds=rounds,
            exit_codes=(0, 1),
        )

    def cold(self) -> Sample:
        """The very first build, with an empty store; to be called once, before the others."""
        return self._lpack("empty store", lambda: None, 1).run_once(keep=True)

    def reference(self, *, rounds: int) -> Contender:
        """`uv pip install --target` and `zip -9` on the same lock, uv's cache filled."""
        target = TARGETS[self.target]
        folder = self.folder / "uv-target"
        # uv has no manylinux_2_26; the index offers nothing newer than the runtime takes anyway.
        platform = f"{target.machine}-manylinux_2_{max(target.glibc_minor, 28)}"
        install = [str(BIN / "uv"), "pip", "install", "--quiet", "--no-config", "--no-deps"]
        install += ["--python", sys.executable, "--python-version", target.python]
        install += ["--python-platform", platform, "--only-binary", ":all:"]
        install += ["--default-index", self.index_url, "--target", str(folder)]
        install += ["-r", str(self.project / "requirements.txt")]
        copy = ["cp", str(self.project / "handler.py"), str(folder)]
        pack = ["sh", "-c", 'cd "$0" && zip -9 -q -r -X ../uv.zip .', str(folder)]

        def clean() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            self.reference_zip.unlink(missing_ok=True)

        return Contender(
            name=REFERENCE,
            commands=[install, copy, pack],
            env=self.runner.environment(),
            prepare=clean,
            rounds=rounds,
        )

    @property
    def reference_zip(self) -> Path:
        """The zip that the reference makes."""
        return self.folder / "uv.zip"

    def floor(self, *, rounds: int) -> list[Contender]:
        """What nobody can do without: start Python, write the zip, take its digest."""
        copied = self.folder / "copy.zip"

        def remove_copy() -> None:
            copied.unlink(missing_ok=True)

        def digest() -> str:
            with self.artifact.open("rb") as artifact:
                return hashlib.file_digest(artifact, "sha256").hexdigest()

        return [
            Contender(
                name=START,
                commands=[[sys.executable, "-c", "import click"]],
                env=self.runner.environment(),
                rounds=rounds,
            ),
            Contender(
                name=COPY,
                commands=[["cp", str(self.artifact), str(copied)]],
                prepare=remove_copy,
                rounds=rounds,
            ),
            Contender(name=DIGEST, call=digest, rounds=rounds),
        ]
