"""Numbers as they are written: no negative zero, one minus sign."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mscpool.analysis.paper.words import wording
from mscpool.data.written import fixed

NUMBERS = st.floats(-1e6, 1e6) | st.floats(-1e-2, 1e-2)
NEGATIVE_ZERO = re.compile(r"[-−]0*(?:\.0*)?(?:$|[^0-9.])")


@given(NUMBERS, st.integers(0, 4))
def test_a_number_is_the_nearest_of_so_many_decimals(value, digits):
    written = fixed(value, digits)
    assert "-" not in written
    assert math.isclose(
        float(written.replace("−", "-")), round(value, digits), abs_tol=1e-9, rel_tol=1e-12
    )
    assert fixed(value, digits, plus=True).lstrip("+") == written


WRITERS = {
    "fixed": lambda value: fixed(value, 2),
    "with a sign": lambda value: fixed(value, 1, plus=True),
    "signed": wording.signed,
    "signed to an error": lambda value: wording.signed(value, 2, 0.3),
    "number": wording.number,
    "number to an error": lambda value: wording.number(value, 0.3),
    "percent": wording.percent,
    "whole percent": lambda value: wording.percent(value, 0),
    "interval": lambda value: wording.interval(dict.fromkeys(("q50", "q2.5", "q97.5"), value)),
}


@pytest.mark.parametrize("name", WRITERS)
@given(value=NUMBERS)
def test_nothing_is_written_as_a_negative_zero(name, value):
    assert not NEGATIVE_ZERO.search(WRITERS[name](value))


def test_the_pattern_sees_a_negative_zero():
    for seen in ("-0.00", "−0", "−0.0 %", "1 (−0.00 to 2)"):
        assert NEGATIVE_ZERO.search(seen)
    for sound in ("−0.01", "0.00", "−10", "−0.5 %"):
        assert not NEGATIVE_ZERO.search(sound)


def test_the_minus_sign_is_set_in_one_place(root):
    rooms = ("data", "models", "analysis", "figures")
    paths = [path for room in rooms for path in (root / room).rglob("*.py")]
    setting = [path.name for path in paths if '"-", "−"' in path.read_text("utf-8")]
    assert not setting
    assert 'MINUS = "−"' in (root / "data" / "written.py").read_text("utf-8")
