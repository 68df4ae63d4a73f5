"""Installing what a build backend requires: wheels, and from source only what is named.

`build` would let its installer build any source distribution among the requirements, and run its
code with all variables of this process.
"""

import sys
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from packager.errors import CannotBuild
from packager.lock.backend import find_uv
from packager.lock.build_environment import for_installers
from packager.lock.indexes import strategy_of, uv_variables
from packager.lock.pip_sources import source_variables
from packager.lock.processes import Finished, run
from packager.model.redaction import redact_text
from packager.model.requirement import IndexSettings

_SHOWN_LINES = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildRules:
    """Where build requirements come from, and which distributions may be built from source.

    `named` holds normalized names. `uv` installs them, or pip where there is none.
    """

    indexes: IndexSettings
    offline: bool = False
    named: Collection[str] = ()
    uv: str | None = field(default_factory=find_uv)


def install_requirements(
    requirements: Iterable[str], *, python: str, title: str, rules: BuildRules
) -> None:
    """Install `requirements` for the interpreter `python`; raise CannotBuild when that fails.

    First with wheels alone. Only when that has no solution what is named may be built, in an
    environment without credentials but those of the indexes.
    """
    lines = [_checked(text, title, rules.named) for text in requirements]
    if not lines:
        return
    done = _install(lines, python, rules, named=())
    if done.returncode != 0 and rules.named:
        done = _install(lines, python, rules, named=sorted(rules.named))
    if done.returncode != 0:
        raise CannotBuild(
            f"the build requirements of `{title}` cannot be installed",
            details=last_lines(done.stdout + done.stderr),
            hint='one without a wheel is built when it is named: allow-sdist = ["NAME"]',
        )


def last_lines(output: str) -> list[str]:
    """Return the end of what a program wrote, without credentials."""
    lines = [line for line in redact_text(output).splitlines() if line.strip()]
    return lines[-_SHOWN_LINES:]


def _checked(text: str, title: str, named: Collection[str]) -> str:
    """Return a requirement as one line; it may be no option, and no source from anywhere."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        raise CannotBuild(f"`{title}` has a build requirement that is none: {text!r}",
                          hint="ask its authors to correct it") from None  # fmt: skip
    source = requirement.url and not requirement.url.partition("#")[0].endswith(".whl")
    if source and canonicalize_name(requirement.name) not in named:
        raise CannotBuild(
            f"`{title}` requires the source of `{requirement.name}` for its build",
            hint=f'if its code may run: allow-sdist = ["{requirement.name}"]',
        )
    return str(requirement)


def _install(
    lines: list[str], python: str, rules: BuildRules, *, named: Collection[str]
) -> Finished:
    with tempfile.TemporaryDirectory(prefix="lpack-requires-") as folder:
        path = Path(folder) / "requires.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        variables = installer_variables(rules.indexes, offline=rules.offline)
        if rules.uv:
            command = [rules.uv, "pip", "install", "--python", python]
            for name in named:
                command += ["--no-binary", name]
        else:
            # pip takes the interpreter before the command.
            command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-input"]
            if named:
                variables |= source_variables(named, Path(folder))
        return run(
            [*command, "--only-binary", ":all:", "-r", str(path)],
            cwd=Path.cwd(),
            environment=variables,
            base=for_installers() if named else None,
        )


def installer_variables(indexes: IndexSettings, *, offline: bool) -> dict[str, str]:
    """Give the installer of build requirements the same indexes as the resolver has."""
    values = uv_variables(indexes)
    values["UV_INDEX_STRATEGY"] = strategy_of(indexes)
    # What this process can import is nothing of the backend's.
    values["PYTHONPATH"] = ""
    if indexes.index_url:
        values["PIP_INDEX_URL"] = indexes.index_url
    if indexes.extra_index_urls:
        values["PIP_EXTRA_INDEX_URL"] = " ".join(indexes.extra_index_urls)
    if indexes.no_index:
        values |= {"UV_NO_INDEX": "1", "PIP_NO_INDEX": "1"}
    if offline:
        values |= {"UV_OFFLINE": "1", "PIP_NO_INDEX": "1"}
    return values
