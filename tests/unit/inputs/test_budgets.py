"""Budgets as people write them."""

import pytest

from packager.errors import UsageError
from packager.inputs.budgets import parse_budget_options, parse_budgets
from packager.inputs.setting_values import Place
from packager.model.budget import Allowance, Budgets, Increase

PLACE = Place("pyproject.toml", "tool.lpack.budgets")


@pytest.mark.parametrize(
    ("table", "budgets"),
    [
        ({}, Budgets()),
        ({"zip": "20 MiB"}, Budgets(zip=20 * 2**20)),
        ({"zip": "20 MB", "unzipped": 5}, Budgets(zip=20_000_000, unzipped=5)),
        ({"files": 0, "init": "800 ms"}, Budgets(files=0, init_ms=800)),
        ({"init": "1.5s"}, Budgets(init_ms=1500)),
        ({"max-increase": "5 %"}, Budgets(max_increase=Increase(percent=5))),
        ({"max-increase": "500 KiB"}, Budgets(max_increase=Increase(bytes=512_000))),
        ({"max-increase": ["500 kB", "2.5%"]}, Budgets(max_increase=Increase(2.5, 500_000))),
        ({"new-distributions": False}, Budgets(new_distributions=False)),
        ({"new-distributions": ["Py_YAML"]}, Budgets(new_distributions=("py-yaml",))),
        ({"distributions": {"NumPy": "60 MiB"}},
         Budgets(distributions=(Allowance("numpy", None, 60 * 2**20),))),
        ({"distributions": {"*": {"zip": "1 MiB", "unzipped": "2 MiB"}}},
         Budgets(distributions=(Allowance("*", 2**20, 2**21),))),
    ],
)  # fmt: skip
def test_what_budgets_say(table: dict[str, object], budgets: Budgets) -> None:
    assert parse_budgets(table, place=PLACE) == budgets


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        ({"zipp": "1 MiB"}, "unknown key `tool.lpack.budgets.zipp`", "did you mean `zip`?"),
        ({"zip": "big"}, "`tool.lpack.budgets.zip` in `pyproject.toml` is `big`", "a size is"),
        ({"files": "9"}, "must be a number of files, not `9`", "files = 4000"),
        ({"files": True}, "must be a number of files", "files = 4000"),
        ({"init": "fast"}, "must be a duration, not `fast`", 'init = "800 ms"'),
        ({"max-increase": ["5 %", "6 %"]}, "must be one percentage, one size, or both", "["),
        ({"max-increase": []}, "must be one percentage, one size, or both", "["),
        ({"max-increase": "a lot"}, "must be a percentage or a size", "["),
        ({"new-distributions": "no"}, "must be true, false or a list of names", "false"),
        ({"distributions": ["numpy"]}, "must be a table of sizes", "numpy"),
        ({"distributions": {"numpy": {"zap": 1}}}, "distributions.numpy` in", "numpy"),
        ("1 MiB", "`tool.lpack.budgets` in `pyproject.toml` must be a table", "[tool.lpack"),
    ],
)
def test_what_is_wrong_is_named(table: object, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_budgets(table, place=PLACE)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_the_command_line_says_the_same() -> None:
    texts = ("zip=20 MiB", "files=9", "max-increase=5 %, 1 KiB", "new-distributions=a,b",
             "distributions.numpy=1 B")  # fmt: skip
    assert parse_budget_options(texts) == Budgets(
        zip=20 * 2**20,
        files=9,
        max_increase=Increase(5, 1024),
        new_distributions=("a", "b"),
        distributions=(Allowance("numpy", None, 1),),
    )


def test_the_stronger_one_wins_key_by_key() -> None:
    shared = Budgets(zip=1, files=2, distributions=(Allowance("a", 1), Allowance("b", 1)))
    own = Budgets(zip=5, distributions=(Allowance("a", 9),))
    assert own.over(shared, shared=True) == Budgets(
        zip=5, files=2, distributions=(Allowance("a", 9), Allowance("b", 1, shared=True))
    )
