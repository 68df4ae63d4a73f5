"""Images in tests: a base like AWS's, small; images taken apart by other people's programs."""

import gzip
import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from support.image_layout import layer_tar, write_layout

ELF_HEAD = {
    "amd64": b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00" + bytes(44),
    "arm64": b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\xb7\x00" + bytes(44),
}


def write_aws_like_base(
    folder: Path, *, python: str = "3.13", machine: str = "amd64", label: str = "test"
) -> Path:
    """A layout with what tells AWS's base images: entry point, interpreter, environment.

    The second layer takes a file of the first away.
    """
    lower: dict[str, bytes | None] = {
        "lambda-entrypoint.sh": b"#!/bin/sh\nexec /var/runtime/bootstrap\n",
        f"var/lang/bin/python{python}": ELF_HEAD[machine],
        "var/runtime/bootstrap": b"#!/bin/sh\n",
        "etc/gone": b"x",
    }
    upper: dict[str, bytes | None] = {"etc/.wh.gone": b"", "etc/there": b"y"}
    config = {
        "Env": ["LANG=en_US.UTF-8", "PATH=/var/lang/bin:/usr/bin", "LAMBDA_TASK_ROOT=/var/task"],
        "Entrypoint": ["/lambda-entrypoint.sh"],
        "WorkingDir": "/var/task",
        "Labels": {"maker": label},
        "ExposedPorts": {"8080/tcp": {}},
    }
    layers = [layer_tar(lower), layer_tar(upper)]
    return write_layout(folder, layers, config=config, architecture=machine)


def blob(layout: Path, digest: str) -> bytes:
    """A blob, whose digest must be right."""
    data = (layout / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()
    assert f"sha256:{hashlib.sha256(data).hexdigest()}" == digest
    return data


def documents(layout: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest and the configuration of the only image."""
    index = json.loads((layout / "index.json").read_text())
    [entry] = index["manifests"]
    manifest = json.loads(blob(layout, entry["digest"]))
    return manifest, json.loads(blob(layout, manifest["config"]["digest"]))


def layer_entries(layout: Path, number: int) -> dict[str, tarfile.TarInfo]:
    """The entries of a layer by name, in their order; the layer must be one gzip file."""
    manifest, config = documents(layout)
    tar = gzip.decompress(blob(layout, manifest["layers"][number]["digest"]))
    assert config["rootfs"]["diff_ids"][number] == f"sha256:{hashlib.sha256(tar).hexdigest()}"
    path = layout.parent / "layer.tar"
    path.write_bytes(tar)
    with tarfile.open(path) as opened:
        return {entry.name: entry for entry in opened}


def unpacked_by_umoci(layout: Path, folder: Path) -> Path:
    """Let umoci unpack the image; returns the root file system."""
    if shutil.which("umoci") is None:
        pytest.skip("`umoci` is not installed")
    run("umoci", "unpack", "--rootless", "--image", f"{layout}:latest", str(folder))
    return folder / "rootfs"


def run(*command: str) -> str:
    """Run a program that must succeed; returns what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def skopeo(*arguments: str) -> str:
    """Run skopeo, which reads every blob that it copies and takes its digest."""
    if shutil.which("skopeo") is None:
        pytest.skip("`skopeo` is not installed")
    return run("skopeo", "--insecure-policy", *arguments)


def files_below(folder: Path) -> dict[str, tuple[str, int]]:
    """Digest and permission bits of every file below `folder`."""
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mode & 0o777,
        )
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
