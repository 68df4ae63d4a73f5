"""A Lambda handler that tells what the runtime holds. Paste it into a function and invoke it.

Keep its answer as a file and name that file as `catalog` in [tool.lpack]. Nothing leaves the
function but the names, versions and requirements of what AWS put into the runtime. It needs only
the standard library, on python3.9 and later.
"""

import os
import platform
import sys
import time
from importlib.metadata import distributions


def handler(event: object, context: object) -> dict[str, object]:  # noqa: ARG001 -- Lambda's own
    """Return the runtime's distributions; `{"folders": [...]}` looks elsewhere."""
    python = "python{}.{}".format(*sys.version_info[:2])
    folders = ["/var/lang/lib/" + python + "/site-packages", "/var/runtime"]
    if sys.version_info < (3, 11):  # noqa: UP036 -- it runs on the target's Python, not on lpack's
        folders.reverse()
    if isinstance(event, dict) and isinstance(event.get("folders"), list):
        folders = [str(folder) for folder in event["folders"]]
    machine = platform.machine()
    return {
        "format": "lpack-runtime-catalog",
        "version": 1,
        "runtime": os.environ.get("AWS_EXECUTION_ENV", "").replace("AWS_Lambda_", "") or python,
        "python": platform.python_version(),
        "architecture": "arm64" if machine in ("aarch64", "arm64") else machine,
        "region": os.environ.get("AWS_REGION", ""),
        "captured": time.strftime("%Y-%m-%d", time.gmtime()),
        "packages": found_in(folders),
    }


def found_in(folders: list[str]) -> list[dict[str, object]]:
    """Return the distributions in `folders`; of two with one name the first, as imports do."""
    packages: dict[str, dict[str, object]] = {}
    for folder in folders:
        for distribution in distributions(path=[folder]):
            try:
                name, version = distribution.metadata["Name"], distribution.version
            except (KeyError, TypeError):  # a folder without METADATA, told so by newer Pythons
                continue
            if name and version:
                entry: dict[str, object] = {
                    "name": name,
                    "version": version,
                    "requires": list(distribution.requires or []),
                    "folder": folder,
                }
                packages.setdefault(name.lower().replace("_", "-").replace(".", "-"), entry)
    return [packages[name] for name in sorted(packages)]
