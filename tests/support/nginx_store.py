"""nginx with WebDAV's PUT on 127.0.0.1: the plainest shared store there is."""

import os
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
from support.fixture_wheels import CHECKOUT
from support.ports import free_port

USER, PASSWORD = "builder", "s3cr3t-pa/ss"
_PAGE = CHECKOUT / "docs/shared-store.md"
_AROUND = """
{user}
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {directives}
  {server}
}}
"""
_START_SECONDS = 15.0


@dataclass(kw_only=True)
class NginxStore:
    """The running server; `folder` holds its data and its log."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        """What `LPACK_SHARED_STORE` is set to."""
        return f"http://127.0.0.1:{self.port}/lpack"

    @property
    def url_with_password(self) -> str:
        """The same with the credentials that may write."""
        return f"http://{USER}:{PASSWORD.replace('/', '%2F')}@127.0.0.1:{self.port}/lpack"

    def values(self, kind: str) -> list[Path]:
        """The files of `ac` or `cas`."""
        folder = self.folder / "data/lpack" / kind
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def requests(self) -> list[str]:
        """All requests so far, as `METHOD /path STATUS`."""
        text = (self.folder / "access.log").read_text()
        return [" ".join(found) for found in re.findall(r'"([A-Z]+) (\S+) HTTP[^"]*" (\d+)', text)]


def documented_server() -> str:
    """What the page tells people to configure."""
    fence = re.search(r"^```nginx\n(.*?)^```$", _PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert fence is not None
    return fence[1]


def nginx() -> str:
    """The program; skips the test where it is not installed."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which("nginx", path=path)
    if found is None:
        pytest.skip("`nginx` is not installed")
    return found


@contextmanager
def nginx_store(folder: Path, *, directives: str = "") -> Iterator[NginxStore]:
    """Run the server of docs/shared-store.md with its data in `folder`.

    `directives` are further lines of its configuration.
    """
    program = nginx()
    (folder / "data").mkdir(parents=True)
    (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    port = free_port()
    # Only root may choose who the workers are, and then they must be able to read `folder`.
    user = "user root;" if os.geteuid() == 0 else ""
    server = documented_server().replace("8080", f"127.0.0.1:{port}")
    server = server.replace("/srv/lpack-store", str(folder / "data"))
    server = server.replace("/etc/nginx/lpack-store.users", str(folder / "users"))
    text = _AROUND.format(folder=folder, user=user, server=server, directives=directives)
    (folder / "nginx.conf").write_text(text)
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [program, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")],
            stdout=output,
            stderr=output,
        )
        try:
            _await(process, port, folder / "output.log")
            yield NginxStore(port=port, folder=folder)
        finally:
            process.terminate()
            process.wait()


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise AssertionError(f"nginx did not start:\n{log.read_text()}")
