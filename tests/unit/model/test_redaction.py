"""No credential survives redaction, and what is left still names server and file."""

import pytest

from packager.model.redaction import redact_text, redact_url

CASES = {
    "https://user:pw@host/simple/x.whl?sig=pw#pw": "https://***@host/simple/x.whl",
    "https://pw@host:80/a": "https://***@host:80/a",
    "https://user:@host/a": "https://***@host/a",
    "https://host/@scope/pkg@1": "https://host/@scope/pkg@1",
    "https://u:pw/pw@host/x": "https://***@host/x",
    "https://u:pw@pw@host/x": "https://***@host/x",
    "https://u:pw?pw@host/x": "https://***@host/x",
    "https://u:pw#pw@host/x": "https://***@host/x",
    "https://[::1]:80/x?pw": "https://[::1]:80/x",
    "https://u:pw@[::1]/x": "https://***@[::1]/x",
    "u:pw@proxy:3128": "***@proxy:3128",
    "git+https://pw@host/r@main#egg=x": "git+https://***@host/r@main",
    "ssh://git@host/r": "ssh://***@host/r",
    "file:///a/b%20c.whl": "file:///a/b%20c.whl",
    "/local/path@2/x.whl": "/local/path@2/x.whl",
    "https://[broken/x": "https://[broken/x",
    "": "",
}


@pytest.mark.parametrize(("url", "expected"), CASES.items())
def test_redact_url(url: str, expected: str) -> None:
    assert redact_url(url) == expected
    assert "pw" not in redact_url(url)


def test_redact_text_masks_every_url_and_keeps_the_rest() -> None:
    text = "GET 'https://u:pw@a/x?t=pw' failed (http://pw@b), see `https://c/d`"
    assert redact_text(text) == "GET 'https://***@a/x' failed (http://***@b), see `https://c/d`"
