"""The part of finding a base that needs its registry."""

from collections.abc import Sequence
from contextlib import closing

from packager.errors import CannotBuild
from packager.model.image import Descriptor, Reference, hex_of
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.registry.access import Access
from packager.registry.docker_config import find_login
from packager.registry.manifests import Resolved
from packager.registry.pull import fetch_blob, resolve
from packager.registry.session import Session
from packager.wheels.store import Store


def resolved_at_registry(reference: Reference, function: Function, name: str) -> Resolved:
    """Ask what `name`, a tag or a digest, means for the function; raises CannotBuild."""
    with closing(_session(reference, function)) as session:
        return resolve(session, name, function.architecture)


def pull_blobs(
    blobs: Sequence[Descriptor],
    reference: Reference,
    function: Function,
    *,
    store: Store,
    reporter: Reporter,
) -> None:
    """Fetch `blobs` into the store; raises CannotBuild."""
    reporter.begin("pulling the base", sum(each.compressed_bytes for each in blobs))
    try:
        with closing(_session(reference, function)) as session:
            for each in blobs:
                name = hex_of(each.digest)
                with store.writing("pulled", name, ".gz", durable=False) as temporary:
                    fetch_blob(session, each, temporary, heard=reporter.advance)
    finally:
        reporter.end()


def _session(reference: Reference, function: Function) -> Session:
    access = Access(
        login=find_login,
        refusal=CannotBuild,
        token_hosts=function.image.token_hosts,
        token_hint='if that is right: token-hosts = ["{host}"] under [tool.lpack.image]',  # noqa: S106 -- a sentence
    )
    return Session(reference, access, pushing=False)
