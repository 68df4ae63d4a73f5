"""Which package indexes hold, after everybody who may say so has spoken.

A setting of the function or the command line goes before an option in a requirements file, that
before `LPACK_INDEX_URL`, that before pip's configuration (files and `PIP_*` variables). uv's own
configuration and variables hold where none of these says anything and uv does the locking.
"""

import ast
import subprocess
import sys
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

from packager.errors import UsageError
from packager.model.project import Function
from packager.model.redaction import redact_url
from packager.model.requirement import IndexSettings

STRATEGIES = ("first-index", "unsafe-best-match")
VARIABLE = "LPACK_INDEX_URL"


def requested_indexes(function: Function) -> IndexSettings:
    """Give what the command line and the configuration say about indexes.

    Raise UsageError for an unknown strategy or a URL that is none.
    """
    strategy = function.index_strategy or STRATEGIES[0]
    if strategy not in STRATEGIES:
        raise UsageError(
            f"unknown index strategy `{strategy}`",
            hint="index-strategy is " + " or ".join(f'"{word}"' for word in STRATEGIES),
        )
    settings = IndexSettings(
        index_url=function.index_url,
        extra_index_urls=function.extra_index_urls,
        strategy=strategy,
    )
    for url in (settings.index_url, *settings.extra_index_urls):
        if url is not None and "://" not in url:
            raise UsageError(
                f"`{redact_url(url)}` is not the URL of a package index",
                hint="index URLs begin with https:// or file://",
            )
    return settings


def effective_indexes(
    requested: IndexSettings,
    *,
    declared: IndexSettings,
    environment: Mapping[str, str],
    configured: IndexSettings,
) -> IndexSettings:
    """Merge the four sources field by field; the first that says something about a field holds.

    `requested` is the function's and the command line's, `declared` comes from requirements
    files, `configured` is pip's configuration, whose extra indexes on this disk are always
    added. Only `requested` may choose the strategy.
    """
    variable = environment.get(VARIABLE) or None
    extra = requested.extra_index_urls or declared.extra_index_urls or configured.extra_index_urls
    folders = [url for url in configured.extra_index_urls if is_local(url) and url not in extra]
    return IndexSettings(
        index_url=requested.index_url or declared.index_url or variable or configured.index_url,
        extra_index_urls=(*extra, *folders),
        find_links=requested.find_links or declared.find_links or configured.find_links,
        no_index=requested.no_index or declared.no_index or configured.no_index,
        strategy=requested.strategy,
        certificate=requested.certificate or declared.certificate or configured.certificate,
        proxy=requested.proxy or declared.proxy or configured.proxy,
    )


def read_pip_configuration() -> IndexSettings:
    """Ask the running interpreter's pip for its configuration; nothing when pip cannot tell."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pip", "config", "list"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError:
        return IndexSettings()
    return parse_pip_configuration(done.stdout) if done.returncode == 0 else IndexSettings()


def parse_pip_configuration(text: str) -> IndexSettings:
    """Parse what `pip config list` prints: lines such as `global.index-url='https://...'`.

    Variables go before the sections of a command, those before the global section.
    """
    sections: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        section, dot, name = key.rpartition(".")
        if separator and dot:
            sections.setdefault(section, {})[name.replace("_", "-")] = _unquoted(value)
    merged: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        merged |= {name: value for name, value in sections.get(section, {}).items() if value}
    return IndexSettings(
        index_url=merged.get("index-url"),
        extra_index_urls=tuple(merged.get("extra-index-url", "").split()),
        find_links=tuple(merged.get("find-links", "").split()),
        no_index=merged.get("no-index", "").lower() in {"1", "true", "yes", "on", "y", "t"},
        certificate=merged.get("cert"),
        proxy=merged.get("proxy"),
    )


def is_local(place: str) -> bool:
    """Tell whether an index or a find-links entry is a folder on this disk."""
    return place.startswith("file:") or "://" not in place


def strategy_of(indexes: IndexSettings) -> str:
    """Merge indexes when the user says so, or when all extra ones are folders on this disk.

    A local folder is no party to a dependency confusion.
    """
    extra = indexes.extra_index_urls
    return "unsafe-best-match" if extra and all(map(is_local, extra)) else indexes.strategy


def uv_variables(indexes: IndexSettings) -> dict[str, str]:
    """Hand over the indexes in variables: arguments are readable by everyone on the machine."""
    values: dict[str, str] = {}
    if indexes.index_url:
        values["UV_DEFAULT_INDEX"] = indexes.index_url
    if indexes.extra_index_urls:
        values["UV_INDEX"] = " ".join(indexes.extra_index_urls)
    if indexes.find_links:
        values["UV_FIND_LINKS"] = ",".join(as_url(place) for place in indexes.find_links)
    if indexes.certificate:
        values["SSL_CERT_FILE"] = indexes.certificate
    if indexes.proxy:
        values |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), indexes.proxy)
    return values


def as_url(place: str) -> str:
    """Give a find-links entry as a URL, so that spaces cannot split it."""
    return place if "://" in place else Path(place).absolute().as_uri()


def with_credentials(url: str, indexes: IndexSettings) -> str:
    """Give `url` with the credentials of the index on the same scheme, host and port.

    Resolvers take credentials out of the URLs they write; the download needs them again.
    """
    target = urllib.parse.urlsplit(url)
    if "@" in target.netloc:
        return url
    for index in (indexes.index_url, *indexes.extra_index_urls):
        if not index:
            continue
        source = urllib.parse.urlsplit(index)
        user, at, host = source.netloc.rpartition("@")
        if at and (source.scheme, host.lower()) == (target.scheme, target.netloc.lower()):
            return target._replace(netloc=f"{user}@{target.netloc}").geturl()
    return url


def _unquoted(value: str) -> str:
    """Undo the quoting of `pip config list`, which is Python's."""
    try:
        parsed = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError):
        return value.strip()
    return parsed if isinstance(parsed, str) else value.strip()
