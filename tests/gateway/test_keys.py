"""Keys: found by name, shown to nobody, sent to one place; and the `.env` file."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.calls import candidate
from workbench.gateway.codecs.neutral import LocalFault
from workbench.gateway.codecs.route import Route
from workbench.gateway.dotenv import parse_dotenv, read_dotenv
from workbench.gateway.keys import MASK, Bindings, Key, Keys, key_fault, keyring_lookup, trimmed

VALUE = "sk-live-0123456789-abcdefghijklmnop"
ORIGIN = "https://api.example:443"


def route(url: str = "https://api.example/v1", name: str | None = "SOME_KEY") -> Route:
    return Route.of({**candidate(0, url), "auth_env": name})


def test_a_key_shows_nothing_anywhere() -> None:
    key = Key("SOME_KEY", VALUE, ORIGIN)
    shown = [
        str(key), repr(key), f"{key}", f"{key!r}", f"{key:>9}", repr([key]), repr({"k": key}),
        json.dumps({"k": key}), json.dumps(key, default=str), repr(pickle.dumps(key)), str(copy.deepcopy(key)),
        repr(copy.copy(key)), key + "", key.upper(), "".join(key), key.encode().decode(),
    ]  # fmt: skip
    assert not [text for text in shown if VALUE in text or VALUE.upper() in text]
    assert json.dumps(key) == f'"{MASK}"'
    assert pickle.loads(pickle.dumps(key)) == MASK  # noqa: S301 - our own bytes
    assert key.reveal(ORIGIN) == VALUE


@pytest.mark.parametrize(
    "origin", ["http://api.example:443", "https://api.example:8443", "https://api.example.evil:443", ""]
)
def test_a_key_goes_to_its_own_origin_alone(origin: str) -> None:
    with pytest.raises(LocalFault) as caught:
        Key("SOME_KEY", VALUE, ORIGIN).reveal(origin)
    assert caught.value.detail == "local_key_held"
    assert VALUE not in repr(caught.value)


def test_a_key_is_masked_in_what_a_provider_says() -> None:
    key = Key("SOME_KEY", VALUE, ORIGIN)
    coded = base64.b64encode(VALUE.encode()).decode()
    said = key.redact(f"bad key {VALUE}, {coded}, the end of it {VALUE[-14:]}")
    assert VALUE not in said
    assert coded.rstrip("=") not in said
    assert VALUE[-12:] not in said


def test_a_key_is_looked_up_in_order() -> None:
    asked: list[str] = []

    def ring(name: str) -> str | None:
        asked.append(name)
        return "from-the-ring-0123"

    def source(environment: dict[str, str], dotenv: dict[str, str]) -> str:
        key = Keys(environment, dotenv, keyring=ring).key(route())
        assert key is not None
        return key.reveal(ORIGIN)

    assert source({"SOME_KEY": "from-the-environment"}, {"SOME_KEY": "from-dotenv"}) == "from-the-environment"
    assert source({"SOME_KEY": ""}, {"SOME_KEY": "from-dotenv"}) == "from-dotenv"
    assert asked == []
    assert source({}, {}) == "from-the-ring-0123"
    assert asked == ["SOME_KEY"]


def test_an_offer_without_a_key_needs_none() -> None:
    assert Keys({}).key(route(name=None)) is None


FAULTY = ["", "\n", "a b", "a\tb", "a\nb", "a\r\nb", "clé", "\x00", "a\x7f", "x" * 20_000, "\u202ekey", "k\u00a0"]


@pytest.mark.parametrize("value", FAULTY, ids=repr)
def test_what_is_no_key_is_refused_without_a_word_of_it(value: str) -> None:
    keys = Keys({"SOME_KEY": value})
    assert key_fault(value) is not None
    with pytest.raises(LocalFault):
        keys.key(route())
    assert not keys.has("SOME_KEY")
    for finding in keys.findings(["SOME_KEY"]):
        assert "SOME_KEY" in str(finding)
        assert len(value) < 3 or value not in str(finding)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_one_newline_at_the_end_is_left_out_with_a_warning(ending: str) -> None:
    keys = Keys({"SOME_KEY": VALUE + ending})
    key = keys.key(route())
    assert key is not None
    assert key.reveal(ORIGIN) == VALUE == trimmed(VALUE + ending)
    (finding,) = keys.findings(["SOME_KEY"])
    assert finding.severity == "warning"
    assert VALUE not in str(finding)
    assert key_fault(VALUE + "\n\n") is not None


def test_keys_do_not_show_themselves() -> None:
    assert VALUE not in repr(Keys({"SOME_KEY": VALUE}, {"SOME_KEY": VALUE}))
    assert VALUE not in repr(parse_dotenv(f"SOME_KEY={VALUE}".encode()))


def test_a_key_is_held_when_its_address_changes() -> None:
    bindings = Bindings()
    rows = [
        {**candidate(0, "https://eu.example/v1"), "auth_env": "K"},
        {**candidate(1, "https://us.example"), "auth_env": "K"},
    ]
    assert bindings.settle(rows) == ()
    assert bindings.settle(rows) == ()
    moved = [*rows, {**candidate(2, "https://evil.example/v1"), "auth_env": "K"}]
    assert bindings.settle(moved) == (("K", "https://evil.example:443"),)
    keys = Keys({"K": VALUE}, bindings=Bindings.of(json.loads(json.dumps(bindings.as_document()))))
    assert keys.key(route("https://us.example/v2", "K")) is not None
    for url in ("https://evil.example/v1", "https://us.example:8443", "http://localhost:80"):
        with pytest.raises(LocalFault) as caught:
            keys.key(route(url, "K"))
        assert caught.value.detail == "local_key_held"
    keys.bindings.confirm("K", "https://evil.example:443")
    assert keys.key(route("https://evil.example/v1", "K")) is not None


@pytest.mark.parametrize("document", [None, [], "x", {"K": "https://x:443"}, {"K": [5]}, {"K": None}])
def test_bindings_that_cannot_be_read_ask_again(document: Any) -> None:
    assert not Bindings.of(document).known.get("K")


def test_the_keyring_may_be_missing_or_broken() -> None:
    assert keyring_lookup("WORKBENCH_TEST_NO_SUCH_KEY") is None


FILE = """\
# comment
A=plain
export B = spaced
C="in double # quotes"
D='in single'
E=with # a comment
F=
G=a=b

A=again
H="open
not a line
9X=bad
I="x" y
J=$A
K=\\n
"""


def test_a_dotenv_file_is_read_literally(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
    found = read_dotenv(tmp_path)
    assert found.values == {
        "A": "again", "B": "spaced", "C": "in double # quotes", "D": "in single", "E": "with", "F": "", "G": "a=b",
        "J": "$A", "K": "\\n",
    }  # fmt: skip
    assert [(finding.place.line, finding.severity) for finding in found.findings] == [
        (10, "warning"), (11, "error"), (12, "error"), (13, "error"), (14, "error"),
    ]  # fmt: skip
    assert not [finding for finding in found.findings if "open" in finding.reason or "not a line" in finding.reason]


@pytest.mark.parametrize("content", [b"A=\xff", b"A=1\n" * 200_000, "A=1".encode("utf-16")])
def test_a_dotenv_file_that_is_none_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    found = read_dotenv(tmp_path)
    assert found.values == {}
    assert len(found.findings) == 1


def test_no_dotenv_file_is_no_fault(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path) == parse_dotenv(b"")
    (tmp_path / ".env").mkdir()
    assert read_dotenv(tmp_path).findings


@given(st.binary(max_size=200))
def test_no_dotenv_file_breaks_it(raw: bytes) -> None:
    found = parse_dotenv(raw)
    for name, value in found.values.items():
        assert name.isascii()
        assert "\n" not in value
