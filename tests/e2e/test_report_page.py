"""The HTML report in a real Chromium: drawn, driven by mouse and keys, spoken, and not fooled."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.chromium import Page, chromium, find_chromium
from support.fixture_wheels import CHECKOUT
from support.golden import check_golden
from support.lpack_runner import LpackRunner
from support.report_world import HOSTILE, write_artifact

GOLDEN = CHECKOUT / "tests" / "cases" / "report"
TIMES = """import time: self [us] | cumulative | imported package
import time:       300 |        300 |   urllib3.util
import time:      1500 |       1800 | requests
import time:        90 |         90 | <b>odd</b>
"""
PAGE_BYTES = 100_000
"""What the page may take besides its data."""

pytestmark = pytest.mark.index


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    program = find_chromium()
    if program is None:
        pytest.skip("Chromium is not installed")
    with chromium(program) as page:
        yield page


@pytest.fixture
def page_file(
    real_wheels_of: Callable[[str], list[Path]], tmp_path: Path, lpack: LpackRunner
) -> Path:
    wheels = real_wheels_of("python3.13-x86_64")
    write_artifact(tmp_path / "function.zip", wheels)
    write_artifact(
        tmp_path / "earlier.zip",
        [wheel for wheel in wheels if not wheel.name.startswith("idna")],
        code={"app.py": b"# before\n" * 90},
    )
    (tmp_path / "times.txt").write_text(TIMES)
    lpack.ok(
        "report", "function.zip", "--baseline", "earlier.zip", "--times", "times.txt",
        "--report", "html=report.html",
        cwd=tmp_path,
    )  # fmt: skip
    return tmp_path / "report.html"


def tiles(browser: Page) -> list[str]:
    found: list[str] = browser.run(
        "[...document.querySelectorAll('#map button')].map(b => b.getAttribute('aria-label'))"
    )
    return found


def test_the_page_is_small_and_says_the_same_twice(page_file: Path, lpack: LpackRunner) -> None:
    text = page_file.read_text()
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert data is not None
    assert len(text.encode()) - len(data[1].encode()) < PAGE_BYTES
    assert "</script>" not in data[1]
    document = json.loads(data[1])[0]
    assert {row[0] for row in document["code"]["files"]} == HOSTILE.keys()
    again = lpack.ok(
        "report", "function.zip", "--baseline", "earlier.zip", "--times", "times.txt",
        "--output-format", "html",
        cwd=page_file.parent,
    )  # fmt: skip
    assert again.stdout == text


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900)])
def test_drawn_without_harm(browser: Page, page_file: Path, width: int, height: int) -> None:
    browser.complaints.clear()
    browser.open(page_file, width=width, height=height, dark=width < 600)
    # Nothing is wider than the screen, whatever the names.
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.querySelectorAll('img, b odd, [onerror]').length") == 0
    assert len(tiles(browser)) > 7
    boxes = browser.run(
        "[...document.querySelectorAll('#map > button')].map(b => b.box.map(Math.round))"
    )
    map_width, map_height = browser.run(
        "[document.getElementById('map').clientWidth, document.getElementById('map').clientHeight]"
    )
    assert all(x + w <= map_width + 1 and y + h <= map_height + 1 for x, y, w, h in boxes)
    dark = browser.run("getComputedStyle(document.body).backgroundColor")
    assert dark == ("rgb(13, 17, 23)" if width < 600 else "rgb(255, 255, 255)")
    assert browser.complaints == []


def test_areas_are_the_sizes(browser: Page, page_file: Path) -> None:
    browser.open(page_file, width=1280, height=900)
    rows = browser.run(
        "[...document.querySelectorAll('#map > button')].filter(b => !b.node.up.up)"
        ".map(b => [b.node.size, b.box[2] * b.box[3]])"
    )
    total, area = (sum(row[index] for row in rows) for index in (0, 1))
    for size, drawn in rows:
        assert drawn / area == pytest.approx(size / total, abs=0.002)


def test_zoom_and_filter(browser: Page, page_file: Path) -> None:
    browser.open(page_file, width=1280, height=900)
    browser.click("#map button[aria-label^='charset-normalizer']")
    trail = "document.getElementById('trail').textContent"
    assert "charset-normalizer" in browser.run(trail)
    assert all(text.startswith("charset-normalizer") for text in tiles(browser))
    browser.click("#trail button")
    browser.press("/")
    browser.type("idna core")
    browser.wait("document.getElementById('hits').textContent.startsWith('1 file')")
    assert browser.run("document.querySelectorAll('#table tbody tr').length") == 1
    assert [text for text in tiles(browser) if "core.py" in text]
    browser.run("document.getElementById('filter').value = 'no such thing'; "
                "document.getElementById('filter').dispatchEvent(new Event('input'))")  # fmt: skip
    browser.wait("document.querySelector('#map .empty')")


def test_keys_alone_are_enough(browser: Page, page_file: Path) -> None:
    browser.open(page_file, width=1280, height=900)
    focused = "document.activeElement.getAttribute('aria-label')"
    for _ in range(12):
        browser.press("Tab")
        if browser.run("document.activeElement.closest('#map') !== null"):
            break
    first = browser.run(focused)
    browser.press("ArrowRight")
    second = browser.run(focused)
    assert first != second
    browser.press("Home")
    assert browser.run(focused) == first
    browser.press("Enter")
    assert browser.run("document.getElementById('trail').querySelectorAll('button').length") == 2
    assert browser.run("document.activeElement.closest('#map') !== null")
    browser.press("Escape")
    assert browser.run("document.getElementById('trail').querySelectorAll('button').length") == 1
    browser.run("document.querySelector('.open').focus()")
    browser.press("Enter")
    assert browser.run("document.activeElement.getAttribute('aria-expanded')") == "true"


def test_switches_and_comparison(browser: Page, page_file: Path) -> None:
    browser.open(page_file, width=1280, height=900)
    assert any("unzipped" in text for text in tiles(browser))
    browser.click("[name=size][value='2']")
    assert any(" zipped" in text for text in tiles(browser))
    browser.click("[name=size][value='1']")
    browser.click("[name=mode][value=change]")
    found = tiles(browser)
    assert any(text.startswith("idna") and "0.0 KiB → " in text for text in found)
    assert any(text.startswith("six") and "the same" in text for text in found)
    change = browser.run(
        "[...document.querySelectorAll('#table tbody tr')].map(r => r.textContent)"
        ".filter(t => t.includes('idna'))[0]"
    )
    assert "+" in change


def test_chains_and_start_up(browser: Page, page_file: Path) -> None:
    browser.open(page_file, width=1280, height=900)
    browser.run(
        "[...document.querySelectorAll('.open')].find(b => /^idna/.test(b.textContent)).click()"
    )
    chain = browser.run("document.querySelector('.chain').textContent")
    assert chain.endswith("→ idna<4,>=2.5")
    rows = browser.run(
        "[...document.querySelectorAll('#startup tbody tr')].map(r => r.textContent)"
    )
    assert rows == ["requests1.5", "urllib30.3", "<b>odd</b>0.1"]


def test_what_a_screen_reader_is_told(browser: Page, page_file: Path, update_golden: bool) -> None:
    browser.open(page_file, width=1280, height=900)
    spoken = browser.spoken()
    roles = {"heading", "link", "button", "radio", "searchbox", "group", "columnheader"}
    roles |= {"rowheader", "navigation", "search", "region", "image", "table"}
    lines = [f"{role}: {name}" for role, name in spoken if role in roles and name]
    lines = [line for line in lines if "/" not in line or not line.startswith("button")]
    check_golden(GOLDEN / "spoken.text", "".join(f"{line}\n" for line in lines),
                 update=update_golden)  # fmt: skip
    assert [name for role, name in spoken if role == "button" and not name] == []
