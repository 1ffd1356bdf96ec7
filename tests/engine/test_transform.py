"""Transforms on a copy of the request (LANGUAGE.md 6.6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.strategies import SAMPLE
from workbench.engine.context import Context
from workbench.engine.minstd import Minstd
from workbench.engine.transform import transform
from workbench.errors import NotRunnable, UsageError
from workbench.language.admission import check

SEEDED = Context(seed=42)
OFFER = {"provider_id": "mistral", "no_log": True}


def sent(term: list[Any], request: dict[str, Any], context: Context = SEEDED) -> dict[str, Any]:
    return transform(request, check(term, SAMPLE), OFFER, context, SAMPLE)


CASES: list[tuple[list[Any], dict[str, Any], dict[str, Any]]] = [
        (["id"], {"a": 1}, {"a": 1}),
        (["set_param", "max_tokens", 5], {"max_tokens": 9}, {"max_tokens": 5}),
        (["set_param", "user", "x"], {}, {"user": "x"}),
        (["set_param", "stream", True], {}, {"stream": True}),
        (["set_param", "seed", "from_ctx"], {}, {"seed": 42}),
        (["inject_seed", "seed"], {"seed": 1}, {"seed": 42}),
        (["clamp_param", "temperature", 0, 1], {"temperature": 1.7}, {"temperature": 1}),
        (["clamp_param", "temperature", 0, 1], {"temperature": -1}, {"temperature": 0}),
        (["clamp_param", "temperature", 0, 1], {"temperature": 0.5}, {"temperature": 0.5}),
        (["clamp_param", "temperature", 1, 0], {"temperature": 0.5}, {"temperature": 1}),
        (["clamp_param", "temperature", 1, 0], {"temperature": 5}, {"temperature": 0}),
        (["clamp_param", "temperature", 0, 1], {"temperature": "hot"}, {"temperature": "hot"}),
        (["clamp_param", "temperature", 5, 6], {"temperature": True}, {"temperature": True}),
        (["clamp_param", "temperature", 0, 1], {}, {}),
        (["filter_text", ["NFKC"]], {}, {"_filters": {"text": {"recipe": ["NFKC"], "seed": 42}}}),
        (
            ["seq", ["filter_text", []], ["filter_image", [{"blur": 2}]]], {},
            {"_filters": {"text": {"recipe": [], "seed": 42}, "image": {"recipe": [{"blur": 2}], "seed": 42}}},
        ),
        (["when", ["is", "no_log"], ["set_param", "a", 1]], {}, {"a": 1}),
        (["when", ["is", "has_tee"], ["set_param", "a", 1]], {}, {}),
        (["seq", ["set_param", "a", 1], ["set_param", "a", 2]], {}, {"a": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("term", "request_", "expected"), CASES)
def test_each_operation(term: list[Any], request_: dict[str, Any], expected: dict[str, Any]) -> None:
    assert sent(term, request_) == expected


def test_without_a_seed() -> None:
    nothing = Context()
    assert sent(["inject_seed", "seed"], {"seed": 1, "a": 2}, nothing) == {"a": 2}
    assert sent(["set_param", "seed", "from_ctx"], {"seed": 1}, nothing) == {}
    assert sent(["jitter", "top_p", 0.1], {"top_p": 0.9}, nothing) == {"top_p": 0.9}
    assert sent(["filter_text", ["x"]], {}, nothing) == {"_filters": {"text": {"recipe": ["x"]}}}


def test_jitter_draws_once_from_its_own_generator() -> None:
    folded = 0
    for byte in b"jitter:top_p":
        folded = (folded * 31 + byte) % 2147483647
    draw = Minstd((42 + folded) % 2147483647).draw()
    assert sent(["jitter", "top_p", 0.1], {"top_p": 0.9}) == {"top_p": 0.9 + (2 * draw - 1) * 0.1}
    assert sent(["jitter", "top_p", 0.1], {"top_p": "x"}) == {"top_p": (2 * draw - 1) * 0.1}


@pytest.mark.parametrize(("seed", "value"), [(2**53, -1.9125765002856854), (1e300, -1.3058397152022643)])
def test_a_seed_is_whole_up_to_2_to_the_53_and_a_double_beyond(seed: float, value: float) -> None:
    assert sent(["jitter", "é", 2], {}, Context(seed=seed)) == {"é": value}


def test_the_seed_of_a_filter_stays_within_the_modulus() -> None:
    found = sent(["filter_text", []], {}, Context(seed=2147483647 + 5))
    assert found["_filters"]["text"]["seed"] == 5


def test_when_sees_the_request_as_it_came() -> None:
    context = Context({"tools": [{"name": "f"}]})
    term = ["seq", ["set_param", "tools", False], ["when", ["not", ["meets_req"]], ["set_param", "a", 1]]]
    assert sent(term, {"tools": [{"name": "f"}]}, context) == {"tools": False, "a": 1}


def test_the_request_given_is_not_touched() -> None:
    request: dict[str, Any] = {"_filters": {"image": {"recipe": []}}, "messages": [{"content": "hi"}]}
    found = sent(["filter_text", ["x"]], request)
    found["messages"][0]["content"] = "changed"
    assert request == {"_filters": {"image": {"recipe": []}}, "messages": [{"content": "hi"}]}
    assert set(found["_filters"]) == {"image", "text"}


def test_a_custom_transform_runs_only_where_the_host_registered_it() -> None:
    step = check(["custom", "trim"], SAMPLE)
    done = transform({"a": 1}, step, OFFER, SEEDED, SAMPLE, {"trim": lambda request, _: {**request, "b": 2}})
    assert done == {"a": 1, "b": 2}
    with pytest.raises(NotRunnable, match="trim"):
        transform({}, step, OFFER, SEEDED, SAMPLE)
    with pytest.raises(UsageError):
        transform({}, check(["top"], SAMPLE), OFFER, SEEDED, SAMPLE)
