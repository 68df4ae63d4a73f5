"""States of a project and a store in which a command is then disturbed: one for each form.

A scenario is a folder with a project and a store, the command that meets the faults, and what the
outputs are when nothing goes wrong.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.disk_faults import ERRNOS, Plan

_HEAD = """
[tool.lpack]
runtime = "python3.13"
architecture = "x86_64"
requirements = ["pylock.toml"]
source = ["app.py"]
"""
_API = """
[tool.lpack.functions.api]
handler = "app.handler"
"""
_PROJECTS = {
    "zip": _HEAD + _API,
    "large": _HEAD + _API,
    "layers": f"""{_HEAD}{_API}
[tool.lpack.functions.second]
handler = "app.handler"

[tool.lpack.layers.first]
distributions = ["beta"]

[tool.lpack.layers.rest]
""",
    "image": f"""{_HEAD}
package-type = "image"
[tool.lpack.image]
base = "BASE"
{_API}""",
    "offload": f"""{_HEAD}
offload = ["alpha"]
offload-codec = "deflate"
{_API}
[tool.lpack.functions.far]
handler = "app.handler"
offload-from = "s3"
offload-url = "s3://bucket/prefix"
""",
}
# Long enough ago for `prune` not to spare it.
_AN_HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A state of project and store below `template`; `golden` are the outputs' right digests.

    `command` is what meets the faults, `repeat` what is run after it; the last is a build.
    """

    name: str
    template: Path
    command: tuple[str, ...]
    repeat: tuple[tuple[str, ...], ...]
    golden: dict[str, str]
    operations: tuple[str, ...]
    in_place: bool = False

    def kills(self) -> list[Plan]:
        """One plan for every boundary between two operations, and for every half operation."""
        numbers = range(1, len(self.operations) + 1)
        modes = ("kill-before", "kill-within")
        return [Plan(mode=mode, number=number) for number in numbers for mode in modes]

    def errors(self) -> list[Plan]:
        """One plan for every operation, every errno it can answer, once and for good."""
        return [
            Plan(mode=mode, operation=operation, number=number, errno=code)
            for operation, codes in ERRNOS.items()
            for number in range(1, self.operations.count(operation) + 1)
            for code in codes
            for mode in ("fail", "fail-always")
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How to come to a scenario: the kind of project, what happens before, the command.

    What a rebuild remembers of files holds for these very files: it is made `in_place`, by builds
    in the folder where the command then meets the faults.
    """

    project: str
    prepare: Callable[[Path], None]
    built_before: bool
    command: tuple[str, ...]
    repeat: tuple[tuple[str, ...], ...]
    in_place: bool = False


def edit(place: Path, value: int) -> None:
    """Write the user's code, which answers with `value`."""
    code = f"import alpha\n\n\ndef handler(event, context):\n    return {value}\n"
    (place / "project" / "app.py").write_text(code, encoding="utf-8")


def _forget_results(place: Path) -> None:
    """Leave wheels and what was admitted, as another project would."""
    _edited(place)
    for kind in ("stamps", "pointers", "dependencies", "payloads", "layers", "offload", "blobs"):
        shutil.rmtree(place / "store" / "v1" / kind, ignore_errors=True)


def _edited(place: Path) -> None:
    edit(place, 2)


def _aged(place: Path) -> None:
    for top, _, names in os.walk(place / "store"):
        for path in (Path(top, name) for name in names):
            before_ns = path.stat().st_mtime_ns - _AN_HOUR_NS
            os.utime(path, ns=(before_ns, before_ns))


def _damaged(place: Path) -> None:
    """Alter one entry of each kind."""
    for kind in sorted((place / "store" / "v1").iterdir()):
        files = sorted(path for path in kind.glob("*/*") if path.is_file())
        if files:
            data = files[0].read_bytes()
            files[0].write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def _untouched(_: Path) -> None:
    """Nothing happens before."""


def _building(*more: str) -> tuple[str, ...]:
    return ("build", "--index-url", "INDEX", *more)


def _build(
    project: str, prepare: Callable[[Path], None], *more: str, before: bool = True
) -> Recipe:
    command = _building(*more)
    return Recipe(
        project=project, prepare=prepare, built_before=before, command=command, repeat=(command,)
    )


def _keeping(
    prepare: Callable[[Path], None], *command: str, repeat: tuple[tuple[str, ...], ...]
) -> Recipe:
    return Recipe(project="zip", prepare=prepare, built_before=True, command=command, repeat=repeat)


def _rebuilding(project: str) -> Recipe:
    command = _building()
    return Recipe(
        project=project, prepare=_untouched, built_before=True, command=command,
        repeat=(command,), in_place=True,
    )  # fmt: skip


_REPAIR = ("cache", "verify", "--repair")
RECIPES = {
    "cold": _build("zip", _untouched, before=False),
    "edited code": _build("zip", _edited),
    "other settings": _build("zip", _untouched, "--release"),
    "layers of two functions at once": _build("layers", _forget_results, "--jobs", "2"),
    "image": _build("image", _forget_results, "--image-archive"),
    "image, the first": _build("image", _untouched, before=False),
    "archives for /tmp": _build("offload", _forget_results, "--jobs", "2"),
    "layers, edited code": _build("layers", _edited, "--jobs", "2"),
    "image, edited code": _build("image", _edited, "--image-archive"),
    "archives, edited code": _build("offload", _edited),
    "edited code, head start": _rebuilding("large"),
    "prune": _keeping(_aged, "cache", "prune", "--max-size", "1", repeat=(_building(),)),
    "repair": _keeping(_damaged, *_REPAIR, repeat=(_REPAIR, _building())),
}
"""Every form."""


def write_project(place: Path, kind: str, *, lock: str, base: Path) -> None:
    """Write a project of this `kind` below `place`, with its lock and the base of its image."""
    project = place / "project"
    project.mkdir(parents=True)
    text = _PROJECTS[kind].replace("BASE", str(base))
    (project / "pyproject.toml").write_text(text, encoding="utf-8")
    (project / "pylock.toml").write_text(lock, encoding="utf-8")
    edit(place, 1)


def lock_of(wheels: Sequence[Path], index_url: str) -> str:
    """Word the lock (PEP 751) of `wheels`, which an index serves at `index_url`."""

    def packages() -> Iterator[str]:
        for wheel in wheels:
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            name, version = wheel.name.split("-")[:2]
            url = index_url.replace("/simple", "/files").rstrip("/") + f"/{wheel.name}"
            yield (
                f'[[packages]]\nname = "{name}"\nversion = "{version}"\n'
                f'index = "{index_url}"\n[[packages.wheels]]\nname = "{wheel.name}"\n'
                f'url = "{url}"\nsize = {wheel.stat().st_size}\n'
                f'hashes = {{ sha256 = "{digest}" }}\n'
            )

    return 'lock-version = "1.0"\ncreated-by = "test"\n' + "\n".join(packages())
