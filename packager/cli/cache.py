"""`lpack cache`."""

import json
import os

import click

from packager.cli.console import Console
from packager.errors import LpackError
from packager.inputs.durations import parse_duration
from packager.inputs.setting_values import parse_bytes
from packager.report.store import count_of, damage_lines, render_size, size_document
from packager.report.text import mib
from packager.shared.settings import shared_place, shown
from packager.wheels.store import Store
from packager.wheels.store_keeping import list_entries, prune_store, verify_store

_DEFAULT_AGE = "30d"


class StoreDamaged(LpackError):  # noqa: N818 -- named as the sentence it stands for
    """Entries of the store are not what was written there (exit code 1: a check failed)."""

    exit_code = 1


@click.group("cache")
def command() -> None:
    """Look after the store: what lpack fetched, verified and computed once.

    \b
    lpack cache size
    lpack cache verify --repair
    lpack cache prune --older-than 30d --max-size "2 GiB"

    All of it is safe beside running builds, and everything in the store can be made again: the
    folder may be deleted at any time.
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are


@command.command("path")
def path() -> None:
    """Print where the store is; LPACK_CACHE_DIR chooses another place."""
    click.echo(Store.default().root)


@command.command("size")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text")
def size(output_format: str) -> None:
    """Print what is in the store, by kind, and which store other machines share with it."""
    store, place = Store.default(), shared_place(os.environ)
    document = size_document(
        store.root, list_entries(store), shared=None if place is None else shown(place)
    )
    text = json.dumps(document, indent=2) + "\n"
    click.echo(render_size(document) if output_format == "text" else text, nl=False)


@command.command("verify")
@click.option("--repair", is_flag=True, help="Remove what is damaged; builds make it again.")
def verify(repair: bool) -> None:
    """Read every byte of the store and hold it against its digest.

    Builds check what they use anyway; this finds a failing disk before it matters. Exit code 1
    when something is damaged and was not removed.
    """
    store = Store.default()
    verdict = verify_store(store, repair=repair)
    lines = damage_lines(store.root, verdict.damaged)
    if lines and not repair:
        raise StoreDamaged(
            f"{count_of(len(lines))} of the store `{store.root}` damaged",
            details=lines,
            hint="lpack cache verify --repair",
        )
    for line in lines:
        click.echo(f"removed {line}")
    whole = count_of(verdict.entries - len(lines))
    click.echo(f"{whole} of {count_of(verdict.entries)} whole, {mib(verdict.bytes)} read")


@command.command("prune")
@click.option("--older-than", metavar="TIME", help=f"Not used for so long; {_DEFAULT_AGE} unless"
              " --max-size is given.")  # fmt: skip
@click.option("--max-size", metavar="SIZE", help="The longest unused go until so much is left.")
def prune(older_than: str | None, max_size: str | None) -> None:
    """Remove what was not used for a while.

    When an entry was last used is known as well as the file system notes it: to the day on
    most, not at all where a disk is mounted with `noatime` (then writing it counts). What was
    written in the last minute always stays.
    """
    store = Store.default()
    if older_than is None and max_size is None:
        older_than = _DEFAULT_AGE
    age = None if older_than is None else parse_duration(older_than, name="`--older-than`")
    limit = None if max_size is None else parse_bytes(max_size, name="`--max-size`")
    gone = prune_store(store, unused_seconds=age, keep_bytes=limit)
    Console().step(f"the store is {store.root}")
    removed = mib(sum(entry.bytes for entry in gone))
    click.echo(f"removed {count_of(len(gone))}, {removed}")
