"""Keys and their canonical text."""

from __future__ import annotations

import enum
import sqlite3
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdt_dask_core.errors import InvalidKeyError
from sdt_dask_core.keys import as_key, canonical_text, key_from_text, key_from_user_text, key_label

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
keys = st.lists(scalars | st.lists(scalars), min_size=1).map(tuple)

# A busy machine is no failure.
unhurried = settings(deadline=None)


class Colour(str, enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (("TAEFC1044741",), '["TAEFC1044741"]'),
        ((34, 2011), "[34,2011]"),
        ((34, [2011, 2012]), "[34,[2011,2012]]"),
        ((34, (2011, 2012)), "[34,[2011,2012]]"),
        ([34, 2011], "[34,2011]"),
        ((1.0, 1.5, -0.0), "[1,1.5,0]"),
        ((True, False, None), "[true,false,null]"),
        (("Köln", "日本"), '["Köln","日本"]'),
        (('a"b\\c\n',), '["a\\"b\\\\c\\n"]'),
        (("bad\udc80name",), '["bad\\udc80name"]'),
    ],
)
def test_canonical_text(key: Any, text: str) -> None:
    assert canonical_text(key) == text


@pytest.mark.parametrize("value", ["system_17", 17, 1.5, True, None])
def test_a_plain_scalar_is_a_key_of_one_part(value: Any) -> None:
    assert as_key(value) == (value,)


@pytest.mark.parametrize(
    ("scalar", "plain"),
    [
        (np.int64(3), 3),
        (np.uint8(3), 3),
        (np.float64(1.5), 1.5),
        (np.float32(2.0), 2),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
    ],
)
def test_a_numpy_scalar_becomes_pythons(scalar: Any, plain: Any) -> None:
    (part,) = as_key(scalar)
    assert (part, type(part)) == (plain, type(plain))


def test_a_value_of_a_frames_column_is_a_key() -> None:
    assert canonical_text(tuple(pd.DataFrame({"system": [34], "year": [2011]}).iloc[0])) == "[34,2011]"


def test_a_text_enum_has_the_text_of_its_value() -> None:
    assert canonical_text(Colour.RED) == canonical_text("red")


@pytest.mark.parametrize(
    "part",
    [
        float("nan"),
        float("inf"),
        b"bytes",
        {"a": 1},
        {1, 2},
        [[1]],
        [float("nan")],
        1j,
        Decimal(1),
        object(),
        pd.NaT,
        pd.NA,
        pd.Timestamp("2020-01-01"),
        np.datetime64("2020-01-01", "ns"),
        np.array([1, 2]),
        np.float64("nan"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_what_is_no_json_scalar_is_refused(part: Any) -> None:
    with pytest.raises(InvalidKeyError):
        as_key((part,))


@pytest.mark.parametrize("nothing", [(), []])
def test_an_empty_key_is_refused(nothing: Any) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        as_key(nothing)
    assert str(caught.value) == f"the key {nothing!r} is empty; a key names one series, such as ('system_17',)"


def test_a_refused_type_is_named() -> None:
    with pytest.raises(InvalidKeyError) as caught:
        as_key((b"x",))
    assert str(caught.value) == "the key (b'x',) holds a bytes; use text, numbers, true/false, None, or lists of them"


def test_a_number_that_is_not_finite_is_named() -> None:
    with pytest.raises(InvalidKeyError) as caught:
        as_key(("a", float("inf")))
    assert str(caught.value) == "the key ('a', inf) holds inf; use finite numbers or text"


def test_the_key_given_is_not_changed_later() -> None:
    years = [2011]
    key = as_key((34, years))
    years.append(2012)
    assert key == (34, [2011])


@unhurried
@given(keys)
def test_the_text_of_a_key_is_read_back_as_the_key(key: Any) -> None:
    assert key_from_text(canonical_text(key)) == as_key(key)


@unhurried
@given(keys)
def test_the_canonical_text_is_a_fixed_point(key: Any) -> None:
    text = canonical_text(key)
    assert canonical_text(key_from_text(text)) == text


@unhurried
@given(keys)
def test_a_database_takes_and_returns_the_text(key: Any) -> None:
    text = canonical_text(key)
    assert text.encode("utf-8").decode("utf-8") == text
    connection = sqlite3.connect(":memory:")
    assert connection.execute("select ?", (text,)).fetchone() == (text,)
    connection.close()


@unhurried
@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_a_whole_float_has_the_text_of_the_integer(number: int) -> None:
    assert canonical_text(float(number)) == canonical_text(number)


@unhurried
@given(keys)
def test_the_label_of_a_key_is_read_back_as_the_key(key: Any) -> None:
    text = canonical_text(key)
    assert canonical_text(key_from_user_text(key_label(text))) == text


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("TAEFC1044741", ("TAEFC1044741",)),
        ("[34, 2011]", (34, 2011)),
        (" [34, [2011, 2012]] ", (34, [2011, 2012])),
        ("34", ("34",)),
        ('["34"]', ("34",)),
        ("a,b", ("a,b",)),
        ("", ("",)),
    ],
)
def test_what_a_user_types(typed: str, key: Any) -> None:
    assert key_from_user_text(typed) == key


@pytest.mark.parametrize(
    ("text", "label"),
    [('["TAEFC1044741"]', "TAEFC1044741"), ("[34,2011]", "[34,2011]"), ("[34]", "[34]"), ('["[a"]', '["[a"]')],
)
def test_label(text: str, label: str) -> None:
    assert key_label(text) == label


@pytest.mark.parametrize("text", ["[34,", "nonsense", '{"a":1}', "[NaN]", "[]", "[" * 100_000])
def test_a_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        key_from_text(text)
    assert len(str(caught.value)) < 500
