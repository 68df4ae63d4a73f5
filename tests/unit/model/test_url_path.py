from urllib.parse import urlsplit

import pytest

from packager.model.url_path import url_path

SOUND = ["https://u:p@h:1/a/b.whl?x#y", "https://h", "https://h/", "file:///a%20b", "file://h/a",
         "file:a/b", "file:/a/b", "a-1.whl#sha256=0", "a/b.whl", ""]  # fmt: skip


@pytest.mark.parametrize("url", SOUND)
def test_it_is_what_the_library_says(url: str) -> None:
    assert url_path(url) == urlsplit(url).path


@pytest.mark.parametrize("url", ["https://[/a.whl", "https://[x]/a.whl#f", "https://h:x/a.whl?q"])
def test_hosts_that_are_none_do_not_matter(url: str) -> None:
    assert url_path(url) == "/a.whl"
