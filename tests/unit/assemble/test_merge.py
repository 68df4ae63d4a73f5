import itertools

import pytest

from packager.assemble.merge import merge
from packager.errors import CannotBuild
from packager.model.canonical import Record


def record(name: str, crc32: int = 1, *, executable: bool = False) -> Record:
    return Record(name.encode(), 8, crc32, 5, 9, executable, 0)


def equal(_i: int, _one: Record, _j: int, _two: Record) -> bool:
    return True


def test_without_collisions_nobody_leaves_anything_out() -> None:
    trees = [[record("a/x.py")], [record("a/y.py")], [record("a.py"), record("a/z/x.py")]]
    assert merge(["one", "two", "three"], trees, same_bytes=equal) == [set(), set(), set()]


def test_equal_files_ship_once_from_the_first_owner() -> None:
    trees = [[record("ns/__init__.py"), record("ns/a.py")]] + [
        [record("LICENSE"), record("ns/__init__.py")] for _ in range(2)
    ]
    skipped = merge(["one", "two", "three"], trees, same_bytes=equal)
    assert skipped == [set(), {b"ns/__init__.py"}, {b"LICENSE", b"ns/__init__.py"}]


def test_the_bytes_are_compared_not_only_the_checksums() -> None:
    asked = []

    def different(i: int, one: Record, j: int, two: Record) -> bool:
        asked.append((i, one.name, j, two.name))
        return False

    with pytest.raises(CannotBuild, match="different contents"):
        merge(["one 1", "two 2"], [[record("x")], [record("x")]], same_bytes=different)
    assert asked == [(0, b"x", 1, b"x")]


@pytest.mark.parametrize(
    "other",
    [
        record("pkg/data.txt", 2),
        record("pkg/data.txt", executable=True),
        record("pkg/data.txt")._replace(uncompressed_bytes=10),
    ],
    ids=["checksum", "mode", "size"],
)
def test_different_files_are_refused_naming_both(other: Record) -> None:
    with pytest.raises(CannotBuild) as caught:
        merge(
            ["zero 0", "one 1.0", "two 2.0"],
            [[], [record("pkg/data.txt")], [other]],
            same_bytes=equal,
        )
    assert caught.value.message == (
        "one 1.0 and two 2.0 both ship `pkg/data.txt` with different contents"
    )
    assert caught.value.hint == "a bundle has one file of a name: drop one of the two requirements"


@pytest.mark.parametrize(
    "trees",
    list(itertools.permutations([[record("pkg")], [record("pkg/sub/x.py")]])),
    ids=["file first", "folder first"],
)
def test_a_file_where_another_has_a_folder(trees: tuple[list[Record], ...]) -> None:
    with pytest.raises(CannotBuild) as caught:
        merge(["one 1", "two 2"], trees, same_bytes=equal)
    file_owner, folder_owner = (
        ("one 1", "two 2")
        if trees[0][0].name == b"pkg"
        else (
            "two 2",
            "one 1",
        )
    )
    assert caught.value.message == (
        f"{file_owner} ships the file `pkg` where {folder_owner} has a folder"
    )


# The second path below `a/b` is not walked again, the first walk must have been complete; and one
# below `a` alone is no walk below `a/b`.
@pytest.mark.parametrize(
    "names", [("a/b/c/1.py", "a/b/c/2.py"), ("a/1.py", "a/b/2.py"), ("a/b/1.py", "a/2.py")]
)
def test_a_file_where_a_deeper_folder_is_found_among_siblings(names: tuple[str, str]) -> None:
    trees = [[record(name) for name in names], [record("a/b")]]
    with pytest.raises(CannotBuild, match="two ships the file `a/b` where one has a folder"):
        merge(["one", "two"], trees, same_bytes=equal)


def test_a_name_that_only_begins_alike_is_no_folder() -> None:
    trees = [[record("pkg")], [record("pkg.py"), record("pkg-1.0.dist-info/METADATA")]]
    assert merge(["one", "two"], trees, same_bytes=equal) == [set(), set()]


@pytest.mark.parametrize("owners", [["one 1", "your code"], ["your code", "one 1"]])
@pytest.mark.parametrize("other", ["x.py", "x.py/y"])
def test_your_code_gets_its_own_hint_on_either_side(owners: list[str], other: str) -> None:
    with pytest.raises(CannotBuild) as caught:
        merge(owners, [[record("x.py")], [record(other, 2)]], same_bytes=equal)
    assert caught.value.hint == "rename the file, or leave it out with `exclude` in [tool.lpack]"


def test_your_code_gets_its_own_hint() -> None:
    with pytest.raises(CannotBuild) as caught:
        merge(["one 1", "your code"], [[record("x.py")], [record("x.py", 2)]], same_bytes=equal)
    assert caught.value.message.startswith("one 1 and your code both ship `x.py`")
    assert caught.value.hint == ("rename the file, or leave it out with `exclude` in [tool.lpack]")


def test_the_first_collision_in_order_is_named() -> None:
    trees = [[record("a"), record("b")], [record("b", 2), record("a", 2)]]
    messages = set()
    for _ in range(5):
        with pytest.raises(CannotBuild) as caught:
            merge(["one", "two"], trees, same_bytes=equal)
        messages.add(caught.value.message)
    assert messages == {"one and two both ship `b` with different contents"}
