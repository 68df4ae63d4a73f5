"""Files of a wheel that run before the handler is imported; pure.

The managed Lambda runtime calls `site.addsitedir` for the function's folder, so `.pth` files run
at every cold start (threats §0.2, from AWS's `bootstrap.py`). PEP 829 adds `.start` files.
"""

import hashlib

from packager.wheels.names import show

_CUSTOMIZERS = ("sitecustomize", "usercustomize")
MAX_READ_BYTES = 2**20
"""A larger file is called code without being read."""


def is_start_file(site_name: str) -> bool:
    """Tell whether a file (by its place below `site-packages`) runs at start."""
    top, _, below = site_name.partition("/")
    if below:
        return top in _CUSTOMIZERS and below.partition(".")[0] == "__init__"
    return site_name.endswith((".pth", ".start")) or top.partition(".")[0] in _CUSTOMIZERS


def describe_start_file(site_name: str, data: bytes | None) -> str:
    """Word the finding; `data` is None for a file that is too large to be read.

    `site` runs the lines of a `.pth` file that begin with `import` and adds the others to
    `sys.path`.
    """
    if data is None:
        return f"{show(site_name)} runs code when the function starts (not read: it is too large)"
    digest = hashlib.sha256(data).hexdigest()
    if not site_name.endswith(".pth"):
        return f"{show(site_name)} runs code when the function starts (sha256 {digest})"
    lines = data.decode("utf-8", "replace").splitlines()
    code = [line for line in lines if line.startswith(("import ", "import\t"))]
    if code:
        text = show(code[0])
        return f"{show(site_name)} runs code when the function starts: {text} (sha256 {digest})"
    return f"{show(site_name)} adds folders to `sys.path` (sha256 {digest})"
