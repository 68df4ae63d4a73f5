"""Nouns behave as those of `typing.NamedTuple`, whatever makes them."""

import copy
import functools
import pickle
import types
import typing

import pytest

from packager.model.noun import NamedTuple
from packager.model.project import Function


class Usual(typing.NamedTuple):
    """What lpack's are held against."""

    name: str
    size: int = 3
    more: tuple[str, ...] = ()

    @property
    def doubled(self) -> int:
        """Something of its own."""
        return self.size * 2


class Own(NamedTuple):
    """What lpack's are held against."""

    name: str
    size: int = 3
    more: tuple[str, ...] = ()

    @property
    def doubled(self) -> int:
        """Something of its own."""
        return self.size * 2


def _all_of(kind: typing.Any) -> list[object]:
    made = kind("a", size=4)
    matched = None
    match made:
        case kind(name, _, more):
            matched = (name, more)
    return [
        tuple(kind("a")),
        made.name,
        made.size,
        made.doubled,
        made._replace(more=("x",)).more,
        made._asdict(),
        tuple(kind._make(["b", 1, ()])),
        kind._fields,
        kind._field_defaults,
        kind.__match_args__,
        kind.__doc__,
        kind.__annotations__,
        kind.__mro__[1:],
        repr(made).replace("Own", "Usual"),
        tuple(copy.copy(made)),
        pickle.loads(pickle.dumps(made)) == made,  # noqa: S301 -- its own
        isinstance(made, kind),
        hash(made) == hash(("a", 4, ())),
        hasattr(made, "__dict__"),
        matched,
    ]


def test_a_noun_does_whatever_one_of_typing_does() -> None:
    assert _all_of(Own) == _all_of(Usual)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [((), {}), (("a", 1, (), 4), {}), (("a",), {"other": 1}), (("a",), {"name": "b"})],
)
def test_wrong_arguments_are_refused(
    arguments: tuple[typing.Any, ...], named: dict[str, typing.Any]
) -> None:
    for kind in (Own, Usual):
        with pytest.raises(TypeError):
            kind(*arguments, **named)


def test_wrong_fields_are_refused() -> None:
    for kind in (Own, Usual):
        made: typing.Any = kind("a")
        with pytest.raises((TypeError, ValueError)):
            made._replace(other=1)
        with pytest.raises(TypeError):
            kind._make(["a"])
        with pytest.raises(AttributeError):
            made.name = "b"


def test_more_fields_than_constructors_that_are_kept() -> None:
    fields = Function._fields
    assert len(fields) > 16
    made = Function._make(range(len(fields)))
    assert [getattr(made, name) for name in fields] == list(range(len(fields)))
    assert Function(**made._asdict()) == made


def _fill(body: dict[str, typing.Any], namespace: dict[str, typing.Any]) -> None:
    namespace.update(body)


def test_every_number_of_fields_is_in_its_order() -> None:
    for count in range(1, 20):
        names = [f"f{number}" for number in range(count)]
        body = {"__annotations__": dict.fromkeys(names, int)}
        kind = types.new_class("Any", (NamedTuple,), {}, functools.partial(_fill, body))
        made = kind(**{name: number for number, name in reversed(list(enumerate(names)))})
        assert tuple(made) == tuple(range(count))
        assert [getattr(made, name) for name in names] == list(range(count))
