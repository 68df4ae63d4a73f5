"""Random scripts of a server's misbehaviour: the right bytes or one line, in time, no leftovers.

`LPACK_NETWORK_SEED` begins the seeds elsewhere.
"""

import hashlib
import logging
import os
import re
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from support.fault_server import BASIC, BODY, PASSWORD, USER, FaultServer, make_certificate, serving
from support.intensity import TORTURE, times
from support.random_answers import Meaning
from support.random_scripts import FILE, Patience, RandomScript, random_script, register

from packager.errors import CannotBuild, LpackError
from packager.model.image import Descriptor
from packager.model.progress import NullReporter
from packager.model.requirement import IndexSettings
from packager.model.retry_policy import RetryPolicy
from packager.model.selection import WheelReference
from packager.model.shared_store import Blob, SharedPlace
from packager.model.shared_store import Patience as SharedPatience
from packager.registry.access import Access
from packager.registry.docker_config import Login
from packager.registry.pull import fetch_blob
from packager.registry.reference import parse_reference
from packager.registry.session import Session
from packager.shared.client import SharedStore
from packager.wheels.download import fetch
from packager.wheels.store import Store

GOOD = hashlib.sha256(BODY).hexdigest()
LOGIN = "builder:s3cr3t-pa%2Fss@"
SECRETS = re.compile(r"s3cr3t|pa%2Fss|pa/ss|signature")
PATIENCE = Patience(tries=3, wrong=2, silence=0.4, deadline=3.0)
POLICY = RetryPolicy(
    attempts=PATIENCE.tries,
    first_delay=0.01,
    connect_timeout=2,
    read_timeout=PATIENCE.silence,
    deadline=PATIENCE.deadline,
)
WAITING = SharedPatience(connect=2, silence=PATIENCE.silence, window=1.0, window_bytes=1 << 17)
# What a busy machine may add to a deadline.
LATE_SECONDS = 15.0
AT_ONCE = 12
FIRST_SEED = int(os.environ.get("LPACK_NETWORK_SEED", "0"))


@pytest.fixture(autouse=True)
def _no_netrc_no_proxy_no_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "urllib3")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def scripts(count: int, *, secure: bool = False) -> list[RandomScript]:
    """Draw `count` scripts; where no time is to be lost, those that wait for nothing."""
    drawn: list[RandomScript] = []
    seed = FIRST_SEED
    while len(drawn) < count:
        script = random_script(seed, PATIENCE, secure=secure)
        if TORTURE or script.expected(PATIENCE)[2] == 0:
            drawn.append(script)
        seed += 1
    return drawn


def problems(
    drawn: list[RandomScript], run: Callable[[RandomScript, Path], str | None], folder: Path
) -> list[str]:
    """Run every script in a folder of its own, several at once; tell which went wrong, and how."""

    def one(script: RandomScript) -> str | None:
        place = folder / script.name
        place.mkdir()
        try:
            problem = run(script, place)
        except Exception as error:  # noqa: BLE001 -- the worst outcome of all, and told with its script
            problem = f"a traceback: {error!r}"
        shutil.rmtree(place)
        return f"{script}\n  {problem}\n  served {script.served}" if problem else None

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [found for found in threads.map(one, drawn) if found]


def untold(error: LpackError) -> str | None:
    """Tell what is wrong with the words of an error."""
    told = [str(error), error.message, error.hint or "", *error.details]
    if SECRETS.search(" ".join(told)):
        return f"a secret: {told}"
    if not error.hint or not error.message:
        return f"no hint: {told}"
    if not all(line.isprintable() for line in told[1:]):
        return f"more than a line: {told}"
    return None


# A thread that hangs in a head that never ends is left behind, with its connection.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_downloads(server: FaultServer, other: FaultServer, tmp_path: Path) -> None:
    drawn = scripts(times(25, 1000))
    register_all(drawn, server, other)
    found = problems(drawn, lambda script, folder: downloaded(script, folder, server), tmp_path)
    assert found == [], "\n".join(found)
    known = [r.headers.get("authorization") for r in other.requests]
    assert BASIC not in known


def register_all(drawn: list[RandomScript], *servers: FaultServer) -> None:
    for script in drawn:
        register(script, *servers)


def downloaded(
    script: RandomScript,
    folder: Path,
    server: FaultServer,
    settings: IndexSettings | None = None,
) -> str | None:
    """Fetch what a script serves, and tell what was not as it should be."""
    store = Store(folder / "store")
    url = server.url(script.name, user=LOGIN, name=FILE) + "?signature=s3cr3t"
    wanted = WheelReference(filename=FILE, sha256=GOOD, url=url, size_bytes=len(BODY))
    error: LpackError | None = None
    began = time.monotonic()
    try:
        fetch(
            [wanted], store, settings=settings or IndexSettings(), reporter=NullReporter(),
            policy=POLICY,
        )  # fmt: skip
    except LpackError as caught:
        error = caught
    took = time.monotonic() - began
    meaning, tries, _ = script.expected(PATIENCE)
    if took > PATIENCE.deadline + LATE_SECONDS:
        return f"it took {took:.1f} seconds"
    if left := list(store.root.glob("tmp/*")):
        return f"left over: {left}"
    if error is None:
        right = store.wheel_path(GOOD).read_bytes() == BODY
        return None if right and meaning in {Meaning.GOOD, Meaning.OPEN} else f"taken: {meaning}"
    if meaning is Meaning.GOOD or list(store.root.glob("wheels/*/*")):
        return f"given up too early, or kept something: {error}"
    return untold(error) or (None if script.tries <= tries else f"{script.tries} tries")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_downloads_by_tls(tmp_path: Path) -> None:
    drawn = scripts(times(5, 200), secure=True)
    certificate = make_certificate(tmp_path)
    settings = IndexSettings(certificate=str(certificate))
    with serving(certificate=certificate) as server:
        register_all(drawn, server)
        found = problems(drawn, lambda s, folder: downloaded(s, folder, server, settings), tmp_path)
    assert found == [], "\n".join(found)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_blobs_of_a_registry(server: FaultServer, other: FaultServer, tmp_path: Path) -> None:
    drawn = scripts(times(10, 500))
    register_all(drawn, server, other)
    found = problems(drawn, lambda script, folder: pulled(script, folder, server), tmp_path)
    assert found == [], "\n".join(found)
    known = [r.headers.get("authorization") for r in other.requests]
    assert BASIC not in known


def pulled(script: RandomScript, folder: Path, server: FaultServer) -> str | None:
    """Pull what a script serves as a blob of an image, and tell what was not as it should be."""
    reference = parse_reference(f"127.0.0.1:{server.port}/{script.name}/base:1")
    login = Login(USER, PASSWORD)
    rules = Access(login=lambda _: login, refusal=CannotBuild, policy=POLICY)
    blob = Descriptor("", f"sha256:{GOOD}", len(BODY))
    began = time.monotonic()
    error: LpackError | None = None
    try:
        with closing(Session(reference, rules, pushing=False)) as session:
            fetch_blob(session, blob, folder / "blob")
    except CannotBuild as caught:
        error = caught
    took = time.monotonic() - began
    # Once for all that is read of a body, and once for a head that never ends.
    if took > 2 * PATIENCE.deadline + LATE_SECONDS:
        return f"it took {took:.1f} seconds"
    if error is None and (folder / "blob").read_bytes() != BODY:
        return "wrong bytes"
    return untold(error) if error is not None else None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_values_of_a_shared_store(server: FaultServer, tmp_path: Path) -> None:
    drawn = scripts(times(10, 500))
    register_all(drawn, server)
    found = problems(drawn, lambda script, _: shared(script, server), tmp_path)
    assert found == [], "\n".join(found)


def shared(script: RandomScript, server: FaultServer) -> str | None:
    """Ask a shared store that follows a script, and tell what was not as it should be."""
    url = server.url(script.name, user=LOGIN, name="")
    store = SharedStore(SharedPlace(url.rstrip("/")), patience=WAITING)
    received: list[bytes] = []
    began = time.monotonic()
    for _ in range(4):
        store.blobs([Blob(GOOD, len(BODY))], lambda _, chunks: received.append(b"".join(chunks)))
        store.documents([("wheels", GOOD)], lambda *_: received.append(b"a document"))
    took = time.monotonic() - began
    if took > 4 * WAITING.window + LATE_SECONDS:
        return f"it took {took:.1f} seconds"
    if any(each != BODY for each in received):
        return f"wrong bytes: {received}"
    told = store.warnings()
    if SECRETS.search(" ".join(told)) or not all(line.isprintable() for line in told):
        return f"told {told}"
    if script.answers[0].meaning is Meaning.GOOD and not script.hops[0] and not received:
        return "right bytes were not taken"
    return None
