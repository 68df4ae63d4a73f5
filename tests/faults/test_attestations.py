"""Attestations that are right, wrong, absent or malformed, from an index that behaves or does not.

Everything is signed by an instance of Sigstore in memory, which the settings name as trusted.
"""

import base64
import datetime as dt
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from packaging.pylock import Pylock
from support.fault_server import FaultServer, serving
from support.functions import make_function
from support.index_files import Fault
from support.index_server import IndexServer
from support.wheel_builder import build_wheel

from packager.errors import CannotBuild, LpackError, UsageError
from packager.lock.lockfile import lock_of, parse_lock, render_lock
from packager.model.attestation import LockedFile
from packager.model.progress import NullReporter
from packager.model.requirement import IndexSettings
from packager.wheels.store import Store

pytest.importorskip("pypi_attestations", reason="the extra `attest` is not installed")
signing = pytest.importorskip("support.signing_world")

# Loaded late because they load the extra.
from packager.attest.verification import Unproven, Verification  # noqa: E402
from packager.pipeline.attestations import Attesting  # noqa: E402

NAME = "alpha-1.0-py3-none-any.whl"
DIGEST = "ab" * 32
WHO = {"kind": "GitHub", "repository": "team/alpha", "workflow": "release.yml"}
TEXT = "github:team/alpha//release.yml"


class Told(NullReporter):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def step(self, text: str) -> None:
        self.steps.append(text)


class Setting:
    """An index with one attested wheel of two, and a project that demands something of them."""

    def __init__(self, folder: Path, index: IndexServer, root: Path) -> None:
        self.index, self.root = index, root
        self.store = Store(folder / "store")
        self.told = Told()
        self.folder = folder

    def file(self, name: str = "alpha", **values: Any) -> LockedFile:
        [served] = [each for each in self.index._state.files.values() if each.project == name]
        given = {"indexes": (self.index.url,), **values}
        return LockedFile(name, served.name, served.sha256, **given)

    def attesting(self, *, offline: bool = False, **settings: Any) -> Attesting:
        function = make_function(self.folder, ())
        if "policies" in settings:
            settings["attestations"] = tuple(settings.pop("policies").items())
        function = function._replace(**{"trusted_root": self.root, **settings})
        return Attesting(function, store=self.store, offline=offline, reporter=self.told)

    def approve(self, files: Sequence[LockedFile], **settings: Any) -> Attesting:
        attesting = self.attesting(**settings)
        attesting.approve(files, IndexSettings(index_url=self.index.url))
        return attesting

    def refusal(self, files: Sequence[LockedFile], **settings: Any) -> LpackError:
        with pytest.raises(LpackError) as caught:
            self.approve(files, **settings)
        error = caught.value
        assert "\n" not in error.message + (error.hint or "")
        assert error.hint
        assert error.exit_code == 3
        return error


@pytest.fixture(scope="module")
def world() -> Any:
    return signing.SigningWorld()


@pytest.fixture(scope="module")
def root(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trust") / "root.json"
    path.write_text(world.trusted_root)
    return path


@pytest.fixture(scope="module")
def verification(root: Path) -> Verification:
    return Verification(root)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    return [build_wheel(folder, name, "1.0") for name in ("alpha", "beta")]


@pytest.fixture
def setting(wheels: list[Path], world: Any, root: Path, tmp_path: Path) -> Iterator[Setting]:
    with IndexServer(wheels) as index:
        found = Setting(tmp_path, index, root)
        alpha = found.file()
        index.provenance[alpha.filename] = world.provenance(WHO, alpha.filename, alpha.sha256)
        yield found


def changed(attestation: dict[str, Any], place: str, change: Callable[[Any], Any]) -> bytes:
    """The provenance of an attestation in which one value is another."""
    copy = json.loads(json.dumps(attestation))
    *way, last = [int(each) if each.isdigit() else each for each in place.split(".")]
    table = copy
    for each in way:
        table = table[each]
    table[last] = change(table[last])
    provenance: bytes = signing.provenance_of((WHO, [copy]))
    return provenance


def flipped(text: str) -> str:
    """Base64 of the same bytes but for the last one."""
    data = base64.b64decode(text)
    return base64.b64encode(data[:-1] + bytes([data[-1] ^ 1])).decode()


ENTRY = "verification_material.transparency_entries.0"
WRONG: dict[str, tuple[Callable[[Any], bytes], str]] = {
    "foreign authority": (
        lambda _: signing.SigningWorld().provenance(WHO, NAME, DIGEST),
        "certificate chain",
    ),
    "expired certificate": (
        lambda w: signing.provenance_of(
            (WHO, [w.attestation(WHO, NAME, DIGEST, late=dt.timedelta(hours=1))])
        ),
        "certificate chain",
    ),
    "another's certificate": (
        lambda w: signing.provenance_of(
            (WHO, [w.attestation({**WHO, "repository": "mallory/alpha"}, NAME, DIGEST)])
        ),
        "SourceRepositoryURI",
    ),
    "another workflow": (
        lambda w: signing.provenance_of(
            ({**WHO, "workflow": "release.yml"},
             [w.attestation({**WHO, "workflow": "test.yml"}, NAME, DIGEST)])
        ),
        "Build Config URI",
    ),
    "another kind of publisher": (
        lambda w: signing.provenance_of(
            (WHO, [w.attestation(signing.gitlab("team/alpha"), NAME, DIGEST)])
        ),
        "OIDC",
    ),
    "altered statement": (
        lambda w: changed(
            w.attestation(WHO, NAME, DIGEST), "envelope.statement",
            lambda _: base64.b64encode(signing.statement_of([(NAME, "0" * 64)])).decode(),
        ),
        "signature",
    ),
    "altered signature": (
        lambda w: changed(w.attestation(WHO, NAME, DIGEST), "envelope.signature", flipped),
        "ignature",
    ),
    "altered promise of the log": (
        lambda w: changed(
            w.attestation(WHO, NAME, DIGEST),
            f"{ENTRY}.inclusionPromise.signedEntryTimestamp", flipped,
        ),
        "SET|inclusion promise",
    ),
    "altered entry of the log": (
        lambda w: changed(
            w.attestation(WHO, NAME, DIGEST), f"{ENTRY}.canonicalizedBody", flipped
        ),
        "root hash",
    ),
    "altered checkpoint of the log": (
        lambda w: changed(
            w.attestation(WHO, NAME, DIGEST), f"{ENTRY}.inclusionProof.checkpoint.envelope",
            lambda text: text.replace("\n1\n", "\n2\n"),
        ),
        "checkpoint",
    ),
    "entry of another attestation": (
        lambda w: changed(
            w.attestation(WHO, NAME, DIGEST), ENTRY,
            lambda _: w.attestation(WHO, NAME, "0" * 64)["verification_material"][
                "transparency_entries"][0],
        ),
        "log entry",
    ),
    "one right and one wrong": (
        lambda w: signing.provenance_of(
            (WHO, [w.attestation(WHO, NAME, DIGEST)]),
            ({**WHO, "repository": "mallory/alpha"}, [w.attestation(WHO, NAME, DIGEST)]),
        ),
        "SourceRepositoryURI",
    ),
    "no attestation in it": (lambda _: signing.provenance_of((WHO, [])), "none"),
    "no bundle in it": (lambda _: signing.provenance_of(), "none"),
    "unknown publisher": (
        lambda w: signing.provenance_of(
            ({"kind": "Nobody"}, [w.attestation(WHO, NAME, DIGEST)])
        ),
        "not of the form of PEP 740: `attestation_bundles.0.publisher`",
    ),
    "no entry of the log": (
        lambda w: changed(
            w.attestation(WHO, NAME, DIGEST), "verification_material.transparency_entries",
            lambda _: [],
        ),
        "not of the form of PEP 740",
    ),
    "entry of another form": (
        lambda w: changed(w.attestation(WHO, NAME, DIGEST), ENTRY, lambda _: {"logIndex": "x"}),
        "log entry",
    ),
    "no certificate": (
        lambda w: changed(
            w.attestation(WHO, NAME, DIGEST), "verification_material.certificate", lambda _: "AAAA"
        ),
        "certificate",
    ),
    "junk": (lambda _: b"\xff<html>", "not of the form of PEP 740"),
    "deep": (lambda _: b'{"version":1,"attestation_bundles":' + b"[" * 100_000, "PEP 740"),
    "number without end": (lambda _: b'{"version":' + b"9" * 100_000 + b"}", "PEP 740"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_the_publishers_is_not_taken(
    name: str, world: Any, verification: Verification
) -> None:
    make, reason = WRONG[name]
    with pytest.raises(Unproven, match=reason) as caught:
        verification.signed(make(world))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("who", [WHO, {"kind": "GitLab", "repository": "a/b/c",
                                       "workflow_filepath": "ci/release.yml"}])  # fmt: skip
def test_what_is_the_publishers_is_taken(
    who: dict[str, str], world: Any, verification: Verification
) -> None:
    [signed] = verification.signed(world.provenance(who, NAME, DIGEST))
    assert signed.publisher == who
    assert json.loads(signed.statement)["subject"] == [{"name": NAME, "digest": {"sha256": DIGEST}}]


STATED: dict[str, tuple[Callable[[LockedFile], dict[str, Any]], str]] = {
    "another digest": (
        lambda f: {"statement": signing.statement_of([(f.filename, "0" * 64)])},
        "other bytes (sha256 000",
    ),
    "another name": (
        lambda f: {"statement": signing.statement_of([("beta-1.0-py3-none-any.whl", f.sha256)])},
        "about `beta-1.0-py3-none-any.whl`",
    ),
    "another version": (
        lambda f: {"statement": signing.statement_of([("alpha-2.0-py3-none-any.whl", f.sha256)])},
        "about `alpha-2.0-",
    ),
    "two files": (
        lambda f: {"statement": signing.statement_of([(f.filename, f.sha256)] * 2)},
        "no in-toto statement about one file",
    ),
    "no digest": (
        lambda f: {"statement": json.dumps({
            "_type": "https://in-toto.io/Statement/v1", "predicateType": signing.PUBLISH,
            "subject": [{"name": f.filename, "digest": {}}]}).encode()},
        "sha256 not told",
    ),
    "junk": (lambda _: {"statement": b"[" * 100_000}, "not JSON"),
    "another form": (lambda _: {"statement": b"[]"}, "must be a table"),
    "another claim": (
        lambda _: {"predicate": "https://example.org/this-file-is-malware"},
        "none of its statements says who published it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATED)
def test_what_is_signed_about_something_else_is_refused(
    name: str, setting: Setting, world: Any
) -> None:
    make, reason = STATED[name]
    alpha = setting.file()
    attestation = world.attestation(WHO, alpha.filename, alpha.sha256, **make(alpha))
    setting.index.provenance[alpha.filename] = signing.provenance_of((WHO, [attestation]))
    error = setting.refusal([alpha], policies={"*": "verify"})
    assert error.message.startswith(f"{alpha.filename} is refused: its attestation does not hold")
    assert reason in error.message


def test_a_name_may_be_written_in_another_way(setting: Setting, world: Any) -> None:
    alpha = setting.file()
    statement = signing.statement_of([("Alpha-1.0.0-py3-none-any.whl", alpha.sha256)])
    attestation = world.attestation(WHO, alpha.filename, alpha.sha256, statement=statement)
    setting.index.provenance[alpha.filename] = signing.provenance_of((WHO, [attestation]))
    approved = setting.approve([alpha], policies={"*": "require"})
    assert approved.publishers() == {"alpha": (TEXT,)}


@pytest.mark.parametrize("html", [False, True], ids=["json", "html"])
def test_those_that_are_there_are_verified_and_the_others_are_told(
    setting: Setting, *, html: bool
) -> None:
    if html:
        setting.index.speak_html()
    files = [setting.file(), setting.file("beta")]
    assert setting.approve(files, policies={"*": "verify"}).publishers() == {"alpha": (TEXT,)}
    assert setting.told.steps == ["attestations of 1 of 2 files verified; there is none of beta"]


def test_what_is_off_is_not_asked_for(setting: Setting) -> None:
    setting.approve([setting.file(), setting.file("beta")], policies={"*": "off"})
    setting.approve([setting.file(), setting.file("beta")], policies={"alpha": "verify"})
    assert {path for path in setting.index.requests if "beta" in path} == set()
    assert setting.told.steps == ["attestations of 1 of 1 file verified"]


def test_a_file_without_is_refused_where_one_is_required(setting: Setting) -> None:
    files = [setting.file(), setting.file("beta")]
    error = setting.refusal(files, policies={"*": "require"})
    assert error.message == "beta-1.0-py3-none-any.whl is refused: it has no attestation"
    assert error.hint == 'to let it pass: attestations = { "*" = "require", "beta" = "verify" }'
    setting.refusal(files, publishers=(("beta", ("github:team/beta",)),))
    setting.approve(files, policies={"*": "require", "beta": "off"})


@pytest.mark.parametrize(
    ("named", "right"),
    [
        (("github:team/alpha",), True),
        (("github:Team/Alpha//release.yml",), True),
        (("github:old/alpha", "github:team/alpha"), True),
        (("github:team/alpha//test.yml",), False),
        (("github:mallory/alpha",), False),
        (("gitlab:team/alpha",), False),
    ],
)
def test_a_publisher_that_is_named_is_the_one(
    setting: Setting, named: tuple[str, ...], *, right: bool
) -> None:
    alpha = setting.file(identities=({"kind": "GitHub", "repository": "not/asked"},))
    publishers = (("alpha", named),)
    if right:
        setting.approve([alpha], publishers=publishers)
        return
    error = setting.refusal([alpha], publishers=publishers)
    assert f"it was published by `{TEXT}`, and `publishers` names `{named[0]}`" in error.message
    assert error.hint == f'if the project moved: publishers = {{ alpha = "{TEXT}" }}'


def test_a_lock_tells_whose_files_it_means(setting: Setting) -> None:
    mallory = {**WHO, "repository": "mallory/alpha"}
    setting.approve([setting.file(identities=(mallory, WHO))], policies={"*": "verify"})
    error = setting.refusal([setting.file(identities=(mallory,))], policies={"*": "verify"})
    assert "the lock names `github:mallory/alpha//release.yml`" in error.message
    unknown = setting.file(identities=({"kind": "Future", "project": "alpha"},))
    assert "the lock names" in setting.refusal([unknown], policies={"*": "verify"}).message


def test_what_is_proven_is_noted_in_the_lock_and_read_again(setting: Setting) -> None:
    files = {name: setting.file(name) for name in ("alpha", "beta")}
    rows = [
        {"name": name, "version": "1.0", "wheels": [
            {"name": f.filename, "url": "http://h/x", "hashes": {"sha256": f.sha256}}]}
        for name, f in files.items()
    ]  # fmt: skip
    lock = lock_of(rows, created_by="t")
    noted = setting.approve([*files.values()], policies={"*": "verify"}).noted_in(lock)
    again: Pylock = parse_lock(render_lock(noted), origin="again")
    assert [each.attestation_identities for each in again.packages] == [[WHO], None]
    assert setting.attesting().noted_in(again) == again


def test_it_is_proven_once(setting: Setting, tmp_path: Path) -> None:
    """The second time nobody is asked; with another root, or online without one, everybody is."""
    files = [setting.file(), setting.file("beta")]
    assert (
        "2 files are not in the store"
        in setting.refusal(files, policies={"*": "verify"}, offline=True).message
    )
    setting.approve(files, policies={"*": "verify"})
    before = len(setting.index.requests)
    approved = setting.approve(files, policies={"*": "verify"}, offline=True)
    assert approved.publishers() == {"alpha": (TEXT,)}
    assert len(setting.index.requests) == before
    setting.refusal(files, policies={"*": "require"}, offline=True)
    setting.approve(files[:1], policies={"*": "verify"})
    assert len(setting.index.requests) == before
    setting.approve(files, policies={"*": "verify"})
    assert len(setting.index.requests) == before + 1
    other = tmp_path / "other.json"
    other.write_text(signing.SigningWorld().trusted_root)
    setting.refusal(files[:1], policies={"*": "verify"}, trusted_root=other)


@pytest.mark.parametrize("text", ["", "[]", "{" * 100_000, '{"mediaType": "x"}', None])
def test_a_trusted_root_that_is_none(setting: Setting, tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "none.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=r"trusted root|no trusted root") as caught:
        setting.approve([setting.file()], policies={"*": "verify"}, trusted_root=path)
    assert str(path) in caught.value.message


def test_without_the_extra(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypi_attestations", None)
    with pytest.raises(UsageError, match="which is not installed") as caught:
        setting.approve([setting.file()], policies={"*": "verify"})
    assert "[attest]" in (caught.value.hint or "")
    setting.approve([setting.file()], policies={"*": "off"})


def test_a_provenance_that_is_listed_and_not_there(setting: Setting) -> None:
    alpha = setting.file()
    setting.index.faults[f"{alpha.filename}.provenance"] = Fault(status=404)
    error = setting.refusal([alpha], policies={"*": "verify"})
    assert "lists a provenance of" in error.message
    setting.index.faults[f"{alpha.filename}.provenance"] = Fault(status=403)
    assert "answers 403" in setting.refusal([alpha], policies={"*": "verify"}).message


def test_a_failure_that_passes(setting: Setting) -> None:
    alpha = setting.file()
    setting.index.faults[f"{alpha.filename}.provenance"] = Fault(status=503, times=1)
    assert setting.approve([alpha], policies={"*": "require"}).publishers() == {"alpha": (TEXT,)}


def test_the_index_that_has_the_file_is_asked(setting: Setting, tmp_path: Path, world: Any) -> None:
    """One that does not know it, or has other bytes under its name, has no say."""
    alpha = setting.file()
    other = build_wheel(tmp_path, "alpha", "1.0", files={"alpha.py": b"EVIL = 1\n"})
    with IndexServer([]) as empty, IndexServer([other]) as confused:
        confused.provenance[other.name] = world.provenance(WHO, other.name, "0" * 64)
        asked = (empty.url, confused.url, setting.index.url)
        approved = setting.approve([alpha._replace(indexes=asked)], policies={"*": "require"})
        assert approved.publishers() == {"alpha": (TEXT,)}
        assert empty.requests == confused.requests == ["GET /simple/alpha/"]


@pytest.mark.parametrize("form", ["json", "html"])
def test_the_status_of_a_project_is_told_where_its_page_is_read(
    setting: Setting, form: str
) -> None:
    index = setting.index
    if form == "html":
        index.speak_html()
    alpha, beta = setting.file(), setting.file("beta")
    index.statuses.update(alpha="archived", beta="deprecated")
    index.reasons["beta"] = "use <gamma>"
    setting.approve([beta, alpha], policies={"*": "verify"})
    archived, deprecated = setting.told.warnings
    assert archived == "alpha is archived on the index: no updates of it are expected"
    assert deprecated.startswith("beta is deprecated on the index: it is obsolete")
    assert deprecated.endswith(" (use <gamma>)")
    pages = [each for each in index.requests if each.startswith("GET /simple/")]
    assert sorted(pages) == ["GET /simple/alpha/", "GET /simple/beta/"]
    # What was proven is not asked for again, and nobody asks for the status alone.
    del setting.told.warnings[:], index.statuses["beta"]
    setting.approve([alpha], policies={"*": "verify"})
    assert setting.told.warnings == []
    assert [each for each in index.requests if each.startswith("GET /simple/")] == pages


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_file_of_a_project_in_quarantine_is_refused(setting: Setting, form: str) -> None:
    if form == "html":
        setting.index.speak_html()
    alpha, beta = setting.file(), setting.file("beta")
    setting.index.statuses.update(alpha="quarantined", beta="quarantined")
    setting.index.reasons["alpha"] = "malware"
    error = setting.refusal([beta, alpha], policies={"*": "verify"})
    assert error.message == "the index has put `alpha` into quarantine (malware)"
    assert error.details == ("the index has put `beta` into quarantine",)


def test_a_project_in_quarantine_elsewhere_is_another(setting: Setting, wheels: list[Path]) -> None:
    with IndexServer(wheels) as other:
        other.statuses["alpha"] = "quarantined"
        alpha = setting.file(indexes=(other.url, setting.index.url))
        approved = setting.approve([alpha], policies={"*": "require"})
    assert approved.publishers() == {"alpha": (TEXT,)}
    assert setting.told.warnings == []


def test_an_index_behind_a_password(
    wheels: list[Path], root: Path, world: Any, tmp_path: Path
) -> None:
    """Page and provenance are asked for with the password of the index, which is told nowhere."""
    with IndexServer(wheels, auth=("me", "s3cr3t")) as index:
        setting = Setting(tmp_path, index, root)
        url = index.url_with("me", "s3cr3t")
        alpha = setting.file(indexes=(url,))
        index.provenance[alpha.filename] = world.provenance(WHO, alpha.filename, alpha.sha256)
        attesting = setting.attesting(policies={"*": "require"})
        attesting.approve([alpha], IndexSettings(index_url=url))
        assert attesting.publishers() == {"alpha": (TEXT,)}
        denied = setting.file("beta", indexes=(index.url_with("me", "wr0ng"),))
        error = setting.refusal([denied], policies={"*": "verify"})
        assert "answers 401" in error.message
        assert "wr0ng" not in f"{error.message}{error.hint}{error.details}"


@pytest.fixture(scope="module")
def broken() -> Iterator[FaultServer]:
    with serving() as elsewhere, serving(other=elsewhere) as server:
        yield server


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("not-found", None),
        ("forbidden", "answers 403"),
        ("redirect-loop", "redirects without end"),
        ("ok", "not listed"),
    ],
)
def test_an_index_that_is_broken(
    setting: Setting, broken: FaultServer, script: str, reason: str | None
) -> None:
    alpha = setting.file(indexes=(broken.url(script),))
    if reason in {None, "not listed"}:
        error = setting.refusal([alpha], policies={"*": "require"})
        assert "has no attestation" in error.message
        return
    error = setting.refusal([alpha], policies={"*": "verify"})
    assert isinstance(error, CannotBuild)
    assert re.search(str(reason), error.message)
