"""Which index settings hold."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from packager.errors import UsageError
from packager.lock.indexes import (
    effective_indexes,
    parse_pip_configuration,
    read_pip_configuration,
    requested_indexes,
    strategy_of,
    with_credentials,
)
from packager.lock.pip_process import option_lines
from packager.model.project import Function
from packager.model.requirement import IndexSettings

NONE = IndexSettings()


def _effective(**given: Any) -> IndexSettings:
    return effective_indexes(
        given.get("requested", NONE),
        declared=given.get("declared", NONE),
        environment=given.get("environment", {}),
        configured=given.get("configured", NONE),
    )


def _index(name: str) -> IndexSettings:
    return IndexSettings(index_url=f"https://{name}/simple")


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({"requested": _index("a"), "declared": _index("b")}, "a"),
        ({"declared": _index("b"), "environment": {"LPACK_INDEX_URL": "https://c/simple"}}, "b"),
        ({"environment": {"LPACK_INDEX_URL": "https://c/simple"}, "configured": _index("d")}, "c"),
        ({"environment": {"LPACK_INDEX_URL": ""}, "configured": _index("d")}, "d"),
    ],
)
def test_who_comes_first(given: dict[str, Any], host: str) -> None:
    assert _effective(**given).index_url == f"https://{host}/simple"


def test_nobody_says_anything() -> None:
    assert _effective() == NONE


def test_folders_of_pips_configuration_are_always_added() -> None:
    configured = IndexSettings(
        extra_index_urls=("file:///wheels/simple", "https://remote/simple"),
        find_links=("/wheels",),
        certificate="/ca.pem",
        proxy="http://proxy:1",
    )
    requested = IndexSettings(extra_index_urls=("https://mine/simple",))
    settings = _effective(requested=requested, configured=configured)
    assert settings.extra_index_urls == ("https://mine/simple", "file:///wheels/simple")
    assert (settings.find_links, settings.certificate) == (("/wheels",), "/ca.pem")
    assert settings.proxy == "http://proxy:1"
    assert _effective(configured=configured).extra_index_urls == configured.extra_index_urls


def test_only_folders_are_merged_without_asking() -> None:
    folders = IndexSettings(extra_index_urls=("file:///a", "file:///b"))
    mixed = IndexSettings(extra_index_urls=("file:///a", "https://b/simple"))
    assert strategy_of(folders) == "unsafe-best-match"
    assert strategy_of(mixed) == "first-index"
    assert strategy_of(NONE) == "first-index"


def test_pips_configuration_is_read_as_pip_prints_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pip.conf"
    path.write_text(
        "[global]\nindex-url = https://me:it's@h/simple\nextra-index-url =\n  file:///a\n  file:///b\n"
        "find-links = /wheels\n[install]\nno-index = yes\nproxy = http://p:1\n"
        "cert = /own.pem\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(path))
    monkeypatch.setenv("PIP_FIND_LINKS", "/other /more")
    settings = read_pip_configuration()
    assert settings == IndexSettings(
        index_url="https://me:it's@h/simple",
        extra_index_urls=("file:///a", "file:///b"),
        find_links=("/other", "/more"),
        no_index=True,
        certificate="/own.pem",
        proxy="http://p:1",
    )


def test_odd_lines_of_pips_configuration() -> None:
    text = "nonsense\nglobal.index-url=unquoted\n:env:.cert='/x'\nuser.broken='\n"
    assert parse_pip_configuration(text) == IndexSettings(index_url="unquoted", certificate="/x")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h/files/a.whl", "https://me:pw@h/files/a.whl"),
        ("https://H/files/a.whl", "https://me:pw@H/files/a.whl"),
        ("https://other/files/a.whl", "https://other/files/a.whl"),
        ("http://h/files/a.whl", "http://h/files/a.whl"),
        ("https://h:444/files/a.whl", "https://h:444/files/a.whl"),
        ("https://you@h/files/a.whl", "https://you@h/files/a.whl"),
        ("file:///h/a.whl", "file:///h/a.whl"),
    ],
)
def test_credentials_go_to_their_own_host_only(url: str, expected: str) -> None:
    settings = IndexSettings(
        index_url="https://plain/simple", extra_index_urls=("https://me:pw@h/simple",)
    )
    assert with_credentials(url, settings) == expected


def test_what_the_configuration_may_say() -> None:
    function = _function(index_url="https://h/simple", index_strategy="unsafe-best-match")
    assert requested_indexes(function).strategy == "unsafe-best-match"
    with pytest.raises(UsageError, match="unknown index strategy `best`"):
        requested_indexes(_function(index_strategy="best"))
    with pytest.raises(UsageError, match="is not the URL of a package index"):
        requested_indexes(_function(index_url="/some/folder"))


def _function(**more: Any) -> Function:
    return Function(
        name="f",
        root=Path("/"),
        handler="a.b",
        runtime="python3.13",
        architecture="arm64",
        kind="lambda",
        sources=(),
        requirements=(),
        **more,
    )


def test_pip_understands_the_option_lines(tmp_path: Path) -> None:
    settings = IndexSettings(
        index_url="https://me:pw@h/simple",
        extra_index_urls=("https://x/simple",),
        find_links=("/a folder",),
    )
    path = tmp_path / "requirements.in"
    path.write_text("\n".join(option_lines(settings)), encoding="utf-8")
    program = (
        "import sys\n"
        "from pip._internal.network.session import PipSession\n"
        "from pip._internal.index.package_finder import PackageFinder\n"
        "from pip._internal.index.collector import LinkCollector\n"
        "from pip._internal.models.search_scope import SearchScope\n"
        "from pip._internal.models.selection_prefs import SelectionPreferences\n"
        "from pip._internal.req.req_file import parse_requirements\n"
        "session = PipSession()\n"
        "scope = SearchScope.create(['/old'], ['https://old'], False)\n"
        "finder = PackageFinder.create(LinkCollector(session, scope),\n"
        "                              SelectionPreferences(allow_yanked=False))\n"
        "list(parse_requirements(sys.argv[1], session=session, finder=finder))\n"
        "print(*finder.search_scope.index_urls, *finder.find_links, sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "https://me:pw@h/simple",
        "https://x/simple",
        "/old",
        "file:///a%20folder",
    ]
