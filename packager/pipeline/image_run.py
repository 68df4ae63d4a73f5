"""A built image answers an event here, with its own files as root where that can be done."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packager.errors import UsageError
from packager.verify.image_layout import ReadLayout, open_layout
from packager.verify.serving import Answer


def check_image_digest(folder: Path, manifest: Mapping[str, Any]) -> ReadLayout:
    """Read the layout in `folder`; raises UsageError when it is not the image of `manifest`."""
    layout = open_layout(folder)
    if layout.manifest_digest != f"sha256:{manifest['artifact']['sha256']}":
        raise UsageError(f"`{folder}` is not the image its manifest describes", hint="lpack build")
    return layout


def answer_in_image(
    layout: ReadLayout,
    event: bytes,
    *,
    variables: tuple[tuple[str, str], ...],
    timeout_seconds: float,
    on_line: Callable[[str], None],
) -> Answer | None:
    """Start the image's entry point with the image as root; None where that cannot be done."""
    # Loaded here because zips are run without it.
    from packager.verify.image_run import (  # noqa: PLC0415
        can_enter_images,
        image_tree,
        invoke_in_image,
    )

    if not can_enter_images():
        return None
    with image_tree(layout) as tree:
        return invoke_in_image(
            tree,
            layout.config,
            event,
            variables=variables,
            timeout_seconds=timeout_seconds,
            on_line=on_line,
        )
