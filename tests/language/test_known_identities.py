"""Encodings and fingerprints that other implementations of sigma-pol give for the same terms."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.language.admission import check
from workbench.language.encoding import encode, fingerprint, versioned
from workbench.language.normal_form import normalize
from workbench.language.signature import V2
from workbench.language.vocabulary import CORE

CHEAPEST: list[Any] = ["neg", ["normalize", ["field", "price_in"]]]
PRICE: list[Any] = ["field", "price_in"]
NEXT: dict[str, Any] = {"action": "next_candidate"}
ABORT: dict[str, Any] = {"action": "abort"}


def policy(
    condition: Any = None, scorer: Any = None, selector: Any = None, transform: Any = None, plan: Any = None
) -> list[Any]:
    return [
        "policy",
        condition or ["top"],
        scorer or CHEAPEST,
        selector or ["argmax"],
        transform or ["id"],
        plan or ["always", NEXT],
    ]


def provider(name: str) -> list[Any]:
    return ["provider_eq", name]


DEEPSEEK: list[Any] = ["family_eq", "deepseek-v3"]
NO_LOG: list[Any] = ["is", "no_log"]
TEE: list[Any] = ["is", "has_tee"]
TIMEOUT_AND_KEY: list[Any] = ["override", ["override", ["always", NEXT], "timeout", ABORT], "auth_error", ABORT]
KEY_AND_TIMEOUT: list[Any] = ["override", ["override", ["always", NEXT], "auth_error", ABORT], "timeout", ABORT]
TIMEOUT_TAKEN_BACK: list[Any] = ["override", ["override", ["always", NEXT], "timeout", ABORT], "timeout", NEXT]

FINGERPRINTS: list[tuple[str, list[Any], str]] = [
    ("sorted already", policy(["and", ["meets_req"], ["not", ["is", "disabled"]]]), "1364766397-260451597"),
    ("sorted", policy(["and", ["not", ["is", "disabled"]], ["meets_req"], DEEPSEEK]), "1277003597-633146910"),
    ("one child", policy(["and", ["meets_req"]]), "1564453273-2074448283"),
    ("absorbed by top", policy(["or", ["top"], NO_LOG]), "509137769-1918299683"),
    ("not top", policy(["not", ["top"]]), "1949514103-992384199"),
    ("absorbed by bot", policy(["and", ["bot"], NO_LOG]), "1949514103-992384199"),
    ("double negation", policy(["not", ["not", NO_LOG]]), "1698039925-987978339"),
    ("no De Morgan", policy(["not", ["or", NO_LOG, TEE]]), "176035994-1243348982"),
    ("duplicates stay", policy(["and", NO_LOG, NO_LOG, ["meets_req"]]), "1020998381-1259668893"),
    (
        "spliced, unit dropped",
        policy(
            [
                "and",
                ["or", provider("b"), provider("a"), ["or", provider("c")]],
                ["top"],
                ["cmp", "price_in", "le", 5],
            ]
        ),
        "751157765-1737809063",
    ),
    ("integer", policy(["cmp", "price_in", "le", 5]), "1969239910-954828048"),
    ("the same as a double", policy(["cmp", "price_in", "le", 5.0]), "1969239910-954828048"),
    ("zero", policy(["cmp", "price_in", "le", 0]), "47922977-896764946"),
    ("minus zero", policy(["cmp", "price_in", "le", -0.0]), "47922977-896764946"),
    ("0.1", policy(["cmp", "price_in", "le", 0.1]), "82426616-1091024638"),
    ("17 digits", policy(["cmp", "price_in", "le", 0.30000000000000004]), "109155847-279518803"),
    ("exponent", policy(["cmp", "price_in", "le", 1e21]), "962839079-222311232"),
    ("not ASCII", policy(["family_eq", "é"]), "810941188-551921955"),
    ("scale 1", policy(scorer=["scale", 1, PRICE]), "300294969-1727330734"),
    ("add zero", policy(scorer=["add", ["zero"], PRICE]), "300294969-1727330734"),
    ("gate top", policy(scorer=["gate", ["top"], PRICE]), "300294969-1727330734"),
    ("scale 0", policy(scorer=["scale", 0, PRICE]), "1430221353-1036100599"),
    ("scales stay nested", policy(scorer=["scale", 2, ["scale", 3, PRICE]]), "1520347079-367876918"),
    ("negations stay nested", policy(scorer=["neg", ["neg", PRICE]]), "1215720283-1448643951"),
    (
        "weighted",
        policy(scorer=["add", ["scale", 0.4, ["field", "context"]], ["scale", 0.6, ["neg", PRICE]]]),
        "274236037-805570941",
    ),
    (
        "no score, two kept",
        policy(DEEPSEEK, ["zero"], ["top_k", 2, ["argmax"]]),
        "571493670-1375972783",
    ),
    (
        "best two, provider without key disabled",
        policy(
            DEEPSEEK,
            selector=["top_k", 2, ["argmax"]],
            plan=["override", ["always", NEXT], "auth_error", {"action": "disable_provider"}],
        ),
        "1184559953-112074440",
    ),
    ("overrides", policy(plan=TIMEOUT_AND_KEY), "1141170179-1588193893"),
    ("overrides the other way round", policy(plan=KEY_AND_TIMEOUT), "1141170179-1588193893"),
    ("override equal to the base", policy(plan=TIMEOUT_TAKEN_BACK), "509137769-1918299683"),
    (
        "sequence",
        policy(transform=["seq", ["set_param", "temperature", 0], ["clamp_param", "max_tokens", 1, 100], ["id"]]),
        "1115427514-2040850739",
    ),
    ("a condition alone", ["and", ["meets_req"], NO_LOG, TEE], "1313885385-1113904550"),
]


@pytest.mark.parametrize(("term", "expected"), [row[1:] for row in FINGERPRINTS], ids=[row[0] for row in FINGERPRINTS])
def test_fingerprint_is_the_one_that_other_hosts_give(term: list[Any], expected: str) -> None:
    assert check(term, CORE).fingerprint == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [(["and"], "509137769-1918299683"), (["or"], "1949514103-992384199")],
)
def test_normal_form_alone_takes_a_listing_without_children(condition: list[Any], expected: str) -> None:
    body = encode(normalize(policy(condition), V2))
    assert fingerprint(versioned(V2, body).encode()) == expected


ENCODINGS: list[tuple[list[Any], str]] = [
    (
        ["and", ["meets_req"], ["is", "has_tee"], ["cmp", "price_in", "le", 5]],
        '(and (cmp "price_in" "le" 5) (is "has_tee") (meets_req))',
    ),
    (["cmp", "context", "ge", 2**53], '(cmp "context" "ge" 9007199254740992)'),
    (["cmp", "context", "ge", 2**53 + 1], '(cmp "context" "ge" 9007199254740992)'),
    (["cmp", "context", "ge", 2.0**54], '(cmp "context" "ge" 18014398509481984)'),
    (["cmp", "context", "ge", 2**63], '(cmp "context" "ge" 9.2233720368547758e+18)'),
    (["cmp", "context", "ge", -(2**53)], '(cmp "context" "ge" -9007199254740992)'),
    (["cmp", "context", "ge", 1e5], '(cmp "context" "ge" 100000)'),
    (["cmp", "context", "ge", 1e100], '(cmp "context" "ge" 1e+100)'),
    (["cmp", "context", "ge", 1e-5], '(cmp "context" "ge" 1.0000000000000001e-05)'),
    (["cmp", "context", "ge", -0.5], '(cmp "context" "ge" -0.5)'),
    (["family_eq", 'a"b\\c\nd\re\tf'], '(family_eq "a\\"b\\\\c\\nd\\re\\tf")'),
    (["family_eq", "\x00\x1b\u2028"], '(family_eq "\x00\x1b\u2028")'),
    (["family_eq", ""], '(family_eq "")'),
    (["set_param", "x", True], '(set_param "x" true)'),
    (["set_param", "x", False], '(set_param "x" false)'),
    (
        ["always", {"then_action": "abort", "backoff_ms": [200, 600.5], "action": "retry_same", "attempts": 2}],
        '(always {"action":"retry_same","attempts":2,"backoff_ms":[200,600.5],"then_action":"abort"})',
    ),
    (["always", {"action": "abort", "backoff_ms": []}], '(always {"action":"abort","backoff_ms":[]})'),
    (["filter_text", []], "(filter_text [])"),
    (["filter_text", ["a", {"b": 1, "a": 2}, {}, []]], '(filter_text ["a",{"a":2,"b":1},[],[]])'),
    (
        ["chain", [{"provider": "p", "model": "m"}, {"model_family": "f", "provider_id": "q"}]],
        '(chain [{"model":"m","provider":"p"},{"model_family":"f","provider_id":"q"}])',
    ),
]


@pytest.mark.parametrize(("term", "expected"), ENCODINGS, ids=[row[1] for row in ENCODINGS])
def test_encoding(term: list[Any], expected: str) -> None:
    admitted = check(term, CORE)
    assert admitted.encoding == "sigma-pol/v2:" + expected
    assert encode(admitted.normal) == expected


def test_keys_and_children_are_ordered_by_utf8_bytes() -> None:
    """UTF-16 order would put U+1F600 before U+FF5A."""
    admitted = check(["or", provider("\U0001f600"), provider("\uff5a"), provider("z")], CORE)
    assert [child[1] for child in admitted.normal[1:]] == ["z", "\uff5a", "\U0001f600"]


def test_identity_is_sha256_of_the_versioned_encoding() -> None:
    admitted = check(["top"], CORE)
    assert admitted.encoding == "sigma-pol/v2:(top)"
    # printf 'sigma-pol/v2:(top)' | sha256sum
    assert admitted.identity == "29423345af6837918884eb1f831b413dbc088af5d8c7bcd17e16b7c5b5ce3a53"
    assert admitted.short == "pol_" + admitted.identity[:6]


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 5000])
def test_fingerprint_is_what_its_definition_says_byte_by_byte(size: int) -> None:
    data = bytes((index * 37 + 11) % 256 for index in range(size))
    low, high = 5381, 52711
    for byte in data:
        low = (low * 31 + byte) % 2147483647
        high = (high * 37 + byte) % 2147483629
    assert fingerprint(data) == f"{low}-{high}"
