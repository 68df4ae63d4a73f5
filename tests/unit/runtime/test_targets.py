"""The target data held against packaging's own rules, a fixed list, and itself."""

import re
import tomllib
from itertools import product
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.tags import parse_tag

import packager.runtime.targets as targets_module
from packager.errors import UsageError
from packager.model.target import ARCHITECTURES, KINDS, Target
from packager.runtime.targets import load_quotas, load_target, runtime_names

DATA = Path(targets_module.__file__).parent / "data" / "targets.toml"
EVERY = [
    load_target(runtime, architecture, kind)
    for runtime, architecture, kind in product(runtime_names(), ARCHITECTURES, KINDS)
    if (architecture, kind) != ("arm64", "edge")
]
IDS = [target.label for target in EVERY]


def _platforms(target: Target) -> list[str]:
    interpreter = f"cp{target.python[0]}{target.python[1]}"
    start = f"{interpreter}-{interpreter}-"
    return [tag.removeprefix(start) for tag in target.tags if tag.startswith(start)]


def test_the_names_are_those_of_the_data() -> None:
    with DATA.open("rb") as stream:
        assert tuple(tomllib.load(stream)["runtimes"]) == runtime_names()


@pytest.mark.parametrize("target", EVERY, ids=IDS)
def test_every_fact_has_a_source_and_a_date(target: Target) -> None:
    assert target.source
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", target.date)
    assert re.fullmatch(r"(deprecated since|supported until) \d{4}-\d{2}-\d{2}", target.status)
    for limit in target.limits:
        assert limit.source
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", limit.date)


def test_platforms_of_amazon_linux_2023() -> None:
    platforms = _platforms(load_target("python3.13", "x86_64"))
    assert platforms == [
        *(f"manylinux_2_{minor}_x86_64" for minor in range(34, 16, -1)),
        "manylinux2014_x86_64",
        *(f"manylinux_2_{minor}_x86_64" for minor in range(16, 11, -1)),
        "manylinux2010_x86_64",
        *(f"manylinux_2_{minor}_x86_64" for minor in range(11, 4, -1)),
        "manylinux1_x86_64",
        "linux_x86_64",
    ]


def test_platforms_of_amazon_linux_2() -> None:
    assert _platforms(load_target("python3.11", "arm64")) == [
        *(f"manylinux_2_{minor}_aarch64" for minor in range(26, 16, -1)),
        "manylinux2014_aarch64",
        "linux_aarch64",
    ]


@pytest.mark.parametrize("target", EVERY, ids=IDS)
def test_tags_obey_the_glibc_of_the_runtime(target: Target) -> None:
    minors = {
        int(match[1]) for tag in target.tags if (match := re.search(r"-manylinux_2_(\d+)_", tag))
    }
    assert max(minors) == target.glibc[1]
    assert target.glibc == ((2, 26) if target.python < (3, 12) else (2, 34))
    assert len(set(target.tags)) == len(target.tags)
    assert not any("macos" in tag or "win" in tag or "musl" in tag for tag in target.tags)


@pytest.mark.parametrize("target", EVERY, ids=IDS)
def test_tags_are_in_the_order_of_packaging(target: Target) -> None:
    """packaging's own list for a host of this kind, best first, is what an installer walks."""
    from packaging import _manylinux, tags  # noqa: PLC0415 -- the oracle of this test only

    interpreter = f"cp{target.python[0]}{target.python[1]}"
    patched = pytest.MonkeyPatch()
    with patched.context() as patch:
        patch.setattr(_manylinux, "_get_glibc_version", lambda: target.glibc)
        patch.setattr(_manylinux, "_have_compatible_abi", lambda *_: True)
        manylinux = list(_manylinux.platform_tags([target.machine]))
    platforms = [*manylinux, f"linux_{target.machine}"]
    expected = [
        *tags.cpython_tags(target.python, [interpreter], platforms),
        *tags.compatible_tags(target.python, interpreter, platforms),
    ]
    assert list(target.tags) == [str(tag) for tag in expected]


@pytest.mark.parametrize(
    ("tag", "accepted"),
    [
        ("cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("cp313-cp313-manylinux_2_34_x86_64", True),
        ("cp313-cp313-manylinux_2_35_x86_64", False),
        ("cp313-cp313-manylinux_2_28_aarch64", False),
        ("cp39-abi3-manylinux_2_28_x86_64", True),
        ("cp314-abi3-manylinux_2_28_x86_64", False),
        ("cp312-cp312-manylinux_2_28_x86_64", False),
        ("cp313-cp313t-manylinux_2_28_x86_64", False),
        ("cp313-cp313-musllinux_1_2_x86_64", False),
        ("cp313-none-any", True),
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("py2-none-any", False),
        ("py3-none-manylinux2014_x86_64", True),
        ("cp313-cp313-linux_x86_64", True),
    ],
)
def test_which_wheels_a_target_takes(tag: str, accepted: bool) -> None:
    tags = set(load_target("python3.13", "x86_64").tags)
    assert any(str(each) in tags for each in parse_tag(tag)) is accepted


@pytest.mark.parametrize("runtime", runtime_names())
def test_architectures_differ_only_where_they_should(runtime: str) -> None:
    x86, arm = (load_target(runtime, architecture) for architecture in ARCHITECTURES)
    for field in ("python", "operating_system", "glibc", "sys_path", "ld_library_path", "limits"):
        assert getattr(x86, field) == getattr(arm, field)
    assert {
        key for key, value in x86.marker_environment.items() if arm.marker_environment[key] != value
    } == {"platform_machine"}
    as_x86 = {tag.replace("aarch64", "x86_64") for tag in arm.tags}
    older = {tag for tag in x86.tags if re.search(r"_2_(5|6|7|8|9|1[0-6])_|linux(2010|1)_", tag)}
    assert as_x86 == set(x86.tags) - older


@pytest.mark.parametrize("target", EVERY, ids=IDS)
def test_the_marker_environment_is_complete(target: Target) -> None:
    environment = target.marker_environment
    assert environment.keys() == default_environment().keys()
    assert environment["python_full_version"].startswith(environment["python_version"] + ".")
    assert environment["platform_machine"] == target.machine


def test_sys_path_as_observed() -> None:
    assert load_target("python3.13", "arm64").sys_path == (
        "/var/task",
        "/opt/python/lib/python3.13/site-packages",
        "/opt/python",
        "/var/lang/lib/python3.13/site-packages",
        "/var/runtime",
        "/var/lang/lib/python313.zip",
        "/var/lang/lib/python3.13",
        "/var/lang/lib/python3.13/lib-dynload",
        "/var/lang/lib/python3.13/site-packages",
        "/opt/python/lib/python3.13/site-packages",
        "/opt/python",
    )
    assert load_target("python3.9", "x86_64").sys_path[:5] == (
        "/var/task",
        "/opt/python/lib/python3.9/site-packages",
        "/opt/python",
        "/var/runtime",
        "/var/lang/lib/python39.zip",
    )


def test_limits_are_exact() -> None:
    limits = {limit.name: limit.bytes for limit in load_target("python3.13", "arm64").limits}
    assert limits == {
        "zip_direct_upload": 50 * 1024 * 1024,
        "unzipped": 250 * 1024 * 1024,
        "image": 10 * 1024 * 1024 * 1024,
    }
    assert load_quotas("lambda")["layers"] == 5
    assert load_quotas("lambda")["environment_json_bytes"] == 4096
    assert load_quotas("edge")["layers"] == 0


def test_snapstart_is_for_3_12_and_later() -> None:
    able = {target.runtime for target in EVERY if target.snapstart}
    assert able == {"python3.12", "python3.13", "python3.14"}
    assert not load_target("python3.13", "x86_64", "edge").snapstart


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("python3.31", "x86_64", "lambda"), "unknown runtime `python3.31`", "did you mean"),
        (("py313", "x86_64", "lambda"), "unknown runtime `py313`", "did you mean `python3.13`?"),
        (("3.9", "x86_64", "lambda"), "unknown runtime `3.9`", "did you mean `python3.9`?"),
        (("nodejs22.x", "x86_64", "lambda"), "unknown runtime `nodejs22.x`", "known: python3.9,"),
        (("python3.13", "aarch64", "lambda"), "unknown architecture", "AWS calls it `arm64`"),
        (("python3.13", "x86-64", "lambda"), "unknown architecture", "did you mean `x86_64`?"),
        (("python3.13", "arm64", "edge"), "does not run on `arm64`", "--arch x86_64"),
        (("python3.13", "x86_64", "egde"), "unknown kind of target `egde`", "`edge`"),
    ],
)
def test_unknown_words(words: tuple[str, str, str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_target(*words)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_code == 2
