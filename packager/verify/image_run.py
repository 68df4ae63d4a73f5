"""An image answers an event as on Lambda: its own root file system, entry point and command.

`unshare` (util-linux) changes the root and gives mounts of its own; without the right to do that,
the code of the image runs in the ordinary sandbox instead. What differs from Lambda: the root is
not mounted read-only, and nothing limits memory.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from packager.verify.image_layout import ReadLayout
from packager.verify.image_tree import unpack_image
from packager.verify.invoke import Answer, await_outcome, lost_answer
from packager.verify.processes import Child
from packager.verify.runtime_api import RuntimeApi
from packager.verify.sandbox import CONSTANT_VARIABLES, MEMORY_MB
from packager.verify.unpacking import remove_tree

_HANDING_IN_SECONDS = 2.0
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
    started = time.monotonic()
    with RuntimeApi(event, deadline_seconds=timeout_seconds) as api:
        environment = image_environment(run) | dict(variables)
        environment["AWS_LAMBDA_RUNTIME_API"] = api.address
        # By its whole path: PATH is the image's, for what is started inside it.
        enter = [shutil.which(_ENTER) or _ENTER, "--mount", f"--root={tree}"]
        enter += [f"--wd={run.get('WorkingDir') or '/'}", "--"]
        command = [*enter, *(run.get("Entrypoint") or ()), *(run.get("Cmd") or ())]
        with Child(command, cwd=tree, environment=environment, on_line=on_line) as child:
            outcome, code = await_outcome(api, child, started + timeout_seconds)
            if outcome is not None:
                child.wait(_HANDING_IN_SECONDS)
        asked = api.asked
    ended = outcome.answered if outcome is not None else time.monotonic()
    return Answer(
        body=outcome.body if outcome is not None else lost_answer(code, timeout_seconds),
        failed=outcome is None or outcome.kind != "response",
        init_failed=outcome.kind == "init-error" if outcome is not None else asked is None,
        init_ms=(asked - started) * 1000 if asked is not None else None,
        handler_ms=(ended - asked) * 1000 if asked is not None else None,
        through="the image's own entry point, in its root file system",
    )


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
