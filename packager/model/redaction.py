"""Taking credentials out of URLs before a person, a log or a file sees them.

Credentials hide in the user information (`user:password@`, or a bare `token@`) and in query
strings (signed URLs). Both go; what is left still tells which server and which file is meant.
"""

import re
from typing import Final

MASK: Final = "***"

_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s\"'<>`]+")
_HOST_AND_PORT = re.compile(r"(?:\[[^\]@]*\]|[^:@\[\]]*)(?::[0-9]*)?")


def redact_url(url: str) -> str:
    """Give `url` with the user information masked and without query and fragment; never raise.

    Where the text is ambiguous, too much is masked rather than too little: people write
    passwords with unescaped `/`, `?`, `#` and `@` into configuration files.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    authority, slash, path = rest.partition("/")
    if not _is_host(authority) and "@" in path:
        # The text before the first slash is no host, hence a part of the secret, which reaches
        # up to the last `@`.
        authority, slash, path = f"@{path.rpartition('@')[2]}".partition("/")
    host = authority.rpartition("@")[2]
    masked = f"{MASK}@{host}" if host != authority else host
    return scheme + separator + re.split(r"[?#]", masked + slash + path, maxsplit=1)[0]


def redact_text(text: str) -> str:
    """Redact every URL inside `text`, such as what another program wrote to stderr."""
    return _URL_IN_TEXT.sub(lambda match: redact_url(match[0]), text)


def _is_host(authority: str) -> bool:
    """Tell whether `authority` is `host`, `host:port` or `[address]:port`, with a user or not."""
    return _HOST_AND_PORT.fullmatch(authority.rpartition("@")[2]) is not None
