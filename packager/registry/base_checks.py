"""Whether a base fits the function that is to stand on it. Pure."""

from collections.abc import Mapping
from typing import Any

from packager.errors import CannotBuild
from packager.model.image import MACHINE_WORDS
from packager.model.target import Architecture
from packager.registry.layer_facts import Inside


def check_platform(
    config: Mapping[str, Any], *, reference: str, architecture: Architecture
) -> None:
    """Refuse a base for another system or processor, as its configuration says."""
    wanted = MACHINE_WORDS[architecture]
    words = (config.get("os"), config.get("architecture"))
    if words != ("linux", wanted):
        raise CannotBuild(
            f"the base `{reference}` is for {words[0]}/{words[1]}, and the function for "
            f"linux/{wanted}",
            hint=f"name a base for {architecture}, or build with another --arch",
        )


def check_inside(
    within: Inside, *, reference: str, architecture: Architecture, python: str, needs_python: bool
) -> None:
    """Refuse a base whose Python is for another processor, version (`3.13`) or C library."""
    if within.machines and architecture not in within.machines:
        raise CannotBuild(
            f"the Python in the base `{reference}` is for {within.machines[0]}, and the function "
            f"for {architecture}",
            hint=f"name a base for {architecture}, or build with --arch {within.machines[0]}",
        )
    if within.musl:
        raise CannotBuild(
            f"the base `{reference}` has musl as its C library, and the wheels are built for glibc",
            hint="name a base with glibc, such as Debian's or AWS's",
        )
    named = {path.rpartition("/python")[2] for path in within.pythons}
    versions = sorted(version for version in named if "." in version)
    if versions and python not in versions:
        raise CannotBuild(
            f"the base `{reference}` has Python {', '.join(versions)}, and the runtime is "
            f"python{python}",
            hint=f"name a base with Python {python}, or build with --runtime python{versions[-1]}",
        )
    if needs_python and not within.pythons:
        raise CannotBuild(
            f"there is no Python in the base `{reference}`",
            hint="name another base, or set image.entry-point when it is elsewhere",
        )
