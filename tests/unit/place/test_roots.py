import pytest

from packager.errors import CannotBuild
from packager.place.roots import Root, refuse_overwriting, refuse_split_packages


def root(title: str, files: dict[str, bytes]) -> Root:
    return Root(title, dict.fromkeys(files, f"{title} 1.0"), files.__getitem__)


def test_a_package_that_hides_a_part_of_it_is_refused() -> None:
    roots = [
        root("api.zip", {"ns/__init__.py": b"", "ns/a.py": b""}),
        root("layer", {"ns/b.py": b""}),
    ]
    with pytest.raises(CannotBuild, match=r"`ns/__init__.py` of api.zip 1.0 .* hides `ns/b.py`"):
        refuse_split_packages(roots)


@pytest.mark.parametrize(
    "first",
    [
        {"ns/a.py": b""},
        {"ns/__init__.py": b"__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"},
        {"ns/__init__.py": b"", "ns/b.py": b""},
        {"other/__init__.py": b""},
    ],
)
def test_what_python_puts_together_passes(first: dict[str, bytes]) -> None:
    refuse_split_packages([root("api.zip", first), root("layer", {"ns/b.py": b""})])


def test_a_part_below_a_namespace_is_found() -> None:
    roots = [root("api.zip", {"g/c/a.py": b""}), root("layer", {"g/c/__init__.py": b""})]
    with pytest.raises(CannotBuild, match=r"hides `g/c/a\.py`"):
        refuse_split_packages(roots)


def test_layers_may_share_equal_files_only() -> None:
    refuse_overwriting([("a", {"x": (1, 2)}), ("b", {"x": (1, 2)})])
    for other in ({"x": (3, 2)}, {"x/y": (1, 1)}):
        with pytest.raises(CannotBuild, match="the layers `a` and `b` both have `x`"):
            refuse_overwriting([("a", {"x": (1, 2)}), ("b", other)])
