"""Secrets: references that travel, values that are never shown."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from sdt_dask_core import secret as secret_module
from sdt_dask_core.errors import OptionError
from sdt_dask_core.secret import Secret, is_reference, redact

CANARY = "canary-7f3a9c"


@pytest.fixture(autouse=True)
def _forget_what_was_revealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_module, "_revealed", set())


@pytest.mark.parametrize("literal", [CANARY, "env:", "file:", f"ENV:{CANARY}", f"https://{CANARY}", ""])
def test_a_literal_is_refused_and_not_repeated(literal: str) -> None:
    with pytest.raises(OptionError) as caught:
        Secret(literal)
    assert str(caught.value) == (
        "a secret is given as a reference, never as its value: write env:NAME for an environment variable "
        "or file:/path for a file that holds it"
    )


@pytest.mark.parametrize("value", [None, 5, b"env:X", Path("env:X")])
def test_what_is_no_text_is_no_reference(value: object) -> None:
    assert not is_reference(value)


def test_env_reads_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", CANARY)
    assert Secret("env:SOME_KEY").reveal() == CANARY


def test_file_reads_the_file_without_the_line_end(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{CANARY}\n", encoding="utf-8")
    assert Secret(f"file:{tmp_path / 'key'}").reveal() == CANARY


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    with pytest.raises(OptionError) as caught:
        Secret("env:SOME_KEY").reveal()
    assert str(caught.value) == ("the secret env:SOME_KEY cannot be read: SOME_KEY is not set in this process; set it")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError) as caught:
        Secret(f"file:{tmp_path}/none").reveal()
    assert str(caught.value) == (
        f"the secret file:{tmp_path}/none cannot be read: No such file or directory; check the path"
    )


def test_repr_and_str_show_the_reference_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", CANARY)
    secret = Secret("env:SOME_KEY")
    secret.reveal()
    assert (repr(secret), str(secret)) == ("Secret('env:SOME_KEY')", "Secret('env:SOME_KEY')")


def test_it_pickles_as_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", CANARY)
    secret = Secret("env:SOME_KEY")
    secret.reveal()
    payload = pickle.dumps(secret)
    assert CANARY.encode() not in payload
    assert pickle.loads(payload) == secret


def test_secrets_of_one_reference_are_equal() -> None:
    assert {Secret("env:A"), Secret("env:A"), Secret("env:B")} == {Secret("env:A"), Secret("env:B")}


def test_redact_masks_what_was_revealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", CANARY)
    Secret("env:SOME_KEY").reveal()
    assert redact(f"bad login {CANARY} ({CANARY})") == "bad login *** (***)"


def test_redact_masks_the_longer_of_two_secrets_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHORT", CANARY)
    monkeypatch.setenv("LONG", f"{CANARY}-and-more")
    for name in ("SHORT", "LONG"):
        Secret(f"env:{name}").reveal()
    assert redact(f"{CANARY}-and-more") == "***"


def test_an_empty_secret_masks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "")
    Secret("env:SOME_KEY").reveal()
    assert redact("abc") == "abc"


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("postgres://me:hunter2@host:5439/db", "postgres://me:***@host:5439/db"),
        ("redis://:hunter2@host", "redis://:***@host"),
        ("postgres://me:hun@ter2@host/db", "postgres://me:***@host/db"),
        ("two: a://b:c@d and e://f:g@h", "two: a://b:***@d and e://f:***@h"),
        ("http://host:8080/a@b", "http://host:8080/a@b"),
        ('{"url":"http://host:80","mail":"a@b"}', '{"url":"http://host:80","mail":"a@b"}'),
        ("tcp://127.0.0.1:8786", "tcp://127.0.0.1:8786"),
    ],
)
def test_redact_masks_passwords_in_urls(url: str, masked: str) -> None:
    assert redact(url) == masked
