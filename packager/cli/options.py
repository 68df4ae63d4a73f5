"""The options of `lpack build`, one decorator, and the settings they stand for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from packager.cli import completion
from packager.inputs.settings import Overrides

_Command = TypeVar("_Command", bound=Callable[..., Any])

_WHAT = (
    click.option("--handler", metavar="MODULE.FUNCTION", help="What Lambda calls."),
    click.option(
        "--runtime", metavar="NAME", shell_complete=completion.runtimes,
        help="AWS runtime, such as python3.13.",
    ),
    click.option(
        "--arch", "architecture", metavar="ARCH", help="x86_64 or arm64.",
        shell_complete=completion.one_of("arm64", "x86_64"),
    ),
    click.option(
        "--kind", metavar="KIND", help="lambda, or edge for Lambda@Edge.",
        shell_complete=completion.one_of("lambda", "edge"),
    ),
    click.option(
        "--requirements", "-r", multiple=True, metavar="WHAT",
        help="A requirements or lock file, `project`, `extra:NAME` or `group:NAME`.",
    ),
    click.option("--source", multiple=True, metavar="PATH", help="File or folder of your code."),
    click.option("--exclude", multiple=True, metavar="GLOB", help="Files of your code to skip."),
    click.option("--catalog", metavar="FILE", help="What `lpack runtime capture` found."),
    click.option(
        "--subtract", multiple=True, metavar="[NAME=]POLICY",
        help="compatible, always or never; for one distribution or for all.",
    ),
    click.option(
        "--slim", metavar="TIER", help="off, inert, declared or traced.",
        shell_complete=completion.one_of("off", "inert", "declared", "traced"),
    ),
    click.option("--strip/--no-strip", default=None, help="Strip native libraries; on by default."),
    click.option(
        "--release/--no-release", default=None, help="Deflate everything at the best level."
    ),
    click.option("--bytecode", metavar="SIZE", help='What bytecode may add, such as "30 MiB".'),
    click.option("--keep", multiple=True, metavar="GLOB", help="Distributions' files that ship."),
    click.option(
        "--offload", multiple=True, metavar="NAME", help="Arrives in /tmp when first imported."
    ),
    click.option("--offload-from", metavar="HOW", help="zip or s3."),
    click.option("--offload-url", metavar="URL", help="s3://BUCKET/PREFIX."),
    click.option("--upload", metavar="HOW", help="direct (50 MiB limit) or s3."),
    click.option("--package-type", metavar="TYPE", help="zip, or image without an engine."),
    click.option(
        "--image-archive/--no-image-archive", default=None, help="Write one for `docker load` too."
    ),
    click.option("--sbom/--no-sbom", default=None, help="Write what ships as CycloneDX too."),
    click.option(
        "--provenance/--no-provenance", default=None, help="Write an in-toto statement too."
    ),
    click.option(
        "--layer", "layers", multiple=True, metavar="LAYER",
        help="A configured layer, a layer zip, or the manifest of one.",
    ),
    click.option("--target-dir", metavar="DIR", help="Where to write; dist by default."),
    click.option("--config", type=click.Path(path_type=Path), help="Instead of pyproject.toml."),
)  # fmt: skip
_WHERE_FROM = (
    click.option("--resolver", metavar="NAME", help="uv, pip or auto."),
    click.option("--index-url", metavar="URL", help="The package index."),
    click.option("--extra-index-url", "extra_index_urls", multiple=True, metavar="URL"),
    click.option("--index-strategy", metavar="NAME", help="first-index or unsafe-best-match."),
    click.option("--exclude-newer", metavar="WHEN", help="A date, or 7d: nothing younger."),
    click.option(
        "--attestations", multiple=True, metavar="[NAME=]POLICY",
        help="off, verify or require: what publishers attest on the index (PEP 740).",
    ),
    click.option("--allow-sdist", multiple=True, metavar="NAME", help="May be built from source."),
)  # fmt: skip


_POLICIES = ("subtract", "attestations")


def function_options(command: _Command) -> _Command:
    """Add the options that say what to build and where from."""
    for option in reversed((*_WHAT, *_WHERE_FROM)):
        command = option(command)
    return command


def overrides_of(values: dict[str, Any]) -> Overrides:
    """Turn the options' values into overrides; what was not given stays None."""
    given = {
        name: value
        for name, value in values.items()
        if value is not None and value != () and name not in _POLICIES
    }
    for name in _POLICIES:
        if values[name]:
            given[name] = tuple(_policy(text) for text in values[name])
    return Overrides(**given)


def _policy(text: str) -> tuple[str, str]:
    name, equals, policy = text.rpartition("=")
    return (name, policy) if equals else ("*", policy)
