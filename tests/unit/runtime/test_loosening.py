import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from packager.runtime.loosening import has_upper_bound, loosened, written

LOOSENED = [
    ("a>=3", "2", "a>=2"),
    ("a>3", "2", "a>=2"),
    ("a==3", "2", "a>=2"),
    ("a==1", "2", "a>=1"),
    ("a==3.*", "2", "a>=2"),
    ("a===x", "2", "a>=2"),
    ("a~=3.1", "2", "a>=2"),
    ("a<2,>=1", "2", "a>=1"),
    ("a<=1", "2", "a"),
    ("a!=2", "2", "a"),
    ("a>=3,!=2,<9", "2", "a>=2,<9"),
    ("a>=3", "2.0rc1", "a>=2.0rc1"),
    ("a>=3", "2+local", "a>=2"),
    ('a[x]>=3; python_version > "3"', "2", 'a[x]>=2; python_version > "3"'),
    ("a @ https://h/a.whl", "2", None),
    ("a>=3", None, None),
]


@pytest.mark.parametrize(("text", "version", "expected"), LOOSENED)
def test_the_smallest_change_that_admits_a_version(
    text: str, version: str | None, expected: str | None
) -> None:
    found = loosened(Requirement(text), Version(version) if version else None)
    assert (written(found) if found else None) == expected


@pytest.mark.parametrize(
    ("text", "bounded"),
    [("a", False), ("a>1", False), ("a>=1", False), ("a!=1", False), ("a<2", True), ("a<=2", True),
     ("a==1", True), ("a~=1.0", True), ("a===1", True), ("a>1,<2", True)],
)  # fmt: skip
def test_what_a_newer_version_can_fail(text: str, bounded: bool) -> None:
    assert has_upper_bound(Requirement(text)) is bounded


def test_a_requirement_as_people_write_it() -> None:
    text = 'a[y,x]<2,>=1; os_name == "posix"'
    assert written(Requirement(text)) == 'a[x,y]>=1,<2; os_name == "posix"'
    assert written(Requirement("a @ https://u:p@h/a.whl")) == "a @ (its own URL)"
