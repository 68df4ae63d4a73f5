"""Wheels of the store are admitted, each once, and become payloads, each once per settings."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from packaging.metadata import Metadata, RawMetadata
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from packager.errors import CannotBuild
from packager.model.canonical import CENTRAL, LOCAL
from packager.model.deflating import encoder
from packager.model.payload import Payload, json_ready, payload_from_document
from packager.model.project import Function
from packager.model.prune import SlimSettings
from packager.model.selection import Pin
from packager.model.wheel import AdmittedWheel, WheelMember
from packager.pipeline.memory import is_whole, key_of
from packager.slim.layout import lay_out
from packager.slim.payload import RECIPE, write_payload
from packager.slim.prune_rules import digest_of_rules
from packager.slim.rules import check_named_rules
from packager.wheels.admission import admit
from packager.wheels.store import EntryLostError, Store

_DISTRIBUTIONS_WITH_SERVICES = ("boto3", "botocore", "google-api-python-client")


class Ready:
    """A wheel after admission, as the store remembers it.

    `as_it_is` are the facts of a payload that nothing was slimmed from; it is never written.
    """

    def __init__(self, key: str, document: Mapping[str, Any]) -> None:
        """Wrap the remembered `document` of the admission `key`."""
        self.key = key
        self.as_it_is = payload_from_document(document["as_it_is"])
        self.findings: tuple[str, ...] = tuple(document["findings"])
        raw: RawMetadata = document["metadata"]
        self.metadata = Metadata.from_raw(raw, validate=False)


def slim_settings(function: Function) -> SlimSettings:
    """Return what the function's settings mean for payloads."""
    return SlimSettings(
        tier="declared" if function.slim == "traced" else function.slim,
        rules=function.slim_rules,
        keep=function.keep,
        drop=function.drop,
        services=dict(function.services) or None,
        strip=function.strip,
        level=12 if function.release else 7,
        recompress=function.release,
    )


def admitter(function: Function, store: Store) -> Callable[[Pin], Ready]:
    """Return what admits a wheel of the store that was not admitted before."""
    lenient = _lenient(function)
    return lambda pin: _admit(pin, store=store, lenient=_version(pin) in lenient)


def check_slimming(function: Function) -> None:
    """Raise UsageError when the settings name a rule that there is not."""
    check_named_rules(slim_settings(function))


def slimmer(
    function: Function, store: Store, *, python: str
) -> Callable[[Pin, Ready, Executor], Payload]:
    """Return what makes the payload of an admitted wheel that has none with these settings.

    Its files are worked on in the threads that are given.
    """
    settings = slim_settings(function)
    return lambda pin, ready, threads: _payload(pin, ready, settings, store, python, threads)


def admission_keys(function: Function, pins: Sequence[Pin]) -> dict[NormalizedName, str]:
    """Return where what is known of each wheel is kept."""
    lenient = _lenient(function)
    return {pin.name: _admission_key(pin, lenient=_version(pin) in lenient) for pin in pins}


def payload_keys(
    function: Function,
    pins: Sequence[Pin],
    ready: Mapping[NormalizedName, Ready],
    *,
    python: str,
) -> dict[NormalizedName, str]:
    """Return where the payload of each pin is kept."""
    settings = slim_settings(function)
    return {pin.name: _payload_key(pin, ready[pin.name], settings, python) for pin in pins}


def _lenient(function: Function) -> set[str]:
    return {_normal(text) for text in function.allow_record_mismatch}


def _version(pin: Pin) -> str:
    return f"{pin.name}=={pin.version}"


def _admission_key(pin: Pin, *, lenient: bool) -> str:
    return key_of("admitted", pin.wheel.sha256, lenient)


def _payload_key(pin: Pin, ready: Ready, settings: SlimSettings, python: str) -> str:
    wanted = [_settings_document(_settings_for(pin, settings)), python, digest_of_rules(pin.name)]
    return key_of("payload", RECIPE, encoder(), ready.key, *wanted)


def _settings_for(pin: Pin, settings: SlimSettings) -> SlimSettings:
    if pin.name in _DISTRIBUTIONS_WITH_SERVICES or settings.services is None:
        return settings
    return settings._replace(services=None)


def _normal(text: str) -> str:
    name, _, version = text.partition("==")
    return f"{canonicalize_name(name.strip())}=={version.strip()}"


def _admit(pin: Pin, *, store: Store, lenient: bool) -> Ready:
    """Return what is known of a wheel, admitting it if need be."""
    wheel = pin.wheel
    key = _admission_key(pin, lenient=lenient)
    known = store.read_document("admitted", key)
    if known is not None:
        return Ready(key, known)
    try:
        admitted = admit(
            store.proven_wheel(wheel.sha256),
            sha256=wheel.sha256,
            filename=wheel.filename,
            allow_record_mismatch=lenient,
        )
    except CannotBuild:
        if store.has_wheel(wheel.sha256):
            raise
        raise EntryLostError(wheel.filename) from None
    if (admitted.name, admitted.version) != (pin.name, pin.version):
        raise CannotBuild(
            f"the lock takes `{wheel.filename}` for {pin.name} {pin.version}, "
            f"and it is {admitted.name} {admitted.version}"
        )
    document = {
        "as_it_is": json_ready(_facts_as_it_is(admitted)),
        "findings": list(admitted.findings),
        "metadata": _raw(admitted.metadata),
    }
    store.write_document("members", key, _members_document(admitted))
    store.write_document("admitted", key, document)
    return Ready(key, document)


def _payload(
    pin: Pin,
    ready: Ready,
    settings: SlimSettings,
    store: Store,
    python: str,
    threads: Executor,
) -> Payload:
    key = _payload_key(pin, ready, settings, python)
    known = store.read_document("slimmed", key)
    if known is not None:
        payload = payload_from_document(known)
        if is_whole(store, payload):
            return payload
    members = store.read_document("members", ready.key)
    if members is None:
        store.discard("admitted", ready.key, ".json")
        raise EntryLostError(f"what was known of {pin.wheel.filename}")
    with store.writing("payloads", key, ".zip", durable=False) as temporary:
        payload = write_payload(
            store.proven_wheel(pin.wheel.sha256),
            _wheel_of(pin, members, ready),
            temporary,
            key=key,
            settings=_settings_for(pin, settings),
            python=python,
            threads=threads,
        )
    store.write_document("slimmed", key, json_ready(payload))
    return payload


def _settings_document(settings: SlimSettings) -> list[Any]:
    services = sorted((settings.services or {}).items())
    return [json_ready(settings._replace(services=None)), services]


def _facts_as_it_is(wheel: AdmittedWheel) -> Payload:
    layout = lay_out(wheel)
    headers = sum(LOCAL.size + CENTRAL.size + 2 * len(name.encode()) for name, _ in layout.shipped)
    members = [member for _, member in layout.shipped]
    return Payload(
        key="",
        sha256="",
        body_bytes=0,
        file_bytes=0,
        entries=len(members),
        compressed_bytes=headers + sum(member.compressed_bytes for member in members),
        uncompressed_bytes=sum(member.uncompressed_bytes for member in members),
    )


def _members_document(wheel: AdmittedWheel) -> dict[str, Any]:
    return {
        "dist_info": wheel.dist_info,
        "data_folder": wheel.data_folder,
        "root_is_purelib": wheel.root_is_purelib,
        "tags": list(wheel.tags),
        "members": [list(member) for member in wheel.members],
        "record": wheel.record,
    }


def _wheel_of(pin: Pin, members: Mapping[str, Any], ready: Ready) -> AdmittedWheel:
    version: Version = pin.version
    return AdmittedWheel(
        filename=pin.wheel.filename,
        sha256=pin.wheel.sha256,
        name=pin.name,
        version=version,
        dist_info=members["dist_info"],
        data_folder=members["data_folder"],
        root_is_purelib=members["root_is_purelib"],
        tags=tuple(members["tags"]),
        members=tuple(WheelMember(*member) for member in members["members"]),
        record=members["record"],
        metadata=ready.metadata,
        findings=ready.findings,
    )


def _raw(metadata: Metadata) -> dict[str, Any]:
    """Keep of METADATA what the graph needs, and nothing that is merely long."""
    return {
        "metadata_version": "2.1",
        "name": metadata.name,
        "version": str(metadata.version),
        "requires_dist": [str(requirement) for requirement in metadata.requires_dist or ()],
        "provides_extra": [str(extra) for extra in metadata.provides_extra or ()],
    }
