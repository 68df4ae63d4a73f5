"""A function's settings for tests that need one, with everything unimportant filled in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packager.model.project import Function


def make_function(root: Path, requirements: Sequence[str] = (), **more: Any) -> Function:
    """A function `demo` in `root` whose source is all of `root`; `more` replaces fields."""
    fields: dict[str, Any] = {
        "name": "demo",
        "root": root,
        "handler": "app.handler",
        "runtime": "python3.13",
        "architecture": "x86_64",
        "kind": "lambda",
        "sources": (root,),
        "requirements": tuple(requirements),
        "target_dir": root / "dist",
    }
    return Function(**fields | more)
