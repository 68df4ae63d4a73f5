"""Pushing to and pulling from registries that misbehave: right digests or one clear line."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.image_layout import layer_tar, write_layout
from support.scripted_registry import (
    BASIC,
    PASSWORD,
    TOKEN,
    USER,
    Fault,
    Handler,
    Registry,
    answering,
    digest_of,
    serving_registry,
)

from packager.errors import CannotBuild, CannotPublish, LpackError
from packager.model.image import OCI_MANIFEST, Descriptor
from packager.model.progress import NullReporter
from packager.model.retry_policy import RetryPolicy
from packager.pipeline.publish import PublishedImage, publish_image, target_of
from packager.registry import push
from packager.registry.access import Access
from packager.registry.docker_config import Login
from packager.registry.pull import fetch_blob, resolve
from packager.registry.reference import parse_reference
from packager.registry.session import Session

PATIENCE = RetryPolicy(attempts=3, first_delay=0.01, connect_timeout=2, read_timeout=2)
BIG = bytes(range(256)) * 4000


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving_registry() as running:
        yield running


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """An image of two layers, one of them of several chunks once chunks are small."""
    layers = [layer_tar({"a.txt": b"a"}), layer_tar({"big": hashlib.shake_128(BIG).digest(9999)})]
    return write_layout(tmp_path / "layout", layers)


def access(**changes: Any) -> Access:
    login = changes.pop("login", Login(USER, PASSWORD))
    return Access(
        login=lambda _: login, **{"refusal": CannotPublish, "policy": PATIENCE, **changes}
    )


def pushed(registry: Registry, layout: Path, **changes: Any) -> PublishedImage:
    options = {"expected_digest": None, "base": None, "dry_run": False} | {
        name: changes.pop(name) for name in ("base", "dry_run") if name in changes
    }
    return publish_image(
        layout,
        target_of(f"{registry.host}/team/api:1"),
        access=access(**changes),
        reporter=NullReporter(),
        **options,
    )


def check_whole(registry: Registry, layout: Path) -> None:
    """All blobs and the manifest are on the registry, byte by byte."""
    index = json.loads((layout / "index.json").read_text())
    digest = index["manifests"][0]["digest"]
    content = registry.manifests["1"][1]
    assert digest_of(content) == digest
    manifest = json.loads(content)
    for each in [manifest["config"], *manifest["layers"]]:
        stored = (layout / "blobs/sha256" / each["digest"].removeprefix("sha256:")).read_bytes()
        assert registry.blobs[each["digest"]] == stored


@pytest.mark.parametrize("auth", ["none", "basic", "token"])
def test_a_push_is_whole_and_the_second_sends_nothing(auth: str, layout: Path) -> None:
    with serving_registry(auth=auth) as registry:
        first = pushed(registry, layout)
        check_whole(registry, layout)
        assert first.sent_bytes == sum(each.compressed_bytes for each in first.blobs) > 0
        assert first.reference.text == f"{registry.host}/team/api:1@{first.digest}"
        before = registry.count("POST")
        assert pushed(registry, layout).sent_bytes == 0
        assert registry.count("POST") == before


def test_a_dry_run_sends_nothing(registry: Registry, layout: Path) -> None:
    done = pushed(registry, layout, dry_run=True)
    assert {each.outcome for each in done.blobs} == {"uploaded"}
    assert {each.method for each in registry.asked} == {"HEAD"}


def test_an_identity_token_is_traded_for_a_token(layout: Path) -> None:
    with serving_registry(auth="token") as registry:
        pushed(registry, layout, login=Login("", "", "refresh-me"))
        check_whole(registry, layout)
        assert registry.count("POST", "^/token") > 0


def test_a_base_on_the_same_registry_is_mounted(registry: Registry, layout: Path) -> None:
    manifest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    blobs = layout / "blobs/sha256"
    layers = json.loads((blobs / manifest.removeprefix("sha256:")).read_text())["layers"]
    config = json.loads((blobs / manifest.removeprefix("sha256:")).read_text())["config"]["digest"]
    # The history says that neither layer is lpack's.
    place = blobs / config.removeprefix("sha256:")
    document = json.loads(place.read_text()) | {"history": [{"created_by": "somebody"}] * 2}
    rewritten = write_layout_with_config(layout, document)
    for each in layers:
        name = each["digest"].removeprefix("sha256:")
        registry.mountable[each["digest"]] = (blobs / name).read_bytes()
    done = pushed(registry, rewritten, base=f"{registry.host}/team/base:1")
    assert sorted(each.outcome for each in done.blobs) == ["mounted", "mounted", "uploaded"]
    assert registry.count("POST", r"mount=sha256:\w+&from=team/base$") == 2


def write_layout_with_config(layout: Path, config: dict[str, Any]) -> Path:
    """Give the image of `layout` another configuration."""
    blobs = layout / "blobs/sha256"
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads(
        (blobs / index["manifests"][0]["digest"].removeprefix("sha256:")).read_text()
    )
    for target, document in ((manifest["config"], config), (index["manifests"][0], manifest)):
        content = json.dumps(document).encode()
        target |= {"digest": digest_of(content), "size": len(content)}
        (blobs / target["digest"].removeprefix("sha256:")).write_bytes(content)
    (layout / "index.json").write_text(json.dumps(index))
    return layout


def status(code: int, **headers: str) -> Callable[[Handler], None]:
    def respond(handler: Handler) -> None:
        handler.body()
        handler.refuse(code, "DENIED", **headers)

    return respond


FINAL = {
    401: "docker login 127.0.0.1",
    403: "needs the right to push to `team/api`",
    404: "create the repository `team/api`",
    400: "check host and name of the reference",
}


@pytest.mark.parametrize("code", FINAL)
@pytest.mark.parametrize(("method", "path"), [("POST", "uploads"), ("PUT", "manifests")])
def test_a_refusal_is_one_line_and_final(
    registry: Registry, layout: Path, code: int, method: str, path: str
) -> None:
    registry.faults.append(answering(method, path, status(code)))
    with pytest.raises(CannotPublish) as caught:
        pushed(registry, layout)
    message = caught.value.message
    assert f"127.0.0.1 answers {code}" in message
    assert "(denied at " in message
    assert "\n" not in message
    assert FINAL[code] in str(caught.value.hint)
    check_no_secret(caught.value)
    assert registry.manifests == {}


def check_no_secret(error: LpackError) -> None:
    told = f"{error.message} {error.hint} {error.details}"
    assert PASSWORD not in told
    assert TOKEN not in told
    assert BASIC.removeprefix("Basic ") not in told


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503])
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "GET"])
def test_a_passing_trouble_passes(registry: Registry, layout: Path, code: int, method: str) -> None:
    registry.faults.append(answering(method, "", status(code), times=2))
    pushed(registry, layout)
    check_whole(registry, layout)


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_lasting_trouble_ends(registry: Registry, layout: Path, code: int) -> None:
    registry.faults.append(answering("POST", "", status(code)))
    with pytest.raises(CannotPublish, match=f"127.0.0.1 answers {code}") as caught:
        pushed(registry, layout)
    assert caught.value.hint


def test_retry_after_is_waited_for(
    registry: Registry, layout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    really = threading.Event.wait

    def wait(event: threading.Event, timeout: float | None = None) -> bool:
        if timeout != 7.0:
            return really(event, timeout)
        waited.append(timeout)
        return False

    monkeypatch.setattr(threading.Event, "wait", wait)
    registry.faults.append(answering("POST", "", status(429, Retry_After="7"), times=1))
    pushed(registry, layout)
    assert waited == [7.0]


def test_a_long_retry_after_is_told_instead(registry: Registry, layout: Path) -> None:
    registry.faults.append(answering("POST", "", status(429, Retry_After="3600")))
    with pytest.raises(CannotPublish, match="429") as caught:
        pushed(registry, layout)
    assert caught.value.hint == "try again in 3600 seconds, as it asks"
    assert registry.count("POST") == 1


def test_nobody_there(layout: Path) -> None:
    with serving_registry() as gone:
        pass
    with pytest.raises(CannotPublish, match="Connection refused") as caught:
        pushed(gone, layout)
    assert "check the network" in str(caught.value.hint)


@pytest.mark.parametrize("times", [1, 2])
def test_a_cut_upload_goes_on_where_it_stopped(
    registry: Registry, layout: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.setattr(push, "CHUNK_BYTES", 2000)

    def cut(handler: Handler) -> None:
        name = handler.path.rpartition("/")[2].partition("?")[0]
        registry.uploads[name] += handler.rfile.read(700)
        handler.cut()

    registry.faults.append(answering("PATCH", "", cut, times=times))
    done = pushed(registry, layout)
    check_whole(registry, layout)
    whole = sum(each.compressed_bytes for each in done.blobs)
    # What arrived was not sent again; how much of a cut chunk was sent, nobody can tell.
    assert done.sent_bytes <= whole + times * 2000
    assert registry.count("GET", "uploads") == times


def test_a_forgotten_upload_begins_again(
    registry: Registry, layout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "CHUNK_BYTES", 2000)

    def forget(handler: Handler) -> None:
        registry.uploads.clear()
        handler.cut()

    registry.faults.append(answering("PATCH", "", forget, times=1))
    pushed(registry, layout)
    check_whole(registry, layout)


def test_uploads_that_are_always_cut_end(registry: Registry, layout: Path) -> None:
    registry.faults.append(answering("PUT", "blobs", Handler.cut))
    with pytest.raises(CannotPublish, match="the connection to"):
        pushed(registry, layout)


def test_a_registry_that_loses_blobs_is_found_out(registry: Registry, layout: Path) -> None:
    def lose(handler: Handler) -> None:
        handler.body()
        handler.answer(201)

    registry.faults.append(answering("PUT", "blobs", lose))
    with pytest.raises(CannotPublish, match="does not have it afterwards"):
        pushed(registry, layout)


def test_a_registry_with_another_digest_is_found_out(registry: Registry, layout: Path) -> None:
    wrong = "sha256:" + "0" * 64
    registry.faults.append(
        answering("HEAD", "", lambda h: h.answer(200, Docker_Content_Digest=wrong))
    )
    with pytest.raises(CannotPublish, match="by another digest"):
        pushed(registry, layout)


def test_a_manifest_that_reads_back_differently_is_found_out(
    registry: Registry, layout: Path
) -> None:
    def other(handler: Handler) -> None:
        content = json.dumps({"mediaType": OCI_MANIFEST, "schemaVersion": 2}).encode()
        handler.answer(200, content, Content_Type=OCI_MANIFEST)

    registry.faults.append(answering("GET", "manifests", other))
    with pytest.raises(CannotPublish, match="was pushed"):
        pushed(registry, layout)


def test_a_damaged_layout_is_not_sent(registry: Registry, layout: Path) -> None:
    for path in (layout / "blobs/sha256").iterdir():
        if path.read_bytes().startswith(b"\x1f\x8b"):
            path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(CannotPublish, match="other bytes than its name says"):
        pushed(registry, layout)
    assert registry.count("POST") == 0


# Where credentials go.


def let_in(respond: Callable[[Handler], None], *, method: str) -> Fault:
    """Let `respond` answer those who have the credentials."""

    def fault(handler: Handler) -> bool:
        if handler.command != method or handler.headers.get("Authorization") != BASIC:
            return False
        respond(handler)
        return True

    return fault


def test_another_origin_gets_no_credentials(layout: Path) -> None:
    with serving_registry(auth="basic") as registry, serving_registry() as other:

        def elsewhere(handler: Handler) -> None:
            handler.body()
            name = f"u{len(other.uploads)}"
            other.uploads[name] = bytearray()
            location = f"http://{other.host}/v2/team/api/blobs/uploads/{name}"
            handler.answer(202, Location=location)

        registry.faults.append(let_in(elsewhere, method="POST"))
        with pytest.raises(CannotPublish, match="does not have it afterwards"):
            pushed(registry, layout)
        assert other.count("PUT") > 0
        assert all("authorization" not in each.headers for each in other.asked)


def test_a_redirected_blob_is_fetched_without_credentials(tmp_path: Path) -> None:
    content = b"blob" * 99
    with serving_registry(auth="basic") as registry, serving_registry() as other:
        other.blobs[digest_of(content)] = content
        location = f"http://{other.host}/v2/x/blobs/{digest_of(content)}"
        registry.faults.append(let_in(lambda h: h.answer(307, Location=location), method="GET"))
        session = pulling(registry)
        fetch_blob(session, Descriptor("", digest_of(content), len(content)), tmp_path / "b")
        assert (tmp_path / "b").read_bytes() == content
        assert [each.headers.get("authorization") for each in other.asked] == [None]


def pulling(registry: Registry, **changes: Any) -> Session:
    reference = parse_reference(f"{registry.host}/team/base:1")
    return Session(reference, access(refusal=CannotBuild, **changes), pushing=False)


REALMS = {
    "https://evil.example/token": "sends clients to `evil.example`",
    "http://evil.example/token": "sends clients to `evil.example`",
    "https://169.254.169.254/latest": "sends clients to `169.254.169.254`",
    "file:///etc/passwd": "no usable URL",
    "http://user:word@127.0.0.1/token": "holds credentials",
    "": "no usable URL",
}


@pytest.mark.parametrize("realm", REALMS)
def test_a_token_is_not_asked_of_anybody(realm: str, layout: Path) -> None:
    with serving_registry(auth="token", realm=realm or "?") as registry:
        with pytest.raises(CannotPublish, match=REALMS[realm]) as caught:
            pushed(registry, layout)
        check_no_secret(caught.value)
        assert all("authorization" not in each.headers for each in registry.asked)


def test_a_token_server_that_redirects_is_not_followed(layout: Path) -> None:
    with serving_registry(auth="token") as registry, serving_registry() as other:
        to = f"http://{other.host}/token"
        registry.faults.append(answering("GET", "^/token", lambda h: h.answer(302, Location=to)))
        with pytest.raises(CannotPublish, match="its token server answers 302"):
            pushed(registry, layout)
        assert other.asked == []


def test_wrong_credentials(layout: Path) -> None:
    with (
        serving_registry(auth="token") as registry,
        pytest.raises(CannotPublish, match="its token server answers 401"),
    ):
        pushed(registry, layout, login=Login(USER, "wrong"))
    with (
        serving_registry(auth="basic") as registry,
        pytest.raises(CannotPublish, match="answers 401"),
    ):
        pushed(registry, layout, login=Login(USER, "wrong"))
    with (
        serving_registry(auth="basic") as registry,
        pytest.raises(CannotPublish, match="wants credentials, and there are none"),
    ):
        pushed(registry, layout, login=None)


# Pulling.


def test_a_blob_with_other_bytes_is_refused(registry: Registry, tmp_path: Path) -> None:
    content = b"right" * 50
    registry.blobs[digest_of(content)] = content[:-1] + b"?"
    with pytest.raises(CannotBuild, match="arrives as sha256:"):
        fetch_blob(
            pulling(registry), Descriptor("", digest_of(content), len(content)), tmp_path / "b"
        )


def test_a_blob_that_breaks_off_is_fetched_again(registry: Registry, tmp_path: Path) -> None:
    content = hashlib.shake_128(b"x").digest(300_000)
    registry.blobs[digest_of(content)] = content

    def half(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:1000])
        handler.cut()

    registry.faults.append(answering("GET", "blobs", half, times=1))
    fetch_blob(pulling(registry), Descriptor("", digest_of(content), len(content)), tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content


def test_a_manifest_with_another_digest_is_refused(registry: Registry) -> None:
    wanted = "sha256:" + "1" * 64
    registry.manifests[wanted] = (OCI_MANIFEST, b'{"layers": []}')
    with pytest.raises(CannotBuild, match=f"should be {wanted}"):
        resolve(pulling(registry), wanted, "x86_64")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", b"{}"),
        ("text/html", b"<html>"),
        ("application/json", b'{"schemaVersion": 2}'),
    ],
)
def test_other_kinds_of_manifests_are_refused(
    registry: Registry, kind: str, content: bytes
) -> None:
    registry.manifests["1"] = (kind, content)
    with pytest.raises(CannotBuild, match=r"does not take|is no manifest"):
        resolve(pulling(registry), "1", "x86_64")


def test_an_endless_manifest_ends(registry: Registry) -> None:
    registry.manifests["1"] = (OCI_MANIFEST, b" " * (5 << 20))
    with pytest.raises(CannotBuild, match="larger than 4 MiB"):
        resolve(pulling(registry), "1", "x86_64")
