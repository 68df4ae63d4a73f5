"""`NamedTuple` as `typing` has it, made without compiling anything at start-up.

`typing.NamedTuple` writes and compiles a constructor for every class, 0.1 to 0.3 ms each: with the
fifty nouns of a rebuild, a tenth of its time. Here the constructors share compiled ones of as many
arguments, under other names. Type checkers see the one of `typing`, and so does Python 3.14,
where annotations are known only after a class was made.
"""

import sys
from collections import _tuplegetter  # type: ignore[attr-defined]  # what its own use
from collections.abc import Iterable
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

__all__ = ["NamedTuple"]

_new = tuple.__new__
# By the number of arguments beside the class; the names are replaced.
_CONSTRUCTORS: tuple[CodeType, ...] = tuple(
    made.__code__
    for made in (
        lambda _cls: _new(_cls, ()),
        lambda _cls, a: _new(_cls, (a,)),
        lambda _cls, a, b: _new(_cls, (a, b)),
        lambda _cls, a, b, c: _new(_cls, (a, b, c)),
        lambda _cls, a, b, c, d: _new(_cls, (a, b, c, d)),
        lambda _cls, a, b, c, d, e: _new(_cls, (a, b, c, d, e)),
        lambda _cls, a, b, c, d, e, f: _new(_cls, (a, b, c, d, e, f)),
        lambda _cls, a, b, c, d, e, f, g: _new(_cls, (a, b, c, d, e, f, g)),
        lambda _cls, a, b, c, d, e, f, g, h: _new(_cls, (a, b, c, d, e, f, g, h)),
        lambda _cls, a, b, c, d, e, f, g, h, i: _new(_cls, (a, b, c, d, e, f, g, h, i)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j: _new(_cls, (a, b, c, d, e, f, g, h, i, j)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, q: _new(
            _cls, (a, b, c, d, e, f, g, h, i, j, k, q)
        ),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, q, m: _new(
            _cls, (a, b, c, d, e, f, g, h, i, j, k, q, m)
        ),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, q, m, n: _new(
            _cls, (a, b, c, d, e, f, g, h, i, j, k, q, m, n)
        ),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, q, m, n, o: _new(
            _cls, (a, b, c, d, e, f, g, h, i, j, k, q, m, n, o)
        ),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, q, m, n, o, p: _new(
            _cls, (a, b, c, d, e, f, g, h, i, j, k, q, m, n, o, p)
        ),
    )
)


def _constructor(fields: tuple[str, ...], defaults: dict[str, Any]) -> FunctionType:
    if len(fields) < len(_CONSTRUCTORS):
        code = _CONSTRUCTORS[len(fields)].replace(
            co_varnames=("_cls", *fields), co_name="__new__", co_qualname="__new__"
        )
    else:
        names = ", ".join(fields)
        # Identifiers of a class body, as in `collections.namedtuple`.
        code = eval(f"lambda _cls, {names}: _new(_cls, ({names}))").__code__  # noqa: S307
    return FunctionType(code, {"_new": _new}, "__new__", tuple(defaults.values()))


def _replace(self: Any, /, **changes: Any) -> Any:  # noqa: ANN401 -- any noun
    """Return a copy with other values of some fields; raises ValueError for unknown ones."""
    result = self._make(map(changes.pop, self._fields, self))
    if changes:
        raise ValueError(f"Got unexpected field names: {list(changes)!r}")
    return result


def _asdict(self: Any) -> dict[str, Any]:  # noqa: ANN401 -- likewise
    """Return the values by the names of the fields."""
    return dict(zip(self._fields, self, strict=True))


def _repr(self: Any) -> str:  # noqa: ANN401 -- likewise
    pairs = (f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
    return f"{type(self).__name__}({', '.join(pairs)})"


def _plain(self: Any) -> tuple[Any, ...]:  # noqa: ANN401 -- likewise
    return tuple(self)


def _make(cls: Any, values: Iterable[Any]) -> Any:  # noqa: ANN401 -- likewise
    """Make a noun of an iterable; raises TypeError when it has too many values or too few."""
    made = _new(cls, values)
    if len(made) != len(cls._fields):
        raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
    return made


class _Maker(type):
    """Turns the body of a class into a plain subclass of `tuple`."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:  # noqa: ANN401 -- see above
        """Make the class `name`, or the base itself when there is no other."""
        if not bases:
            return super().__new__(cls, name, bases, namespace)
        fields = tuple(namespace.get("__annotations__", ()))
        defaults = {field: namespace[field] for field in fields if field in namespace}
        getters = {field: _tuplegetter(at, field) for at, field in enumerate(fields)}
        return type(
            name,
            (tuple,),
            {
                "__slots__": (),
                "__match_args__": fields,
                "_fields": fields,
                "_field_defaults": defaults,
                "__new__": _constructor(fields, defaults),
                "__repr__": _repr,
                "__getnewargs__": _plain,
                "_replace": _replace,
                "_asdict": _asdict,
                "_make": classmethod(_make),
                **namespace,
                **getters,
            },
        )


if TYPE_CHECKING or sys.version_info >= (3, 14):
    from typing import NamedTuple
else:
    NamedTuple = _Maker("NamedTuple", (), {})
