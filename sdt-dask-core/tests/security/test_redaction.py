"""What `redact` takes out of a text, however it is spelled, and what it leaves."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdt_dask_core import outcome
from sdt_dask_core import secret as secret_module
from sdt_dask_core.errors import OptionError
from sdt_dask_core.redaction import without_named_secrets, without_values
from sdt_dask_core.secret import Secret, redact, redact_from_now_on

#: Spellings that libraries show values in.
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": repr,
    "repr of a repr": lambda value: repr(repr(value)),
    "ascii": ascii,
    "bytes": lambda value: repr(value.encode()),
    "JSON": json.dumps,
    "JSON in JSON": lambda value: json.dumps(json.dumps(value)),
    "JSON in UTF-8": lambda value: json.dumps(value, ensure_ascii=False),
    "HTML": html.escape,
    "path": urllib.parse.quote,
    "query": urllib.parse.quote_plus,
    "percent": lambda value: urllib.parse.quote(value, safe=""),
    "percent twice": lambda value: urllib.parse.quote(urllib.parse.quote(value, safe=""), safe=""),
    "lower percent": lambda value: "".join(f"%{byte:02x}" for byte in value.encode()),
    "hex": lambda value: value.encode().hex(),
    "upper hex": lambda value: value.encode().hex().upper(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
}
MIXED = 'Can&ry "7f/3a+9c" é\'\\ß%4'


@pytest.fixture(autouse=True)
def _forget_what_was_revealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_module, "_revealed", set())


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_value_is_found_in_every_spelling(spell: Callable[[str], str]) -> None:
    shown = without_values(f"<{spell(MIXED)}>", frozenset({MIXED}))
    assert shown.strip("<>bf'\"\\=") == "***"


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("behind", ["", "!", "!!", ":host"])
def test_a_value_is_found_in_base64_wherever_it_stands(before: str, behind: str) -> None:
    value = "canary-7f3a9c"
    text = base64.b64encode(f"{before}{value}{behind}".encode()).decode()
    assert len(without_values(text, frozenset({value})).replace("***", "")) <= len(text) - len(value)


@given(
    value=st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=40),
    around=st.tuples(st.text(max_size=20), st.text(max_size=20)),
    spelling=st.sampled_from(["plain", "repr", "ascii", "JSON", "percent", "hex", "base64", "HTML"]),
)
def test_no_value_survives_in_any_text(value: str, around: tuple[str, str], spelling: str) -> None:
    shown = SPELLINGS[spelling](value)
    cleaned = without_values(f"{around[0]}{shown}{around[1]}", frozenset({value}))
    # In quotes and padding nothing of the value is left.
    assert shown.strip("'\"=") not in cleaned.replace("***", "") or not shown.strip("'\"=*")


@given(st.text(), st.sets(st.text(min_size=1), max_size=3))
def test_redacting_twice_changes_nothing_more(text: str, values: set[str]) -> None:
    if any(set(value) <= set("*") for value in values):
        return
    once = without_named_secrets(without_values(text, frozenset(values)))
    assert without_named_secrets(once) == once


def test_one_line_of_a_secret_of_several_is_found() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----"
    assert without_values("at MIIEvQIBADANBg", frozenset({key})) == "at ***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("connect(host='x', password='p w', port=1)", "connect(host='x', password='***', port=1)"),
        ('{"api_key": "abc", "n": 1}', '{"api_key": "***", "n": 1}'),
        ("PGPASSWORD=abc psql", "PGPASSWORD=*** psql"),
        ("https://h/x?X-Amz-Signature=ab%2Fc&y=1", "https://h/x?X-Amz-Signature=***&y=1"),
        ("https://h/x?sv=1&sig=ab%2Fc", "https://h/x?sv=1&sig=***"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=a, Signature=b", "Authorization: ***"),
        ("{'Authorization': 'Basic YTpi', 'a': 'b'}", "{'Authorization': '***', 'a': 'b'}"),
        ("sent Bearer abcdefghijklmnopqrst.uv", "sent Bearer ***"),
        ("no access for AKIAIOSFODNN7EXAMPLE here", "no access for *** here"),
        ("-----BEGIN RSA PRIVATE KEY-----\nab\n-----END RSA PRIVATE KEY-----\nx", "***\nx"),
    ],
)
def test_what_names_itself_a_secret_is_masked(text: str, shown: str) -> None:
    assert without_named_secrets(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "token: unexpected end of file",
        "Error tokenizing data. C error: Expected 2 fields",
        "the option 'password' is a secret and its value must not be in a run",
        "plug 's3': the option 'secret_access_key': give a reference",
        "password=env:DB_PASSWORD is not set; api_key='file:/run/x'",
        "password=None, token=null",
        "max_tokens=5 design=7 assigned=3",
        "the secret env:NAME cannot be read",
        "a value such as 10.5 kW at 2020-01-01T00:00:00",
    ],
)
def test_honest_text_stays(text: str) -> None:
    assert without_named_secrets(text) == text


@pytest.mark.parametrize(
    "text", ["://" * 50_000, 'password="' * 20_000, "cookie:" * 20_000, "a_" * 100_000, "%" * 200_000]
)
def test_a_hostile_text_is_redacted_at_once(text: str) -> None:
    # Of a pattern that backtracks each of these would take hours, and the test's time limit would end it.
    assert len(without_values(without_named_secrets(text), frozenset({MIXED}))) <= len(text)


def test_a_secret_is_not_cut_in_two_where_a_text_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "canary-7f3a9c")
    Secret("env:SOME_KEY").reveal()
    assert "canary" not in outcome.plain("x" * 9_995 + "canary-7f3a9c")


def test_a_secret_that_is_the_name_of_a_fact_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "canary-7f3a9c")
    Secret("env:SOME_KEY").reveal()
    assert outcome.plain({"canary-7f3a9c": 1}) == {"***": 1}


def test_the_secrets_of_options_are_known_from_then_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_KEY", "canary-7f3a9c")
    (tmp_path / "key").write_text("other-5d2e1b")
    more = {"environment": {"X": f"file:{tmp_path / 'key'}"}, "n": 3, "path": "file:/nowhere", "name": "env:NOT_SET_1"}
    redact_from_now_on({"password": "env:SOME_KEY", **more})
    assert redact("canary-7f3a9c other-5d2e1b") == "*** ***"


@pytest.mark.parametrize(
    ("content", "reason"), [(b"x" * 70_000, "longer than the 64 KiB"), (b"\xff\xfe\x00", "no UTF-8")]
)
def test_a_file_that_cannot_be_a_secret_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(OptionError, match=reason):
        Secret(f"file:{tmp_path / 'key'}").reveal()
