"""One project built into every form: zips, a layer, archives in the zip and for S3, an image.

Small, so that a build of all of it takes as long as one of a single function.
"""

import json
from pathlib import Path

from support.build_world import LIBRARY
from support.image_world import write_aws_like_base
from support.wheel_builder import build_wheel

RUNTIME = "python3.13"
FUNCTIONS = ("plain", "declared", "layered", "nested", "packed", "fetched", "traced", "image")

_CODE = {
    "app.py": "import tree\n\n\ndef handler(event, context):\n    return tree.VALUE\n",
    "pkg/__init__.py": "",
    "pkg/größe.py": "HELP = 1\n",
    "pkg/run.sh": "#!/bin/sh\n",
}
_SETTINGS = f"""
runtime = "{RUNTIME}"
architecture = "x86_64"
requirements = ["requirements.txt"]
source = ["app.py", "pkg"]
handler = "app.handler"
upload = "s3"

[image]
base = "./base"

[layers.first]
distributions = ["tree"]
libraries = true

[functions.plain]
layers = []

[functions.declared]
layers = []
slim = "declared"
drop = ["tree/examples/**"]
release = true

[functions.layered]

[functions.nested]
layers = []
offload = ["tree"]
offload-codec = "deflate"

[functions.packed]
layers = []
offload = ["tree"]
offload-codec = "xz"

[functions.fetched]
layers = []
offload = ["tree"]
offload-from = "s3"
offload-url = "s3://bucket/prefix"

[functions.traced]
layers = []
slim = "traced"

[functions.image]
layers = []
package-type = "image"
image-archive = true
"""
_TREE: dict[str, bytes] = {
    "tree/__init__.py": b"VALUE = 1\n",
    "tree/many.py": b"MANY = 'many'\n" * 900,
    "tree/data.bin": bytes(range(256)) * 1200,
    "tree/examples/one.txt": b"an example\n" * 30,
    "tree/examples/two.txt": b"",
    "tree/types.pyi": b"VALUE: int\n",
    "tree/_native.so": LIBRARY,
    "tree.libs/libtree-1.so": LIBRARY,
    "tree/run": b"#!/bin/sh\n",
    "tree-1.0.data/scripts/tree": b"#!python\n",
    "tree-1.0.data/data/share/tree/note.txt": b"note\n" * 40,
    "tree-1.0.data/purelib/tree_side.py": b"SIDE = 1\n",
}


def make_wheels(folder: Path) -> None:
    """Build the wheels: a spread one with libraries, a small one, two that share a file."""
    shared = {"space/LICENSE": b"licence\n" * 20}
    build_wheel(
        folder,
        "tree",
        "1.0",
        files=_TREE,
        requires=["leaf", "one", "two"],
        executables={"tree/run"},
    )
    build_wheel(folder, "leaf", "2.5", files={"leaf.py": b"LEAF = 1\n"}, compress=False)
    build_wheel(folder, "one", "1.0", files={"space/one.py": b"ONE = 1\n", **shared})
    build_wheel(folder, "two", "1.0", files={"space/two.py": b"TWO = 2\n", **shared})


def write_project(folder: Path) -> Path:
    """Write the project of all functions and return it."""
    for name, text in _CODE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "pkg/run.sh").chmod(0o755)
    (folder / "requirements.txt").write_text("tree\n")
    (folder / "lpack.toml").write_text(_SETTINGS)
    trace = {
        "schema_version": 1,
        "lpack": "0",
        "target": {"runtime": RUNTIME, "architecture": "x86_64"},
        "runs": 1,
        "distributions": [{"name": "tree", "version": "1.0", "files": ["tree/__init__.py"]}],
    }
    (folder / ".lpack-trace.json").write_text(json.dumps(trace))
    write_aws_like_base(folder / "base")
    return folder
