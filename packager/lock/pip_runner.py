"""Runs pip for another machine; executed as a program of its own, never imported by lpack.

Usage: python -P pip_runner.py REQUEST.json, with {"environment": {...}, "arguments": [...],
"allow_sdists": bool}. pip evaluates markers for the machine it runs on, whatever --platform says
(pip#11664), so the one function that describes the machine is replaced before pip starts.
"""

import json
import sys
from pathlib import Path


def main() -> int:
    """Replace the marker environment, then hand over to pip; return pip's exit code."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    environment = {str(key): str(value) for key, value in request["environment"].items()}
    from pip._vendor.packaging import markers  # noqa: PLC0415 -- read the request first

    # pip's own tests do the same; a pip that moves this function fails here, loudly.
    if not callable(markers.default_environment):
        raise SystemExit("this pip has no marker environment to replace")
    markers.default_environment = lambda: dict(environment)  # type: ignore[assignment, return-value]
    if request["allow_sdists"]:
        from pip._internal.cli import cmdoptions  # noqa: PLC0415 -- only then

        # pip refuses source distributions for a foreign target; lpack checks what they built.
        cmdoptions.check_dist_restriction = lambda *_args, **_named: None
    from pip._internal.cli.main import main as run_pip  # noqa: PLC0415 -- after the replacement

    return run_pip([str(argument) for argument in request["arguments"]])


if __name__ == "__main__":
    sys.exit(main())
