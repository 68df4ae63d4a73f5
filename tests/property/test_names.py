"""A legal name means one file to every program, whatever it makes of names."""

import ntpath
import posixpath
import unicodedata
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st
from support.intensity import examples

from packager.wheels.names import find_clash, find_fault, find_twins, show

PARTS = st.sampled_from(
    ["a", "A", "é", "e\u0301", ".", "..", "", "a.", "a ", "con", "NUL", "aux.py", "c:", "a\\b",
     "\0", "\x1b", "com1", "com0", "x" * 255, "x" * 256, "é" * 127, "é" * 128, "\ud800", "~", "-"]
)  # fmt: skip
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join) | st.text(max_size=8)
DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{kind}{number}" for kind in ("com", "lpt") for number in range(1, 10)
}


def means_itself(name: str) -> bool:
    """The rules once more, from the side of those who read the name."""
    try:
        data = name.encode()
    except UnicodeEncodeError:
        return False
    parts = name.split("/")
    return (
        posixpath.normpath(name) == name
        and not name.startswith("/")
        and ".." not in parts
        and name != "."
        and ntpath.splitdrive(name)[0] == ""
        and "\\" not in name
        and ":" not in name
        and not any(unicodedata.category(character) == "Cc" for character in name)
        and not any(part.endswith((".", " ")) or part.lower() in DEVICES for part in parts)
        and all(len(part.encode()) <= 255 for part in parts)
        and len(data) <= 4086
    )


@settings(max_examples=examples(2500))
@given(NAMES)
def test_a_legal_name_means_itself(name: str) -> None:
    fault = find_fault(name)
    assert (fault is None) == means_itself(name), fault
    if fault is None:
        assert zipfile.ZipInfo(name).filename == name
    assert show(name).isprintable()


@settings(max_examples=examples(500))
@given(
    st.lists(st.lists(st.sampled_from("abAB"), min_size=1, max_size=3).map("/".join), max_size=5)
)
def test_names_without_a_clash_fit_on_one_disk(names: list[str]) -> None:
    """A tree of dictionaries takes them all, each as a leaf, exactly when there is no clash."""
    tree: dict[str, object] = {}
    fits = True
    for name in names:
        *folders, last = name.split("/")
        here: object = tree
        for folder in folders:
            here = here.setdefault(folder, {}) if isinstance(here, dict) else None
        if not isinstance(here, dict) or last in here:
            fits = False
            break
        here[last] = name
    assert (find_clash(names, ()) is None) == fits


@settings(max_examples=examples(300))
@given(st.lists(st.text("aAéÉe\u0301", min_size=1, max_size=3), unique=True, max_size=5))
def test_twins_are_what_other_disks_keep_once(names: list[str]) -> None:
    kept = {unicodedata.normalize("NFC", name).casefold() for name in names}
    assert len(find_twins(names)) == len(names) - len(kept)
