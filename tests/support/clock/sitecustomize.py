"""Gives a Python process another clock: `LPACK_TEST_CLOCK` is where it begins, in s since 1970.

Put on PYTHONPATH by `support.places`. Files keep the dates that the system gives them.
"""

import datetime as dt
import os
import time

_real_time = time.time
_real_ns = time.time_ns
_ahead = int(os.environ["LPACK_TEST_CLOCK"]) - int(_real_time())


def _time() -> float:
    return _real_time() + _ahead


def _time_ns() -> int:
    return _real_ns() + _ahead * 1_000_000_000


class _Datetime(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> "_Datetime":
        return cls.fromtimestamp(_time(), tz)


for _name in ("localtime", "gmtime", "ctime"):
    _known = getattr(time, _name)
    setattr(time, _name, lambda seconds=None, known=_known: known(
        _time() if seconds is None else seconds
    ))  # fmt: skip
_strftime = time.strftime


def _formatted(form: str, when: time.struct_time | None = None) -> str:
    return _strftime(form, time.localtime() if when is None else when)


setattr(time, "strftime", _formatted)  # noqa: B010 -- a module's function is no variable
time.time = _time
time.time_ns = _time_ns
dt.datetime = _Datetime  # type: ignore[misc]
