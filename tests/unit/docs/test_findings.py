"""Every code of a finding means one thing, whichever command finds it."""

from collections import Counter

from packager.gate.codes import CODES
from packager.inspect.codes import load_codes


def test_no_code_is_used_twice() -> None:
    counted = Counter(each.code for each in (*CODES, *load_codes()))
    assert [code for code, count in counted.items() if count > 1] == []


def test_the_codes_of_check_are_in_order() -> None:
    codes = [each.code for each in CODES]
    assert codes == sorted(codes)
