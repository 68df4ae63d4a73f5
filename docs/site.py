"""What mkdocs has to know beyond its settings: the pages' links that lead out of docs/.

The pages are read on their own, too, beside the code they speak of; the site has only the pages.
"""

import posixpath
import re
from typing import Any

_LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:  # noqa: ANN401 -- mkdocs' own
    """Name a file of the checkout where a link would lead out of the site."""
    folder = posixpath.dirname(page.file.src_uri)

    def plain(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", folder, match[2]))
        leads_out = "://" not in match[2] and not target.startswith("docs/")
        return f"{match[1]} (`{target}` in the checkout)" if leads_out else match[0]

    return _LINK.sub(plain, markdown)
