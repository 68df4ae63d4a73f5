"""Questions to git, which may be absent, slow, or unable to answer."""

import subprocess
from pathlib import Path


def ask_git(folder: Path, *arguments: str, patience_seconds: float) -> str | None:
    """Return what git printed in `folder`; None when it failed, is absent or takes too long."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=patience_seconds,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="surrogateescape") if done.returncode == 0 else None
