"""The guarded TOML loader: RELIABILITY R45 and rows 27, 28, 30 of its section 3, and the places of its findings."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.timing import least
from workbench.boundary.guarded_toml import MAX_NESTING, MAX_PARTS, loads, locate
from workbench.errors import DocumentError, Finding

QUADRATIC = 1.0
"""Seconds. Linear work on 256 KiB takes hundredths of one, quadratic work takes many."""

SIXTEEN = ".".join("abcdefghijklmnop")


def refusal(text: str | bytes) -> Finding:
    with pytest.raises(DocumentError) as caught:
        loads(text.encode() if isinstance(text, str) else text, source="in.toml")
    (finding,) = caught.value.findings
    assert finding.place.source == "in.toml"
    assert finding.reason.isprintable()
    return finding


def test_reads_toml() -> None:
    text = 'a = 1\n[t]\nb = ["x", 2.5, {c = true}]\nd = 2026-11-22\n'
    assert loads(text.encode(), source="x") == {"a": 1, "t": {"b": ["x", 2.5, {"c": True}], "d": date(2026, 11, 22)}}
    assert loads(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n", source="x") == {"a": 1, "b": 2}


def test_numbers_follow_the_rule_of_json() -> None:
    read = loads(b"a = 9007199254740993\nb = [9007199254740992, -9223372036854775808]\nc = 0xff", source="x")
    assert read == {"a": 9007199254740992.0, "b": [2**53, -(2.0**63)], "c": 255}
    assert isinstance(read["a"], float)
    assert isinstance(read["b"][0], int)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a = 1\nb =\n", "syntax", 2),
        ("a = 1\na = 2\n", "syntax", 2),
        ('a = "\x00"', "syntax", 1),
        (f"\x00\x00\n\x00{SIXTEEN}.q = 1", "too_many_parts", 2),
        ('a = "\\ud800"', "syntax", 1),
        ('a = """\n\nopen', "syntax", 3),
        (b"a = 1\nb = '\xff'", "encoding", 2),
        ("a = 1".encode("utf-16"), "encoding", None),
        ("info = 1\na = inf", "not_a_number", 2),
        ("[t]\na = [1,\n{b = -nan}]", "not_a_number", 3),
        ("a = 1e999", "not_a_number", 1),
        ("a = 1\nb = 111111111111111111111", "too_many_digits", 2),
        ("a = 0x" + "f" * 200, "too_many_digits", 1),
        ("a = 1\nb = 0x" + "f" * 200_000, "too_long", 2),
        ("a." * 40_000 + "a = 1", "too_many_parts", 1),
        ('x = """\n\n"""\n"a" . ' + "'b' . " * 20 + "c = 1", "too_many_parts", 4),
        ("[[" + SIXTEEN + ".q]]", "too_many_parts", 1),
        ("x = {" + SIXTEEN + ".q = 1}", "too_many_parts", 1),
        ('x = """\n[[[[\n"""\ny = ' + "[" * 1000 + "]" * 1000, "too_deep", 4),
        ("x = " + "{a=" * 1000, "too_deep", 1),
        ("#" * 262_145, "too_large", None),
    ],
)
def test_refuses_with_a_line(text: str | bytes, code: str, line: int | None) -> None:
    finding = refusal(text)
    assert (finding.code, finding.place.line) == (code, line)


def test_a_syntax_error_has_a_column() -> None:
    assert refusal("abc = 1\nb = ?").place.column == 4


@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        ('a = "open\nb = 1\n', "a string has no end", "close the string"),
        ("a = 'open", "a string has no end", "close the string"),
        ('a = """open', "a string has no end", "close the string"),
        ("a = 1\na = 2\n", "the key `a` is written twice", "write it once"),
        ("[t]\n'b c' = 1\n'b c' = 2\n", "the key `b c` is written twice", "write it once"),
        ("x = {a = 1, a = 2}", "the key `a` is written twice", "write it once"),
        ("[t]\n[t]\n", "a table is declared twice", "one header"),
        ("plan vip", "`=` is missing after a key", "key = "),
        ("a = vip", "no value begins like this", "in quotes"),
        ("a = ", "no value begins like this", "in quotes"),
        ("a = 1 b = 2", "something stands after a value", "one key per line"),
        ("a = [1, 2\nb = 3", "a list has no end", "close it with `]`"),
        ("a = [1, 2", "a list has no end", "close it with `]`"),
        ("x = {a = 1", "an inline table has no end", "close it with `}`"),
        ("[facts\n", "a header has no end", "write `[name]`"),
        ("[[rule]\n", "a header has no end", "write `[[name]]`"),
        ("= 1", "no key begins like this", "write `key"),
        ('a = "C:\\path"', "a `\\` in a string begins no escape", "single quotes"),
        ('a = "\\ud800"', "a `\\u` escape is no character", "hexadecimal"),
        ("a = 2026-02-31", "there is no such date", "2026-11-22"),
    ],
)
def test_a_syntax_error_is_told_in_words_with_a_way_out(text: str, reason: str, hint: str) -> None:
    finding = refusal(text)
    assert finding.reason == reason
    assert hint in (finding.hint or "")


def test_the_bounds_are_where_they_are_said_to_be() -> None:
    assert loads(f"{SIXTEEN} = 1\n[x.{SIXTEEN[2:]}]\n".encode(), source="x")["a"]
    assert SIXTEEN.count(".") + 1 == MAX_PARTS
    assert loads(f"a = {'[' * MAX_NESTING}{']' * MAX_NESTING}".encode(), source="x")
    assert refusal(f"a = {'[' * (MAX_NESTING + 1)}{']' * (MAX_NESTING + 1)}").code == "too_deep"
    assert loads(b'a = "' + b"a.[" * 100 + b'" # ' + b"[a." * 100, source="x")


def test_brackets_and_dots_in_strings_do_not_count() -> None:
    text = "a = '" + "[." * 300 + '\'\nb = """\n' + '"" [{ \\""" ' * 50 + "\"\"\"\nc = '''" + "''[." * 50 + "'''"
    assert loads(text.encode(), source="x") == tomllib.loads(text)


HOSTILE = {
    "dotted key": "a." * 32_768 + "a=1",
    "ever-deeper headers": "".join(f"[{'.'.join('a' * depth)}]\n" for depth in range(1, 500)),
    "sixteen-part headers": "".join(f"[{SIXTEEN}{n}]\n" for n in range(6000)),
    "keys under a deep header": f"[{SIXTEEN}]\n" + "".join(f"k{n}=1\n" for n in range(26_000)),
    "deep keys under a deep header": f"[{SIXTEEN}]\n" + "".join(f"k{n}.{SIXTEEN[2:]}=1\n" for n in range(6000)),
    "quoted dotted key": '"a".' * 60_000 + "a=1",
    "spaced dotted key": "a . " * 60_000 + "a=1",
    "nested arrays": "a=" + "[" * 260_000,
    "hexadecimal": "a=0x" + "f" * 260_000,
    "escapes, no end": 'a="' + '\\"' * 120_000,
    "quotes, no end": 'a="""' + '""\\"' * 60_000,
    "apostrophes, no end": "a='''" + "''a" * 80_000,
    "empty strings": "a=[" + '"",' * 80_000 + "]",
    "empty lines": "\n" * 262_144,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_take_linear_time(name: str) -> None:
    def read() -> None:
        try:
            loads(HOSTILE[name].encode(), source="x")
        except DocumentError as error:
            assert len(error.findings) == 1  # noqa: PT017 - some of them are valid
        locate(HOSTILE[name], ("a", "b", 3))

    assert least(read, enough=2 * QUADRATIC) <= 2 * QUADRATIC


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("dotted key", "too_many_parts"),
        ("ever-deeper headers", "too_many_parts"),
        ("keys under a deep header", "too_much"),
        ("deep keys under a deep header", "too_much"),
        ("nested arrays", "too_deep"),
        ("hexadecimal", "too_long"),
    ],
)
def test_the_guard_stops_what_the_parser_is_slow_at(name: str, code: str) -> None:
    assert refusal(HOSTILE[name]).code == code


def test_two_thousand_ever_deeper_headers_are_refused_by_size() -> None:
    headers = "".join(f"[{'.'.join('a' * depth)}]\n" for depth in range(1, 2001))
    assert len(headers) > 4_000_000
    assert refusal(headers).code == "too_large"


@given(st.text(alphabet="ab.=[]{}\"'#,\n \\1", max_size=80))
def test_any_text_gives_what_tomllib_gives_or_a_refusal(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        expected = None
    try:
        read = loads(text.encode(), source="x")
    except DocumentError:
        assert expected is None or text.count(".") >= MAX_PARTS or text.count("[") > MAX_NESTING
    else:
        assert read == expected
    locate(text, ("a", 0, "b"))


PLACES = '''\
top = 1
[x.y]
text = """
[[rule]]
"""
list = [ "q",  # a comment with ]
  {c = 1, "d e" = [7,
     8]},
 [1,
  2]]
[[rule]]
id = "1"
[[rule]]
id = "2"
'when' = 'tier = "free"'
[rule.sub]
z.w = 1
[[rule.clause]]
t = 1
[[rule.clause]]
t = 2
[other]
filter = [
  "price <= 1",
  "is dpa",
]
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 1), (("x",), 2), (("x", "y"), 2), (("x", "y", "text"), 3), (("x", "y", "list"), 6),
        (("x", "y", "list", 0), 6), (("x", "y", "list", 1), 7), (("x", "y", "list", 1, "c"), 7),
        (("x", "y", "list", 1, "d e", 1), 8), (("x", "y", "list", 2, 1), 10),
        (("rule",), 11), (("rule", 0), 11), (("rule", 0, "id"), 12), (("rule", 1), 13), (("rule", 1, "when"), 15),
        (("rule", 1, "sub"), 16), (("rule", 1, "sub", "z", "w"), 17), (("rule", 1, "clause", 0, "t"), 19),
        (("rule", 1, "clause", 1), 20), (("rule", 1, "clause", 1, "t"), 21),
        (("other", "filter", 0), 24), (("other", "filter", 1), 25),
        (("rule", 1, "missing"), 13), (("other", "filter", 9), 23), (("missing",), None), ((), None),
    ],
)  # fmt: skip
def test_a_path_has_a_line(path: tuple[str | int, ...], line: int | None) -> None:
    assert locate(PLACES, path) == line


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)


items = st.recursive(cast("st.SearchStrategy[object]", st.integers(0, 9)), nested, max_leaves=12)


@given(st.dictionaries(st.sampled_from("abc"), items, max_size=3))
def test_every_path_of_a_document_is_found(document: dict[str, object]) -> None:
    text = "".join(f"{key} = {inline(value)}\n" for key, value in document.items())
    assert tomllib.loads(text) == document
    for number, (key, value) in enumerate(document.items(), start=1):
        for path in paths(value, (key,)):
            assert locate(text, path) == number


def inline(value: object) -> str:
    if isinstance(value, dict):
        table = cast("dict[str, object]", value)
        return "{" + ", ".join(f"{key} = {inline(item)}" for key, item in table.items()) + "}"
    return "[" + ", ".join(map(inline, cast("list[object]", value))) + "]" if isinstance(value, list) else str(value)


def paths(value: object, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(cast("dict[str | int, object]", value).items())
    elif isinstance(value, list):
        inner = list(enumerate(cast("list[object]", value)))
    return [path, *(below for key, item in inner for below in paths(item, (*path, key)))]
