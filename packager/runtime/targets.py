"""Targets: the dated data about Lambda's runtimes, as values.

The facts live in `data/targets.toml`, each with its source; this module derives from them what
PEP 425, PEP 508 and PEP 600 say. Nothing is taken from the machine lpack runs on.
"""

from functools import cache
from pathlib import Path
from typing import Any

from packager.errors import UsageError
from packager.model.target import ARCHITECTURES, KINDS, Architecture, Limit, Target, TargetKind

_DATA = Path(__file__).parent / "data" / "targets.toml"

_RUNTIMES = ("python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14")
"""The names in the data file, written out so that naming them reads no file."""

_MACHINES: dict[Architecture, str] = {"x86_64": "x86_64", "arm64": "aarch64"}

_OLDEST_GLIBC_MINOR = {"x86_64": 5, "aarch64": 17}
"""PEP 513 and PEP 599: manylinux begins at glibc 2.5, on aarch64 at 2.17."""

_LEGACY_ALIASES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""The names before PEP 600, by the minor version of glibc that they stand for."""


def runtime_names() -> tuple[str, ...]:
    """Return the runtimes lpack knows, oldest first, without reading anything."""
    return _RUNTIMES


def default_runtime() -> str:
    """Return what is built for when nothing in a project hints at a runtime.

    Not the newest: the newest whose packages are listed completely, so that subtraction works.
    """
    return "python3.13"


def load_target(runtime: str, architecture: str, kind: str = "lambda") -> Target:
    """Return the target that these three words name.

    Raises UsageError when one of them is unknown, or when AWS does not offer the combination.
    """
    known_architecture = _known_architecture(architecture)
    known_kind = _known_kind(kind)
    if runtime not in _RUNTIMES:
        raise _unknown("runtime", runtime, _RUNTIMES)
    if known_kind == "edge" and known_architecture != "x86_64":
        raise UsageError(
            f"Lambda@Edge does not run on `{architecture}`",
            hint="use --arch x86_64 with --kind edge",
        )
    return _build_target(runtime, known_architecture, known_kind)


def load_quotas(kind: TargetKind) -> dict[str, int]:
    """Return the quotas of `kind` that are not sizes of a zip: layers, /tmp, environment, images.

    The keys say the unit (`_bytes`, `_mib`, `_seconds`); the upper ends are inclusive.
    """
    quotas: dict[str, Any] = _data()["quotas"][kind]
    return {name: value for name, value in quotas.items() if isinstance(value, int)}


def _known_architecture(architecture: str) -> Architecture:
    """Return `architecture` as the checked word; the wheel tags' word gets its own hint."""
    for known in ARCHITECTURES:
        if architecture == known:
            return known
    by_machine = {"aarch64": "arm64", "amd64": "x86_64", "x64": "x86_64", "arm": "arm64"}
    if architecture.lower() in by_machine:
        raise UsageError(
            f"unknown architecture `{architecture}`",
            hint=f"AWS calls it `{by_machine[architecture.lower()]}`",
        )
    raise _unknown("architecture", architecture, ARCHITECTURES)


def _known_kind(kind: str) -> TargetKind:
    """Return `kind` as the checked word."""
    for known in KINDS:
        if kind == known:
            return known
    raise _unknown("kind of target", kind, KINDS)


def _unknown(what: str, given: str, known: tuple[str, ...]) -> UsageError:
    """Word the refusal of `given`, with the nearest known word and all of them."""
    from difflib import get_close_matches  # noqa: PLC0415 -- loaded only when a word is wrong

    # `3.13`, `py313` and `python313` are what people type for python3.13.
    digits = "".join(character for character in given if character.isdigit())
    same_digits = [name for name in known if digits and name.replace(".", "").endswith(digits)]
    nearest = (same_digits[:1] if len(digits) > 1 else []) or get_close_matches(
        given, known, 1, 0.5
    )
    guess = f"did you mean `{nearest[0]}`? " if nearest else ""
    return UsageError(f"unknown {what} `{given}`", hint=f"{guess}known: {', '.join(known)}")


@cache
def _data() -> dict[str, Any]:
    """Return the parsed data file."""
    import tomllib  # noqa: PLC0415 -- loaded only when a target is wanted

    with _DATA.open("rb") as stream:
        return tomllib.load(stream)


@cache
def _build_target(runtime: str, architecture: Architecture, kind: TargetKind) -> Target:
    """Put the facts about one known combination together."""
    data = _data()
    facts = data["runtimes"][runtime]
    system = data["operating-systems"][facts["operating-system"]]
    machine = _MACHINES[architecture]
    glibc = (int(system["glibc"][0]), int(system["glibc"][1]))
    python = _minor_version(facts["full-version"])
    return Target(
        runtime=runtime,
        architecture=architecture,
        kind=kind,
        python=python,
        operating_system=system["title"],
        glibc=glibc,
        machine=machine,
        tags=_tags(python, glibc, machine),
        marker_environment=_marker_environment(facts["full-version"], machine),
        sys_path=_sys_path(python, site_packages_first=facts["site-packages-first"]),
        ld_library_path=tuple(data["library-path"]["folders"]),
        limits=tuple(Limit(**limit) for limit in data["limits"][kind]),
        # Lambda@Edge lists no SnapStart among what it supports.
        snapstart=facts["snapstart"] and kind == "lambda",
        status=facts["status"],
        source=facts["source"],
        date=facts["date"],
    )


def _minor_version(full_version: str) -> tuple[int, int]:
    """Return `(3, 13)` for `3.13.15`."""
    major, minor, _ = full_version.split(".")
    return int(major), int(minor)


def _platforms(glibc: tuple[int, int], machine: str) -> list[str]:
    """Return the platform tags a C library of version `glibc` can load, newest first (PEP 600)."""
    platforms = []
    for minor in range(glibc[1], _OLDEST_GLIBC_MINOR[machine] - 1, -1):
        platforms.append(f"manylinux_{glibc[0]}_{minor}_{machine}")
        if minor in _LEGACY_ALIASES:
            platforms.append(f"{_LEGACY_ALIASES[minor]}_{machine}")
    platforms.append(f"linux_{machine}")
    return platforms


def _tags(python: tuple[int, int], glibc: tuple[int, int], machine: str) -> tuple[str, ...]:
    """Return all wheel tags of the target, best first (PEP 425).

    Lambda's interpreters are plain builds: neither debug nor free-threaded.
    """
    from packaging.tags import compatible_tags, cpython_tags  # noqa: PLC0415 -- slow to load

    interpreter = f"cp{python[0]}{python[1]}"
    platforms = _platforms(glibc, machine)
    native = cpython_tags(python, abis=[interpreter], platforms=platforms)
    pure = compatible_tags(python, interpreter, platforms)
    return tuple(dict.fromkeys(str(tag) for tag in (*native, *pure)))


def _marker_environment(full_version: str, machine: str) -> dict[str, str]:
    """Return all variables of PEP 508 as a function sees them.

    The kernel's release and version are AWS's business and move any day: they are empty.
    """
    major, minor = _minor_version(full_version)
    return {
        "implementation_name": "cpython",
        "implementation_version": full_version,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full_version,
        "python_version": f"{major}.{minor}",
        "sys_platform": "linux",
    }


def _sys_path(python: tuple[int, int], *, site_packages_first: bool) -> tuple[str, ...]:
    """Return `sys.path` as AWS's bootstrap sets it when the user sets no PYTHONPATH."""
    version = f"python{python[0]}.{python[1]}"
    library = f"/var/lang/lib/{version}"
    layers = (f"/opt/python/lib/{version}/site-packages", "/opt/python")
    early = (f"{library}/site-packages",) if site_packages_first else ()
    return (
        "/var/task",
        *layers,
        *early,
        "/var/runtime",
        f"/var/lang/lib/python{python[0]}{python[1]}.zip",
        library,
        f"{library}/lib-dynload",
        f"{library}/site-packages",
        *layers,
    )
