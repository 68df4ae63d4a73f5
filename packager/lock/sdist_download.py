"""Fetching a source distribution that was allowed by name; wheels go another way."""

import shutil
from pathlib import Path

from packager.errors import CannotBuild
from packager.model.redaction import redact_url
from packager.model.requirement import IndexSettings

_TIMEOUT_SECONDS = 60
_CHUNK_BYTES = 1 << 20


def download_sdist(url: str, path: Path, *, indexes: IndexSettings, offline: bool) -> Path:
    """Download `url` to `path`; the caller checks the digest. Raise CannotBuild on failure."""
    import requests  # noqa: PLC0415 -- loaded only when an sdist is downloaded

    if offline:
        raise CannotBuild(
            f"`{path.name}` must be downloaded, and --offline forbids the network",
            hint="run once without --offline",
        )
    session = requests.Session()
    if indexes.proxy:
        session.proxies = {"http": indexes.proxy, "https": indexes.proxy}
    verify: str | bool = indexes.certificate or True
    try:
        with session.get(url, stream=True, timeout=_TIMEOUT_SECONDS, verify=verify) as response:
            response.raise_for_status()
            # The bytes as sent: urllib3 would undo a gzip content encoding of a .tar.gz.
            with path.open("wb") as file:
                shutil.copyfileobj(response.raw, file, _CHUNK_BYTES)
    except requests.HTTPError as error:
        code = error.response.status_code
        raise CannotBuild(f"the index answers {code} to `{redact_url(url)}`") from error
    except requests.RequestException as error:
        raise CannotBuild(
            f"cannot fetch `{redact_url(url)}`: {type(error).__name__}",
            hint="check the network and the index URL",
        ) from error
    return path
