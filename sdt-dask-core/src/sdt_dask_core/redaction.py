"""What a secret looks like in a text: its value as libraries spell it, and what names itself a secret.

A library that fails shows a value as it happened to hold it: percent-encoded in an address, escaped in a ``repr`` or in
JSON, in base64 in a header. One pattern finds a value in all of these.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import re

__all__ = ["MASK", "without_named_secrets", "without_values"]

MASK = "***"

# Shorter than these, a part of a value in base64 or hex stands in many honest texts.
_SHORTEST_BASE64 = 6
_SHORTEST_HEX = 4
_SHORTEST_LINE = 8
_BASE64 = "[A-Za-z0-9+/_-]"

# The user may be left out (redis://:password@host), and a password may hold an @ of its own.
_URL_PASSWORD = re.compile(r'(?<=://)([^/\s:@"]*):([^/\s"]+)@')
_NAMES = (
    "password|passwd|pwd|passphrase|secret|token|api_?key|access_?key|account_?key|private_?key|credentials?|signature"
)
_NAMED = re.compile(
    # After a name that ends so: "password=", "'db-password': ", "X-Amz-Signature=", "SDT_API_KEY=".
    rf"""(?P<name>(?:\b[\w-]{{0,60}}(?:{_NAMES.replace("_?", "[_-]?")})|\bsig)["']?"""
    # A colon only between quotes: in honest sentences "token: …" goes on with words.
    r"""(?:=|(?<=["'])\s*:\s*(?=["'])|\s+=\s+(?=["'])))"""
    # References and what says that there is none are worth seeing.
    r"""(?!["']?(?:env:|file:|\*\*\*)|(?:None|null|True|False|true|false)\b)"""
    r"""(?P<value>"(?:[^"\\]|\\.)+"|'(?:[^'\\]|\\.)+'|[^\s"'&,;)\]}]+)""",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"""(?P<name>\b(?:proxy-)?(?:authorization|x-api-key|x-amz-security-token|(?:set-)?cookie)["']?\s*[:=]\s*)"""
    r"""(?P<value>"[^"\r\n]+"|'[^'\r\n]+'|[^"'\r\n]+)""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(Bearer|Basic) +[A-Za-z0-9._~+/-]{16,}=*")
_AWS_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)


def without_named_secrets(text: str) -> str:
    """Return a text without what says of itself that it is a secret.

    Passwords in addresses, values behind names such as ``password=`` or ``"api_key": ``, the headers that carry logins,
    AWS' key ids and private keys. References (``env:``, ``file:``) stay.
    """
    text = _URL_PASSWORD.sub(rf"\1:{MASK}@", text)
    text = _PRIVATE_KEY.sub(MASK, text)
    text = _HEADER.sub(_masked, text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _NAMED.sub(_masked, text)
    return _AWS_KEY_ID.sub(MASK, text)


def _masked(found: re.Match[str]) -> str:
    """Return the name with a mask behind it, in the quotes that the value had, so that JSON stays JSON."""
    value = found["value"]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{found['name']}{quote}{MASK}{quote}"


def without_values(text: str, values: frozenset[str]) -> str:
    """Return a text without these values, in whatever spelling: escaped, percent-encoded, in base64 or hex."""
    pattern = _pattern(values)
    return text if pattern is None else pattern.sub(MASK, text)


@functools.lru_cache(maxsize=8)
def _pattern(values: frozenset[str]) -> re.Pattern[str] | None:
    # The longer first: one secret may begin as another does.
    ordered = sorted(filter(None, _with_lines(values)), key=lambda value: (-len(value), value))
    spelled = [pattern for value in ordered for pattern in _patterns_of(value)]
    return re.compile("|".join(spelled)) if spelled else None


def _with_lines(values: frozenset[str]) -> set[str]:
    """Return the values, and each line of those that have several: a message may show one of them."""
    lines = {line.strip() for value in values for line in value.splitlines()}
    return {*values, *(line for line in lines if len(line) >= _SHORTEST_LINE)}


def _patterns_of(value: str) -> list[str]:
    data = value.encode("utf-8", "surrogatepass")
    patterns = ["".join(map(_character, value))]
    if len(data) >= _SHORTEST_HEX:
        patterns.append(f"(?i:{data.hex()})")
    cores = (_base64_core(data, offset) for offset in range(3))
    return [*patterns, *(_in_base64(core) for core in cores if len(core) >= _SHORTEST_BASE64)]


@functools.lru_cache(maxsize=4096)
def _character(character: str) -> str:
    """Return the pattern of one character, plain or escaped in any of the usual ways."""
    data = character.encode("utf-8", "surrogatepass")
    # An address within an address is encoded twice: %2541.
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in data)
    spelled = {re.escape(character): None, f"(?i:{percent})": None}
    if character == " ":
        spelled[r"\+"] = None
    if not (character.isascii() and character.isalnum()):
        bytes_text = "".join(f"\\x{byte:02x}" for byte in data)
        escapes = {bytes_text, repr(character)[1:-1], json.dumps(character)[1:-1], ascii(character)[1:-1]} - {character}
        # Of a repr of a repr each backslash is one of several.
        spelled |= dict.fromkeys(re.escape(text).replace(r"\\", r"\\+") for text in sorted(escapes))
        spelled[rf"{re.escape(html.escape(character))}|(?i:&#0*{ord(character)};|&#x0*{ord(character):x};)"] = None
    if character in "\"'\\":
        spelled = {rf"\\+{re.escape(character)}": None, **spelled}
    return f"(?:{'|'.join(spelled)})"


def _base64_core(data: bytes, offset: int) -> str:
    """Return the digits of base64 that a value alone decides, when `offset` bytes stand before it in its group."""
    digits = base64.b64encode(b"\0" * offset + data).decode()
    return digits[(0, 2, 3)[offset] : 8 * (offset + len(data)) // 6]


def _in_base64(core: str) -> str:
    # The digits beside it hold some bits of the value, too. URLs have - and _ for + and /.
    digits = "".join({"+": "[+-]|%2[bB]", "/": "[/_]|%2[fF]"}.get(c, c).join(("(?:", ")")) for c in core)
    return f"{_BASE64}?{digits}{_BASE64}?"
