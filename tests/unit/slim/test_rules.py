import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.assembling import admitted
from support.fixture_wheels import CHECKOUT
from support.wheel_builder import build_wheel

from packager.errors import UsageError
from packager.model.prune import Dropped, SlimSettings
from packager.model.wheel import WheelMember
from packager.slim.globs import compile_globs, fits
from packager.slim.layout import lay_out
from packager.slim.prune_rules import (
    declared_distributions,
    digest_of_rules,
    load_declared,
    load_inert,
)
from packager.slim.rules import MAGIC_BYTES, check_named_rules, choose_dropped, uncovered_rules

CASES = tomllib.loads((CHECKOUT / "tests/cases/prune/inert.toml").read_text())["case"]
NUMPY = {"numpy/__init__.py": b"", "numpy/tests/test_a.py": b"A = 1\n" * 40, "numpy/a.h": b"x"}


def bytes_of(text: str) -> bytes:
    return bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()


def dropped_of(path: Path, settings: SlimSettings | None = None) -> dict[str, Dropped]:
    wheel = admitted(path)
    with zipfile.ZipFile(path) as archive:

        def read_head(member: WheelMember) -> bytes:
            return archive.read(member.name)[:MAGIC_BYTES]

        chosen = choose_dropped(
            wheel, lay_out(wheel).shipped, settings or SlimSettings(), read_head=read_head
        )
    assert list(chosen) == sorted(chosen, key=lambda each: each.path.encode())
    return {each.path: each for each in chosen}


def rules_of(dropped: Mapping[str, Dropped]) -> dict[str, tuple[str, str]]:
    return {path: (each.tier, each.rule) for path, each in dropped.items()}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_inert(case: dict[str, Any], tmp_path: Path) -> None:
    path = build_wheel(
        tmp_path,
        case.get("distribution", "demo"),
        "1.0",
        files={name: bytes_of(text) for name, text in case["files"].items()},
        requires=case.get("requires", ()),
        dist_info_files={n: bytes_of(text) for n, text in case.get("dist-info", {}).items()},
        tag="cp311-cp311-manylinux_2_17_x86_64",
    )
    expected = {
        name.format(info="demo-1.0.dist-info"): ("inert", rule)
        for name, rule in case.get("dropped", {}).items()
    }
    assert rules_of(dropped_of(path)) == expected


def test_every_inert_rule_has_a_case() -> None:
    shown = {rule for case in CASES for rule in case.get("dropped", {}).values()}
    assert {rule.id for rule in load_inert()} - shown == {"dead-bytecode"}


def test_dead_bytecode_is_dropped_and_the_rest_stays(tmp_path: Path) -> None:
    live = b"\xa7\x0d\r\n\x01\0\0\0" + bytes(12)
    files = {"demo.py": b"A = 1\n", "other.py": b"", "__pycache__/demo.cpython-311.pyc": live}
    files["__pycache__/other.cpython-311.pyc"] = b"\xa7\x0d\r\n" + bytes(12)
    path = build_wheel(tmp_path, "demo", "1.0", files=files)
    assert rules_of(dropped_of(path)) == {
        "__pycache__/other.cpython-311.pyc": ("inert", "dead-bytecode")
    }


def test_without_a_reader_nothing_is_dropped_on_its_name_alone(tmp_path: Path) -> None:
    files = {"demo/libx.a": b"!<arch>\n", "demo/a.pyi": b"", "demo/b.pyo": b""}
    wheel = admitted(build_wheel(tmp_path, "demo", "1.0", files=files))
    chosen = choose_dropped(wheel, lay_out(wheel).shipped, SlimSettings())
    assert [each.path for each in chosen] == ["demo/a.pyi"]


def test_the_sizes_are_those_of_the_member(tmp_path: Path) -> None:
    path = build_wheel(tmp_path, "demo", "1.0", files={"demo.pyi": b"a: int\n" * 90})
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("demo.pyi")
    expected = Dropped("demo.pyi", "inert", "type-stubs", info.file_size, info.compress_size)
    assert dropped_of(path) == {"demo.pyi": expected}


def test_the_path_is_the_one_in_the_bundle(tmp_path: Path) -> None:
    path = build_wheel(tmp_path, "demo", "1.0", files={"demo-1.0.data/platlib/demo/a.h": b""})
    assert rules_of(dropped_of(path)) == {"demo/a.h": ("inert", "headers")}


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        ("off", set()),
        ("inert", {"numpy/a.h"}),
        ("declared", {"numpy/a.h", "numpy/tests/test_a.py"}),
    ],
)
def test_tiers_include_the_ones_before(tier: Any, expected: set[str], tmp_path: Path) -> None:
    path = build_wheel(tmp_path, "numpy", "2.3.0", files=NUMPY)
    assert set(dropped_of(path, SlimSettings(tier=tier))) == expected


@pytest.mark.parametrize("version", ["1.26.4", "3.0"])
def test_declared_rules_hold_for_versions_they_were_checked_with(
    version: str, tmp_path: Path
) -> None:
    settings = SlimSettings(tier="declared")
    path = build_wheel(tmp_path, "numpy", version, files=NUMPY)
    assert set(dropped_of(path, settings)) == {"numpy/a.h"}
    assert uncovered_rules(admitted(path), settings) == ("numpy-tests", "numpy-test-extensions")
    checked = admitted(build_wheel(tmp_path, "numpy", "2.3.0", files=NUMPY))
    assert uncovered_rules(checked, settings) == ()


def test_what_a_kept_module_imports_stays(tmp_path: Path) -> None:
    files = {"numpy/_core/tests/_natype.py": b"", "numpy/_core/tests/__init__.py": b""}
    path = build_wheel(tmp_path, "numpy", "2.2.6", files=files | NUMPY)
    assert set(dropped_of(path, SlimSettings(tier="declared"))) == {
        "numpy/a.h",
        "numpy/tests/test_a.py",
    }


@pytest.mark.parametrize("tier", ["off", "inert", "declared"])
def test_a_named_rule_works_only_when_named(tier: Any, tmp_path: Path) -> None:
    files = {"sklearn/datasets/data/iris.csv": b"1", "sklearn/datasets/data/__init__.py": b""}
    path = build_wheel(tmp_path, "scikit-learn", "1.8", files=files)
    assert dropped_of(path, SlimSettings(tier=tier)) == {}
    named = SlimSettings(tier=tier, rules=("sklearn-sample-data",))
    assert rules_of(dropped_of(path, named)) == {
        "sklearn/datasets/data/iris.csv": ("declared", "sklearn-sample-data")
    }


def test_an_unknown_rule_is_named_with_the_nearest() -> None:
    check_named_rules(SlimSettings(rules=("pyarrow-flight",)))
    with pytest.raises(UsageError, match="no prune rule is called `pyarow-flight`") as caught:
        check_named_rules(SlimSettings(rules=("pyarow-flight",)))
    assert caught.value.hint == "did you mean `pyarrow-flight`?"
    with pytest.raises(UsageError) as caught:
        check_named_rules(SlimSettings(rules=("numpy-tests",)))  # on with its tier, never named


def test_keep_wins_over_every_tier_and_drop_over_the_rules(tmp_path: Path) -> None:
    files = {"demo/a.pyi": b"", "demo/b.pyi": b"", "demo/c.json": b"", "demo/d.json": b""}
    settings = SlimSettings(keep=("a.pyi", "demo/d*"), drop=(("demo", "not ours"), ("x", "")))
    path = build_wheel(tmp_path, "demo", "1.0", files=files)
    assert rules_of(dropped_of(path, settings)) == {
        "demo/b.pyi": ("user", "not ours"),
        "demo/c.json": ("user", "not ours"),
    }


def test_a_drop_without_a_reason_gets_its_glob(tmp_path: Path) -> None:
    path = build_wheel(tmp_path, "demo", "1.0", files={"demo/c.json": b""})
    settings = SlimSettings(tier="off", drop=(("*.json", ""),))
    assert rules_of(dropped_of(path, settings)) == {"demo/c.json": ("user", "`*.json`")}


def test_nothing_can_drop_what_identifies_a_distribution(tmp_path: Path) -> None:
    path = build_wheel(tmp_path, "demo", "1.0", entry_points="[a]\nb=demo:c\n")
    info = "demo-1.0.dist-info"
    settings = SlimSettings(tier="declared", drop=(("*.dist-info", "small"), ("**", "all")))
    assert set(dropped_of(path, settings)) == {"demo.py"}
    with zipfile.ZipFile(path) as archive:
        assert {f"{info}/METADATA", f"{info}/entry_points.txt"} < set(archive.namelist())


def test_every_rule_says_why_whence_since_when_and_what_guards_it() -> None:
    declared = [rule for name in declared_distributions() for rule in load_declared(name)]
    rules = [*load_inert(), *declared]
    assert len({rule.id for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.reason, rule.id
        assert rule.source, rule.id
        assert rule.date.startswith("20"), rule.id
        assert (CHECKOUT / "tests" / rule.check.split(":")[0].split(",")[0][6:]).exists(), rule.id
        assert bool(rule.versions) == (rule.tier == "declared"), rule.id
        assert not rule.reason.endswith("."), rule.id


def test_a_declared_rule_never_leaves_its_distribution() -> None:
    tops = {"scikit-learn": "sklearn", "aws-lambda-powertools": "aws_lambda_powertools"}
    for name in declared_distributions():
        data = tomllib.loads(
            (CHECKOUT / f"packager/slim/data/declared/{name}.toml").read_text(encoding="utf-8")
        )
        assert data["distribution"] == name
        for rule in data["rules"]:
            assert all(glob.startswith(f"{tops.get(name, name)}/") for glob in rule["files"])


def test_the_digest_of_the_rules_is_the_distributions_own() -> None:
    assert digest_of_rules("six") == digest_of_rules("idna") != digest_of_rules("numpy")


@pytest.mark.parametrize(
    ("glob", "name", "contents", "expected"),
    [
        ("*.h", "a/b/c.h", False, True),
        ("a/*.h", "a/b/c.h", False, False),
        ("a/**/*.h", "a/c.h", False, True),
        ("**/tests/**", "x/tests/a/b.py", False, True),
        ("**/tests/**", "x/mytests/a.py", False, False),
        ("tests", "x/tests/a.py", True, True),
        ("tests", "x/tests/a.py", False, False),
        ("x/tests/", "x/tests/a.py", True, True),
        ("lib?.[!a]", "libx.a", False, False),
        ("lib?.[!b]", "libx.a", False, True),
        ("a.b", "axb", False, False),
    ],
)
def test_globs(glob: str, name: str, contents: bool, expected: bool) -> None:
    assert fits(compile_globs((glob,), contents=contents), name) is expected
    assert not fits(compile_globs(()), name)
