"""The variables that a build backend gets: no credentials, for its code is somebody else's.

What it can still do is everything this user can: read files, use the network. The variables are
what CI systems fill with secrets, and what a malicious `setup.py` sends away first.
"""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

_SECRET_NAMES: Final = re.compile(
    r"AUTH|CREDENTIAL|PASSPHRASE|PASSWD|PASSWORD|PRIVATE|SECRET|TOKEN|(?:ACCESS|API|SIGNING)_?KEY"
)
_SECRET_FAMILIES: Final = re.compile(
    r"(?:ACTIONS|AWS|AZURE|GCP|GOOGLE|LPACK|NPM|PIP|POETRY|PYPI|SSH|TWINE|UV)_"
)
_OF_INSTALLERS: Final = re.compile(r"(?:PIP|UV)_|(?:ALL|HTTPS?|NO)_PROXY")
_URL_WITH_USER: Final = re.compile(r"://[^/\s]*@")


def without_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """Return `variables` without those that hold credentials, by their names and their values."""
    return {
        name: value
        for name, value in variables.items()
        if not (
            _SECRET_NAMES.search(name.upper())
            or _SECRET_FAMILIES.match(name.upper())
            or _URL_WITH_USER.search(value)
        )
    }


def for_installers() -> dict[str, str]:
    """Return this process's variables for an installer that may run somebody else's code.

    Of the credentials only those stay that it needs itself, of indexes and proxies.
    """
    kept = {n: value for n, value in os.environ.items() if _OF_INSTALLERS.match(n.upper())}
    return without_secrets(os.environ) | kept


def run_hook(
    cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
) -> None:
    """Run a hook of a build backend as `pyproject_hooks` asks its runners to.

    Raises subprocess.CalledProcessError, with everything that was printed, when it fails.
    """
    subprocess.run(
        cmd,
        cwd=cwd,
        env={**without_secrets(os.environ), **(extra_environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
    )
