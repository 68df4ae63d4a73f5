"""Machines that share a store: each with a home, a project folder and a local store of its own."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.index_server import IndexServer
from support.lpack_runner import Finished, LpackRunner
from support.wheel_builder import build_wheel

_HANDLER = "import beta\n\n\ndef handler(event, context):\n    return {'beta': beta.VALUE}\n"


def make_wheels(folder: Path, *, alpha: str = "2.0") -> list[Path]:
    """Three wheels: `beta` requires `alpha`, and `gamma` has files that slimming drops."""
    text = b"".join(
        b"WORD_%d = %r\n" % (n, hashlib.sha256(b"%d" % n).hexdigest()) for n in range(400)
    )
    return [
        build_wheel(folder, "alpha", alpha, files={"alpha/__init__.py": text}),
        build_wheel(folder, "beta", "1.0", requires=["alpha>=1"]),
        build_wheel(
            folder, "Gamma", "1.0", files={"gamma/__init__.py": b"", "gamma/a.pyi": b"x: int\n"}
        ),
    ]


@dataclass(kw_only=True)
class Machine:
    """One machine with the project checked out."""

    folder: Path
    index: IndexServer
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def lpack(self) -> LpackRunner:
        """The command with a home of its own."""
        return LpackRunner(home=self.folder / "home")

    @property
    def project(self) -> Path:
        """The checkout."""
        return self.folder / "project"

    def check_out(self, wheels: Sequence[Path], *, hashed: bool = True) -> None:
        """Write the project; with hashes nothing is left to a resolver."""
        self.project.mkdir(parents=True, exist_ok=True)
        (self.project / "app.py").write_text(_HANDLER)
        lines = [_pin(wheel) for wheel in wheels] if hashed else ["beta", "gamma"]
        (self.project / "requirements.txt").write_text("\n".join(lines) + "\n")

    def build(self, *options: str, env: Mapping[str, str] | None = None) -> Finished:
        """Build; the environment of the machine comes first."""
        return self.lpack.run(
            "build", "--runtime", "python3.13", "--index-url", self.index.url, *options,
            cwd=self.project, env={**self.environment, **(env or {})},
        )  # fmt: skip

    def outputs(self) -> dict[str, bytes]:
        """What was built, by name."""
        return {path.name: path.read_bytes() for path in (self.project / "dist").iterdir()}


def _pin(wheel: Path) -> str:
    name, version, *_ = wheel.name.split("-")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
