"""The path of a URL, whatever else is wrong with the URL. Pure."""

import re


def url_path(url: str) -> str:
    """Give the path of `url` as it is written, without query and fragment; never raise.

    `urllib.parse.urlsplit` refuses some hosts (`https://[x/a.whl`), which matter to a download
    and not to the name of a file.
    """
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    _, separator, rest = bare.partition("://")
    if separator:
        return "".join(rest.partition("/")[1:])
    return bare[len("file:") :] if bare.lower().startswith("file:") else bare
