"""Downloads from a server that misbehaves: right bytes or a clean error, in time, no leftovers."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from support.fault_server import (
    BODY,
    PASSWORD,
    USER,
    WRONG,
    FaultServer,
    make_certificate,
    serving,
)
from support.ports import closed_port

from packager.errors import CannotBuild, LpackError, UsageError
from packager.model.progress import NullReporter
from packager.model.requirement import IndexSettings
from packager.model.retry_policy import RetryPolicy
from packager.model.selection import WheelReference
from packager.wheels.download import fetch
from packager.wheels.store import Store

CASES = json.loads(
    (Path(__file__).parents[1] / "cases" / "download" / "scripts.json").read_text(encoding="utf-8")
)
GOOD = hashlib.sha256(BODY).hexdigest()
NAME = "demo-1-py3-none-any.whl"
LOGIN = "builder:s3cr3t-pa%2Fss@"
# How late an end may be on a busy machine; what hangs does so for 30 seconds or without end.
LATE_SECONDS = 15.0
POLICY = RetryPolicy(attempts=3, first_delay=0.01, connect_timeout=2, read_timeout=0.4, deadline=3)


class Bar(NullReporter):
    """Adds up what a progress bar would show."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.total = self.done = self.open = 0

    def begin(self, title: str, total_bytes: int) -> None:
        assert "wheel" in title
        self.total, self.open = total_bytes, self.open + 1

    def advance(self, done_bytes: int) -> None:
        with self.lock:
            self.done += done_bytes

    def end(self) -> None:
        self.open -= 1


@pytest.fixture(autouse=True)
def _no_netrc_and_no_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def wheel(url: str, *, size: bool = True, sha256: str = GOOD) -> WheelReference:
    return WheelReference(
        filename=NAME, sha256=sha256, url=url, size_bytes=len(BODY) if size else None
    )


def get(
    store: Store, *wheels: WheelReference, settings: IndexSettings | None = None
) -> LpackError | None:
    """Fetch and give the error; whatever happens, nothing is left and no secret is told."""
    bar = Bar()
    error: LpackError | None = None
    try:
        fetch(wheels, store, settings=settings or IndexSettings(), reporter=bar, policy=POLICY)
    except LpackError as caught:
        error = caught
    assert list(store.root.glob("tmp/*")) == []
    assert bar.open == 0
    if error is None:
        assert all(store.wheel_is_intact(w.sha256) for w in wheels)
        assert bar.done == sum(p.stat().st_size for p in store.root.glob("wheels/*/*"))
    else:
        told = " ".join([str(error), error.message, error.hint or "", *error.details])
        assert not re.search(r"s3cr3t|pa%2Fss|pa/ss|signature", told)
        assert "\n" not in error.message + (error.hint or "")
        assert not error.message.endswith(".")
    return error


@pytest.mark.parametrize(
    "case", CASES, ids=[c["script"] + ("" if c.get("size", True) else "-no-size") for c in CASES]
)
def test_script(server: FaultServer, store: Store, case: dict[str, Any]) -> None:
    started = time.monotonic()
    url = server.url(case["script"]) + "?signature=s3cr3t"
    error = get(store, wheel(url, size=case.get("size", True)))
    took = time.monotonic() - started
    assert took < POLICY.deadline + LATE_SECONDS
    assert took >= case.get("at_least_seconds", 0)
    if "error" in case:
        pattern = case["error"].replace("@GOOD@", GOOD)
        pattern = pattern.replace("@WRONG@", hashlib.sha256(WRONG).hexdigest())
        assert isinstance(error, CannotBuild)
        assert re.search(pattern, error.message)
        assert case.get("hint", "") in (error.hint or "")
        assert case.get("detail", "") in " ".join(error.details)
        assert list(store.root.glob("wheels/*/*")) == []
    else:
        assert error is None
        assert store.wheel_path(GOOD).read_bytes() == BODY
    assert len(server.requests) == case["requests"]


def test_a_present_wheel_is_not_asked_for(server: FaultServer, store: Store) -> None:
    one = wheel(server.url("ok"))
    assert get(store, one, one) is None
    fetch([one], store, settings=IndexSettings(), reporter=NullReporter(), offline=True)
    assert len(server.requests) == 1


def test_a_wheel_of_the_wrong_size_in_the_store_is_fetched_again(
    server: FaultServer, store: Store
) -> None:
    assert get(store, wheel(server.url("ok"))) is None
    store.wheel_path(GOOD).write_bytes(BODY[:100])
    assert get(store, wheel(server.url("ok"))) is None
    assert store.wheel_path(GOOD).read_bytes() == BODY


# Credentials


def authorizations(server: FaultServer) -> list[str | None]:
    return [request.headers.get("authorization") for request in server.requests]


def test_credentials_in_the_url_are_used(server: FaultServer, store: Store) -> None:
    assert get(store, wheel(server.url("basic", user=LOGIN))) is None


def test_credentials_of_the_index_are_used_on_its_host(server: FaultServer, store: Store) -> None:
    settings = IndexSettings(index_url=f"http://{LOGIN}127.0.0.1:{server.port}/simple")
    assert get(store, wheel(server.url("basic")), settings=settings) is None


def test_credentials_of_the_index_stay_away_from_other_ports(
    server: FaultServer, other: FaultServer, store: Store
) -> None:
    settings = IndexSettings(index_url=f"http://{LOGIN}127.0.0.1:{other.port}/simple")
    assert get(store, wheel(server.url("ok")), settings=settings) is None
    assert authorizations(server) == [None]


def test_netrc_is_used(
    server: FaultServer, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert get(store, wheel(server.url("basic"))) is None


def test_credentials_in_the_url_win_over_netrc(
    server: FaultServer, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password wrong\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert get(store, wheel(server.url("basic", user=LOGIN))) is None


def test_wrong_credentials_are_told_without_telling_them(server: FaultServer, store: Store) -> None:
    error = get(store, wheel(server.url("basic", user="builder:s3cr3t@") + "?signature=1"))
    assert error is not None
    assert f"http://***@127.0.0.1:{server.port}/basic/{NAME}`: the server answers 401" in str(error)


def test_a_redirect_on_the_same_host_keeps_credentials(server: FaultServer, store: Store) -> None:
    assert get(store, wheel(server.url("redirect-basic", user=LOGIN))) is None


@pytest.mark.parametrize("script", ["redirect-elsewhere-basic", "redirect-other-port"])
def test_a_redirect_elsewhere_never_gets_credentials(
    server: FaultServer, other: FaultServer, store: Store, script: str
) -> None:
    error = get(store, wheel(server.url(script, user=LOGIN)))
    assert error is not None
    assert "401" in error.message
    assert authorizations(other) == [None]
    assert authorizations(server) != [None]


def test_a_redirect_to_another_host_is_not_looked_up_in_netrc(
    server: FaultServer,
    other: FaultServer,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"default login {USER} password {PASSWORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert get(store, wheel(server.url("redirect-elsewhere"))) is None
    assert authorizations(other) == [None]


# TLS


def test_https_with_the_configured_certificate(store: Store, certificate: Path) -> None:
    with serving(certificate=certificate) as secure:
        settings = IndexSettings(certificate=str(certificate))
        assert get(store, wheel(secure.url("ok")), settings=settings) is None


def test_an_unknown_certificate_is_refused_at_once(store: Store, certificate: Path) -> None:
    with serving(certificate=certificate) as secure:
        error = get(store, wheel(secure.url("ok")))
        assert error is not None
        assert "does not have a trusted certificate: self-signed certificate" in error.message
        assert "REQUESTS_CA_BUNDLE" in str(error.hint)
        assert secure.requests == []


def test_a_redirect_from_https_to_http_is_refused(
    store: Store, certificate: Path, other: FaultServer
) -> None:
    with serving(certificate=certificate, other=other) as secure:
        settings = IndexSettings(certificate=str(certificate))
        error = get(store, wheel(secure.url("redirect-elsewhere")), settings=settings)
    assert error is not None
    assert "a redirect from https to http" in error.message
    assert other.requests == []


def test_an_absent_certificate_is_a_usage_error(server: FaultServer, store: Store) -> None:
    error = get(store, wheel(server.url("ok")), settings=IndexSettings(certificate="/no/ca.pem"))
    assert isinstance(error, UsageError)
    assert "/no/ca.pem" in error.message


def test_an_absent_certificate_in_the_environment(
    store: Store, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/ca.pem")
    with serving(certificate=certificate) as secure:
        error = get(store, wheel(secure.url("ok")))
    assert error is not None
    assert "/no/ca.pem" in error.message


# No network


def test_nobody_listens(store: Store) -> None:
    with closed_port() as port:
        error = get(store, wheel(f"http://127.0.0.1:{port}/{NAME}"))
    assert error is not None
    assert error.message == f"cannot reach `127.0.0.1:{port}`: Connection refused"
    assert "--offline" in str(error.hint)


def test_an_unknown_host(store: Store) -> None:
    error = get(store, wheel(f"https://host.invalid/{NAME}"))
    assert error is not None
    assert error.message.startswith("cannot reach `host.invalid:443`: ")


def test_a_proxy_is_used_and_its_absence_told(server: FaultServer, store: Store) -> None:
    proxy = IndexSettings(proxy=f"http://127.0.0.1:{server.port}")
    assert get(store, wheel(f"http://host.invalid/ok/{NAME}"), settings=proxy) is None
    assert server.requests[0].headers["host"] == "host.invalid"


def test_an_absent_proxy(store: Store) -> None:
    with closed_port() as port:
        proxy = IndexSettings(proxy=f"http://{LOGIN}127.0.0.1:{port}")
        error = get(store, wheel(f"http://host.invalid/ok/{NAME}"), settings=proxy)
    assert error is not None
    assert "the proxy fails (Connection refused)" in error.message


@pytest.mark.parametrize(
    "url", ["ftp://h/x.whl", "http://", "http://[x/y.whl", "http://a..b/x.whl", "http://h:99999/x"]
)
def test_no_usable_url(store: Store, url: str) -> None:
    error = get(store, wheel(url))
    assert error is not None
    assert "no usable URL" in error.message


def test_offline_names_what_is_missing(server: FaultServer, store: Store) -> None:
    wheels = [wheel(server.url("ok")), wheel(server.url("ok"), sha256="0" * 64)]
    for some, message in ((wheels, "2 wheels are not"), (wheels[:1], f"`{NAME}` is not")):
        with pytest.raises(CannotBuild, match=re.escape(message)) as caught:
            fetch(some, store, settings=IndexSettings(), reporter=NullReporter(), offline=True)
        assert caught.value.hint == "run once without --offline"
        assert caught.value.details == (NAME,) * len(some)
    assert server.requests == []
    assert not store.root.exists()


def test_a_wheel_without_a_digest_is_refused(store: Store) -> None:
    error = get(store, wheel("https://host.invalid/x.whl", sha256="../../x"))
    assert error is not None
    assert "no sha256" in error.message


# Local files


@pytest.mark.parametrize("as_url", [True, False])
def test_a_local_wheel_is_copied_even_offline(store: Store, tmp_path: Path, as_url: bool) -> None:
    path = tmp_path / "with space" / NAME
    path.parent.mkdir()
    path.write_bytes(BODY)
    one = WheelReference(
        filename=NAME,
        sha256=GOOD,
        url=path.as_uri() if as_url else None,
        path=None if as_url else path,
    )
    fetch([one], store, settings=IndexSettings(), reporter=NullReporter(), offline=True)
    assert store.wheel_path(GOOD).read_bytes() == BODY
    path.write_bytes(WRONG)
    assert store.wheel_path(GOOD).read_bytes() == BODY


def local(path: Path) -> WheelReference:
    return WheelReference(filename=NAME, sha256=GOOD, path=path, size_bytes=len(BODY))


def test_a_local_wheel_with_other_bytes_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(WRONG)
    error = get(store, local(tmp_path / NAME))
    assert error is not None
    assert f"expected sha256 {GOOD}" in error.message


@pytest.mark.parametrize("what", ["absent", "folder", "pipe"])
def test_a_local_wheel_that_is_no_file(store: Store, tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    if what == "pipe":
        os.mkfifo(path)
    error = get(store, local(path))
    assert error is not None
    assert str(path) in error.message


def test_a_file_url_of_another_machine_is_refused(store: Store) -> None:
    error = get(store, wheel("file://server/share/x.whl"))
    assert error is not None
    assert "another machine, `server`" in error.message


# Many at once


def test_many_wheels_in_parallel_biggest_first(store: Store, tmp_path: Path) -> None:
    wheels = []
    for number in range(30):
        path = tmp_path / f"w{number}-1-py3-none-any.whl"
        path.write_bytes(BODY[: 1000 + number] + bytes([number]))
        wheels.append(
            WheelReference(
                filename=path.name,
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                path=path,
                size_bytes=path.stat().st_size,
            )
        )
    assert get(store, *wheels) is None


def others_stalling(server: FaultServer, count: int) -> list[WheelReference]:
    return [
        WheelReference(
            filename=f"slow{n}.whl",
            sha256=hashlib.sha256(bytes([n])).hexdigest(),
            url=server.url("stall", name=f"slow{n}.whl"),
            size_bytes=len(BODY) + n + 1,
        )
        for n in range(count)
    ]


def test_the_first_failure_stops_the_others(server: FaultServer, store: Store) -> None:
    patient = RetryPolicy(read_timeout=30, deadline=60)
    wheels = [*others_stalling(server, 5), wheel(server.url("not-found"))]
    started = time.monotonic()
    with pytest.raises(CannotBuild, match="404"):
        fetch(wheels, store, settings=IndexSettings(), reporter=NullReporter(), policy=patient)
    assert time.monotonic() - started < LATE_SECONDS
    assert list(store.root.glob("tmp/*")) == []


# A shell that starts a program in the background lets it ignore interrupts, and so do those that
# the program starts: a run of these tests must not depend on who started it.
FETCH = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from packager.model.progress import NullReporter
from packager.model.requirement import IndexSettings
from packager.model.selection import WheelReference
from packager.wheels.download import fetch
from packager.wheels.store import Store
wheels = [
    WheelReference(filename=url.rpartition("/")[2], sha256=f"{n:064x}", url=url)
    for n, url in enumerate(sys.argv[2:])
]
try:
    fetch(wheels, Store(Path(sys.argv[1])), settings=IndexSettings(), reporter=NullReporter())
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("script", ["stall", "silence", "drip-headers", "endless"])
def test_an_interrupt_ends_it_quickly_and_leaves_nothing(
    server: FaultServer, store: Store, script: str
) -> None:
    urls = [server.url(script, name=f"{n}.whl") for n in range(4)]
    command = [sys.executable, "-c", FETCH, str(store.root), *urls]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    begun = 0 if script in {"silence", "drip-headers"} else 4
    waited = time.monotonic() + 60
    while len(server.requests) < 4 or len(list(store.root.glob("tmp/*"))) < begun:
        assert time.monotonic() < waited
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=LATE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert (out, err) == ("interrupted\n", "")
    assert list(store.root.glob("tmp/*")) == []
    assert list(store.root.glob("wheels/*/*")) == []


def test_the_network_is_not_loaded_when_nothing_is_missing(store: Store, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(BODY)
    assert get(store, local(tmp_path / NAME)) is None
    code = (
        "import sys; from pathlib import Path\n"
        "from packager.model.requirement import IndexSettings\n"
        "from packager.model.selection import WheelReference\n"
        "from packager.model.progress import NullReporter\n"
        "from packager.wheels.download import fetch; from packager.wheels.store import Store\n"
        "one = WheelReference(filename='x', sha256=sys.argv[2], url='http://host.invalid/x')\n"
        "store = Store(Path(sys.argv[1]))\n"
        "fetch([one], store, settings=IndexSettings(), reporter=NullReporter())\n"
        "print(sorted({'requests', 'ssl', 'platformdirs', 'http.client'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.root), GOOD],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "[]\n"
