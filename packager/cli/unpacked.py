"""`lpack build --unpacked`: the artifact as a folder, for tools that zip it themselves."""

from collections.abc import Sequence
from pathlib import Path

from packager.cli.console import Console
from packager.errors import CannotBuild, UsageError
from packager.model.project import Function
from packager.pipeline.build import artifact_path


def check_unpacked(folder: Path | None, functions: Sequence[Function]) -> None:
    """Refuse what cannot be unpacked into `folder`, before anything is built.

    Raises UsageError for several functions, an image, and a folder that has something in it:
    what an earlier build left there would be deployed. Without a folder nothing is wrong.
    """
    if folder is None:
        return
    if len(functions) != 1:
        names = ", ".join(function.name for function in functions)
        raise UsageError(
            f"`--unpacked` takes one function, there are {len(functions)}: {names}",
            hint=f"lpack build {functions[0].name} --unpacked {folder}",
        )
    if functions[0].package_type == "image":
        raise UsageError(
            f"`{functions[0].name}` is an image, which is not unpacked",
            hint=f"lpack build {functions[0].name} --package-type zip --unpacked {folder}",
        )
    try:
        filled = any(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"cannot unpack into `{folder}`: {error.strerror}", hint="name a folder"
        ) from error
    if filled:
        raise UsageError(f"`{folder}` is not empty", hint=f"rm -r {folder}")


def write_unpacked(folder: Path | None, function: Function, console: Console) -> None:
    """Unpack the zip that was just built into `folder`, if any; raises CannotBuild."""
    if folder is None:
        return
    from packager.verify.unpacking import unpack  # noqa: PLC0415 -- hardly any build needs it

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotBuild(
            f"cannot make the folder `{folder}`: {error.strerror}", hint="name another folder"
        ) from error
    names = unpack(artifact_path(function), folder)
    console.step(f"{len(names):,} files of `{artifact_path(function).name}` are in `{folder}`")
