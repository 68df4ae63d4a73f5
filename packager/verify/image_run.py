"""An image answers an event as on Lambda: its own root file system, entry point and command.

`unshare` (util-linux) changes the root and gives mounts of its own; without the right to do that,
the code of the image runs in the ordinary sandbox instead. What differs from Lambda: the root is
not mounted read-only, and nothing limits memory.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from packager.verify.image_layout import ReadLayout
from packager.verify.image_tree import unpack_image
from packager.verify.sandbox import CONSTANT_VARIABLES, MEMORY_MB
from packager.verify.serving import Answer, Server, serve
from packager.verify.unpacking import remove_tree

_CLOSING_SECONDS = 2.0
_ENTER = "unshare"
_DEVICES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}


def can_enter_images() -> bool:
    """Tell whether this process may use another folder as the root of its children."""
    enter = shutil.which(_ENTER)
    if os.geteuid() != 0 or enter is None:
        return False
    probe = [enter, "--mount", "--root=/", "--wd=/", "--", "/bin/true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@contextmanager
def image_tree(layout: ReadLayout) -> Iterator[Path]:
    """Unpack the whole image into a temporary folder, which goes away at the end."""
    root = Path(tempfile.mkdtemp(prefix="lpack-image-")).resolve()
    try:
        root.chmod(0o755)
        unpack_image(layout, layout.digests, root)
        for name in ("tmp", "dev", "proc"):
            (root / name).mkdir(exist_ok=True)
        _make_devices(root / "dev")
        yield root
    finally:
        remove_tree(root)


def invoke_in_image(
    tree: Path,
    config: Mapping[str, Any],
    event: bytes,
    *,
    variables: tuple[tuple[str, str], ...],
    timeout_seconds: float,
    on_line: Callable[[str], None],
) -> Answer:
    """Start what the image's configuration says, with `tree` as root, and hand it `event`."""
    run = config.get("config") or {}
    # By its whole path: PATH is the image's, for what is started inside it.
    enter = [shutil.which(_ENTER) or _ENTER, "--mount", f"--root={tree}"]
    enter += [f"--wd={run.get('WorkingDir') or '/'}", "--"]
    server = Server(
        command=[*enter, *(run.get("Entrypoint") or ()), *(run.get("Cmd") or ())],
        cwd=tree,
        environment=image_environment(run) | dict(variables),
        through="the image's own entry point, in its root file system",
        closing_seconds=_CLOSING_SECONDS,
    )
    return serve(server, event, timeout_seconds=timeout_seconds, on_line=on_line)


def image_environment(run: Mapping[str, Any]) -> dict[str, str]:
    """Return what Lambda sets for every function, and the image's own variables on top."""
    values = {
        **CONSTANT_VARIABLES,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/function",
        "_HANDLER": " ".join(run.get("Cmd") or ()),
    }
    for text in run.get("Env") or ():
        name, _, value = text.partition("=")
        values[name] = value
    return values


def _make_devices(folder: Path) -> None:
    """Make what programs expect to be there; where that is not allowed, they do without."""
    for name, (major, minor) in _DEVICES.items():
        with suppress(OSError):
            os.mknod(folder / name, 0o20666, os.makedev(major, minor))
