"""Small sound inputs from which fuzzing starts, and the inputs that once broke something.

The sound ones are made here; the others are files of `tests/cases/fuzz/HARNESS`, named after
what is wrong with them.
"""

import gzip
import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from support.demo_wheel import TEXT, good, streamed, wheel_of
from support.fuzz_harnesses import HARNESSES, PAGE_FILE, SEPARATOR, tar_of
from support.image_layout import layer_tar
from support.raw_zip import RawMember, write_zip, zip64_extra

CASES = Path(__file__).parents[1] / "cases" / "fuzz"

_RECORD = b'demo/a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"x,y",,\n'
_HASH = "0" * 64

_PYLOCK = f"""lock-version = "1.0"
created-by = "t"
requires-python = ">=3.9"
extras = ["e"]
[[packages]]
name = "a"
version = "1.0"
marker = "'e' in extras or python_version > '3'"
[[packages.wheels]]
name = "a-1.0-py3-none-any.whl"
url = "https://u:p@h/a-1.0-py3-none-any.whl"
size = 3
upload-time = 2026-01-01T00:00:00Z
hashes = {{ sha256 = "{_HASH}" }}
[[packages]]
name = "b"
[packages.vcs]
type = "git"
url = "https://h/b"
commit-id = "c"
[[packages]]
name = "c"
version = "2"
[packages.sdist]
path = "c-2.tar.gz"
hashes = {{ sha256 = "{_HASH}" }}
"""

_PROJECT = """[project]
name = "demo"
version = "1"
requires-python = ">=3.11"
dependencies = ["alpha>1; python_version > '3'", "demo[x]"]
[project.optional-dependencies]
x = ["beta"]
[dependency-groups]
dev = ["alpha", {include-group = "more"}]
more = ["beta"]
"""

_TOOLS = """[tool.uv]
constraint-dependencies = ["beta<9"]
[tool.uv.sources]
alpha = [{ path = "lib" }]
beta = { workspace = true }
[tool.uv.workspace]
members = ["lib*"]
exclude = ["no"]
[[tool.uv.index]]
name = "i"
url = "https://h/simple"
default = true
"""

_POETRY = """[tool.poetry]
name = "demo"
[tool.poetry.dependencies]
python = "^3.11"
alpha = "^1.2"
beta = { version = "~2", python = "<4", extras = ["f"], optional = true, markers = "os_name=='x'" }
[tool.poetry.extras]
x = ["beta"]
[tool.poetry.group.dev.dependencies]
gamma = [{ version = ">=1", platform = "linux" }, "*"]
[[tool.poetry.source]]
name = "s"
url = "https://h/simple"
priority = "primary"
"""

_LPACK = """[tool.lpack]
runtime = "python3.13"
include = ["a/**"]

subtract = { boto3 = "never" }
drop = [{ glob = "x/**", reason = "r" }]
services = { botocore = ["s3"] }
bytecode = "1 MB"
ephemeral-storage = 600
exclude-newer = "7d"
offload = ["alpha+"]
strip = false
[tool.lpack.image]
base = "h/x@sha256:00"
[tool.lpack.budgets]
zip = "1 MB"
[tool.lpack.functions.one]
handler = "app.handler"
requirements = ["project"]
"""

_UV_LOCK = f"""version = 1
requires-python = ">=3.11"
[[package]]
name = "demo"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "alpha", extra = ["f"] }}]
[package.optional-dependencies]
x = [{{ name = "beta" }}]
[package.dev-dependencies]
dev = [{{ name = "beta" }}]
[package.metadata]
requires-dist = [{{ name = "alpha" }}]
[package.metadata.requires-dev]
dev = [{{ name = "beta" }}]
[[package]]
name = "alpha"
version = "1.5"
source = {{ registry = "links" }}
resolution-markers = ["python_version > '3'"]
wheels = [{{ url = "https://h/alpha-1.5-py3-none-any.whl", hash = "sha256:{_HASH}" }}]
[[package]]
name = "beta"
version = "2"
source = {{ url = "https://h/beta-2.tar.gz" }}
sdist = {{ hash = "sha256:{_HASH}" }}
"""

_POETRY_LOCK = f"""[[package]]
name = "alpha"
version = "1.5"
groups = ["main"]
markers = {{ main = "python_version > '3'" }}
files = [{{ file = "alpha-1.5.tar.gz", hash = "sha256:{_HASH}" }}]
[[package]]
name = "lib"
version = "1"
category = "dev"
[package.source]
type = "directory"
url = "lib"
[[package]]
name = "beta"
version = "2"
optional = true
[package.source]
type = "url"
url = "https://h/beta-2.tar.gz"
[metadata]
lock-version = "1.1"
[metadata.files]
beta = [{{ hash = "sha256:{_HASH}" }}]
"""

_PIPFILE = """[[source]]
url = "https://$X@h/simple"
[packages]
alpha = "*"
beta = { version = ">1", extras = ["f"], os_name = "== 'x'", markers = "python_version > '3'" }
[dev-packages]
"""

_REQUIREMENTS = f"""# coding: utf-8
--index-url https://h/simple --pre
--find-links wheels
alpha[x]>=1.0 ; python_version > '3' # why
beta @ https://h/beta-2-py3-none-any.whl#sha256={_HASH}
-e ./lib[x]
./beta-2-py3-none-any.whl
https://h/c-1.tar.gz#egg=c
--extra-index-url https://${{LPACK_NOT_SET}}@h
"""

_HASHED = f"""alpha==1.0 \\
    --hash=sha256:{_HASH}
"""


def seeds(harness: str) -> Iterator[tuple[str, bytes]]:
    """Titles and bytes, the sound inputs first."""
    for number, data in enumerate(_SOUND[harness]):
        yield f"sound {number}", data
    folder = CASES / harness
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        yield path.name, path.read_bytes()


def _wide() -> RawMember:
    sizes = zip64_extra(len(TEXT), len(good().stored()))
    wide: dict[str, int | bytes] = {"extra": sizes}
    return replace(good(), both=wide | {"compressed": 0xFFFFFFFF, "uncompressed": 0xFFFFFFFF})


def _image(layer: bytes) -> dict[str, bytes]:
    config = {"architecture": "arm64", "config": {"Env": ["A=b"], "WorkingDir": "/srv"}}
    manifest = {
        "config": {"digest": "sha256:config"},
        "layers": [{"digest": "sha256:layer", "size": len(layer)}],
    }
    index = {"manifests": [{"digest": "sha256:manifest", "platform": {"os": "linux"}}]}
    documents = {"index.json": index, "manifest": manifest, "config": config}
    return {name: json.dumps(each).encode() for name, each in documents.items()} | {"layer": layer}


def _layouts() -> Iterator[bytes]:
    tar = layer_tar({"var/task/a.py": b"import os\n", "srv/b-1.dist-info/METADATA": b"Name: b\n",
                     "var/task/.wh.c": b"", "opt": None})  # fmt: skip
    for layer in (tar, gzip.compress(tar, mtime=0)):
        yield SEPARATOR.join(_image(layer).values())


def _archives() -> Iterator[bytes]:
    tar = layer_tar({"var/task/a.py": b"import os\n"})
    parts = _image(tar)
    yield tar_of({n if n == "index.json" else f"blobs/sha256/{n}": d for n, d in parts.items()})
    docker = [{"Config": "config", "Layers": ["layer"]}]
    yield tar_of({**parts, "index.json": b"", "manifest.json": json.dumps(docker).encode()})
    del parts["index.json"]
    yield tar_of({**parts, "manifest.json": json.dumps(docker).encode()})


def _zips() -> Iterator[bytes]:
    library = b"\x7fELF" + bytes(60)
    yield write_zip([good("app.py", b"import boto3\n"), good("python/x.so", library)])
    described = wheel_of(good(), good("demo/data.txt", b""))
    yield described
    yield write_zip([_wide()], prefix=b"#!x\n", comment=b"note", zip64=True)
    yield write_zip([streamed(good()), RawMember(name="d/", data=b"", method=0)])
    link = RawMember(name="l", data=b"a", both={"attributes": 0o120777 << 16})
    yield write_zip([link, good("u", b"x"), good("u", b"y")])


def _wheels() -> Iterator[bytes]:
    yield wheel_of(good())
    yield wheel_of(_wide(), zip64=True, end={"here": 0xFFFF, "total": 0xFFFF})
    yield wheel_of(streamed(good(), extended=True), good("demo/x.pth", b"import os\n"))
    yield wheel_of(RawMember(name="demo/é.py", data=b"", method=0))
    stamp = struct.pack("<2HBI", 0x5455, 5, 1, 0)
    yield wheel_of(replace(good("demo-1.0.data/scripts/x", b"#!python\n"), both={"extra": stamp}))


def _projects() -> Iterator[str]:
    yield _PROJECT
    yield _PROJECT + _TOOLS
    yield _POETRY
    yield _PROJECT + _LPACK
    yield '[tool.lpack]\n[tool.lpack.layers.base]\ndistributions = ["*"]\n'


def _index_pages() -> Iterator[bytes]:
    row = {"filename": PAGE_FILE, "hashes": {"sha256": _HASH}, "provenance": "/p?a=1"}
    status = {"status": "archived", "reason": "over"}
    files = [{"filename": "y", "hashes": {}}, row]
    yield json.dumps({"meta": {}, "project-status": status, "files": files}).encode()
    head = '<meta name="pypi:project-status" content="archived">'
    yield f'{head}<a href="../{PAGE_FILE}#sha256={_HASH}" data-provenance="p&amp;q">x</a>'.encode()


def _signed() -> Iterator[bytes]:
    """A provenance, and the root with which it is right."""
    # Loaded late because it is an extra.
    from support.signing_world import SigningWorld, github  # noqa: PLC0415

    world = SigningWorld()
    provenance = world.provenance(github("o/r"), PAGE_FILE, _HASH)
    yield SEPARATOR.join([provenance, world.trusted_root.encode()])


def _with_project(lock: str, project: str) -> bytes:
    return lock.encode() + SEPARATOR + project.encode()


_PIPFILE_LOCK = json.dumps(
    {
        "default": {
            "alpha": {"version": "==1.5", "hashes": [f"sha256:{_HASH}"]},
            "beta": {"version": "==2", "markers": "python_version > '3'", "extras": ["f"]},
            "lib": {"path": "."},
        },
        "develop": {},
    }
)

_SOUND: dict[str, list[bytes]] = {
    "configuration": [text.encode() for text in _projects()],
    "image-archive": list(_archives()),
    "image-layout": list(_layouts()),
    "index-page": list(_index_pages()),
    "pipfile-lock": [_PIPFILE_LOCK.encode(), _with_project(_PIPFILE_LOCK, _PIPFILE)],
    "poetry-lock": [_POETRY_LOCK.encode(), _with_project(_POETRY_LOCK, _POETRY)],
    "pylock": [_PYLOCK.encode()],
    "record": [_RECORD],
    "requirements": [_REQUIREMENTS.encode(), _HASHED.encode(), b"\xff\xfea\0=\0=\x001\0"],
    "uv-lock": [_UV_LOCK.encode(), _with_project(_UV_LOCK, _PROJECT)],
    "wheel": list(_wheels()),
    "zip": list(_zips()),
}
if "provenance" in HARNESSES:
    _SOUND["provenance"] = list(_signed())
assert _SOUND.keys() == HARNESSES.keys()
