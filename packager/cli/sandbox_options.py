"""The options of the commands that run an artifact, and what the project says beside them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from packager.cli import completion
from packager.errors import UsageError
from packager.inputs.configuration import load_project
from packager.inputs.requirements import read_requirements
from packager.inputs.settings import Overrides
from packager.lock.indexes import requested_indexes
from packager.model.project import Function
from packager.model.requirement import IndexSettings
from packager.pipeline.build import default_runtime, runtime_names
from packager.pipeline.runtime import SandboxOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])

_ARTIFACT_OPTIONS = (
    click.option(
        "--artifact", type=click.Path(path_type=Path),
        help="A zip with its manifest beside it, or a folder of them; dist by default.",
    ),
    click.option(
        "--function", metavar="NAME", shell_complete=completion.functions,
        help="Which one, when there are several.",
    ),
)  # fmt: skip

_OPTIONS = (
    click.option(
        "--env", "variables", multiple=True, metavar="NAME[=VALUE]",
        help="A variable of the function; without a value, as it is here.",
    ),
    click.option(
        "--catalog", type=click.Path(path_type=Path), help="What `lpack runtime capture` found."
    ),
    click.option("--index-url", metavar="URL", help="Where the runtime's own packages come from."),
    click.option("--extra-index-url", "extra_index_urls", multiple=True, metavar="URL"),
    click.option("--offline", is_flag=True, help="Use no network."),
)  # fmt: skip


def artifact_options(command: _Command) -> _Command:
    """Add the options that say which artifact is meant."""
    for option in reversed(_ARTIFACT_OPTIONS):
        command = option(command)
    return command


def sandbox_options(command: _Command) -> _Command:
    """Add the options that say how to run an artifact."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def options_of(values: dict[str, Any], *, function_name: str) -> SandboxOptions:
    """Turn the options' values into settings; what they leave open, the project here says.

    `function_name` is the manifest's. Raises UsageError for a variable that is none.
    """
    function = _function_here(function_name)
    requested = IndexSettings(
        index_url=values["index_url"], extra_index_urls=values["extra_index_urls"]
    )
    declared = IndexSettings()
    catalog: Path | None = values["catalog"]
    if function is not None:
        said = requested_indexes(function)
        requested = IndexSettings(
            index_url=requested.index_url or said.index_url,
            extra_index_urls=requested.extra_index_urls or said.extra_index_urls,
            strategy=said.strategy,
        )
        declared = read_requirements(function).indexes
        catalog = catalog or function.catalog
    return SandboxOptions(
        requested=requested,
        declared=declared,
        catalog=catalog,
        offline=values["offline"],
        variables=tuple(map(_variable, values["variables"])),
        emulator=values.get("emulator", "auto"),
        timeout_seconds=values.get("timeout", 30.0),
    )


def _function_here(name: str) -> Function | None:
    """Return the function `name` of the project in this folder; None when there is no such.

    An artifact can be run anywhere, so that a folder without a project is no error.
    """
    try:
        functions = load_project(
            Path.cwd(),
            Overrides(),
            runtimes=runtime_names(),
            default_runtime=default_runtime(),
        )
    except UsageError:
        return None
    return next((function for function in functions if function.name == name), None)


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name:
        raise UsageError(f"`--env {text}` has no name", hint="--env NAME=VALUE")
    if equals:
        return name, value
    if name not in os.environ:
        raise UsageError(f"`{name}` is not set here", hint=f"--env {name}=VALUE")
    return name, os.environ[name]
