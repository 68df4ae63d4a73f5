"""The examples, built once with real wheels; every tool gets a copy to write into."""

import base64
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.fixture_wheels import CHECKOUT
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner


@dataclass(frozen=True, kw_only=True, slots=True)
class Examples:
    """A copy of `examples/` whose app is built; `environment` finds this checkout's lpack."""

    root: Path
    environment: dict[str, str]

    @property
    def zip(self) -> bytes:
        return (self.root / "app" / "dist" / "api.zip").read_bytes()

    @property
    def code_sha256(self) -> str:
        return base64.b64encode(hashlib.sha256(self.zip).digest()).decode()

    @property
    def manifest(self) -> dict[str, Any]:
        path = self.root / "app" / "dist" / "api.lpack.json"
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return values


@pytest.fixture
def examples(
    tmp_path: Path, shared_lpack: LpackRunner, real_index: Callable[[str], IndexServer]
) -> Examples:
    """Copy the examples and build their app for python3.13."""
    index = real_index("python3.13-x86_64")
    root = tmp_path / "examples"
    shutil.copytree(CHECKOUT / "examples", root, ignore=shutil.ignore_patterns("dist", ".*"))
    script = tmp_path / "programs" / "lpack"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m packager "$@"\n')
    script.chmod(0o755)
    environment = shared_lpack.environment(
        {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "LPACK_BUILD_INDEX_URL": index.url,
        }
    )
    node = shutil.which("node")
    places = [str(script.parent), environment["PATH"], str(Path(node).parent) if node else ""]
    environment["PATH"] = os.pathsep.join(filter(None, places))
    shared_lpack.ok("build", "--index-url", index.url, cwd=root / "app")
    return Examples(root=root, environment=environment)
