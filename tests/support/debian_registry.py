"""Debian's docker-registry on 127.0.0.1, with a password: somebody else's registry."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.ports import free_port

USER, PASSWORD = "builder", "secret"
_CONFIG = """
version: 0.1
log: {{accesslog: {{disabled: false}}}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "127.0.0.1:{port}"}}
auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}
"""
_START_SECONDS = 15.0


@dataclass
class DebianRegistry:
    """The running registry; `log` is what it wrote."""

    port: int
    log: Path

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def requests(self) -> list[str]:
        """All requests so far, as `METHOD /path`."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return re.findall(r'"([A-Z]+ /v2/\S*) HTTP', text)

    def sent_blobs(self) -> list[str]:
        """The digests of blobs whose upload was finished."""
        pattern = r"PUT \S*[?&]digest=(sha256(?::|%3A)[0-9a-f]{64})"
        found = (re.search(pattern, line) for line in self.requests())
        return [match[1].replace("%3A", ":") for match in found if match]


@contextmanager
def debian_registry(folder: Path) -> Iterator[DebianRegistry]:
    """Run it with its data in `folder`; skips the test where it is not installed."""
    for program in ("docker-registry", "htpasswd"):
        if shutil.which(program) is None:
            pytest.skip(f"`{program}` is not installed")
    made = subprocess.run(
        ["htpasswd", "-Bbn", USER, PASSWORD], capture_output=True, text=True, check=True
    )
    (folder / "htpasswd").write_text(made.stdout)
    port = free_port()
    (folder / "registry.yml").write_text(_CONFIG.format(folder=folder, port=port))
    log = folder / "registry.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(folder / "registry.yml")],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(port, process, log)
        yield DebianRegistry(port, log)
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the registry does not start:\n{log.read_text(errors='replace')}")
