"""What a host refuses to run, or does differently, though it is well-formed (RELIABILITY R7, R8, section 3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from tests.strategies import SAMPLE, policies
from workbench.errors import NotRunnable
from workbench.language.admission import check
from workbench.language.runnable import CODES, DEFAULT_HOST, REQUEST_PARAMETERS, Host, require_runnable, runnable

RETRY: dict[str, Any] = {"action": "retry_same"}


def verdict(term: list[Any], host: Host = DEFAULT_HOST) -> list[tuple[str, str, str | None]]:
    found = runnable(check(term, SAMPLE), host)
    assert all(finding.code in CODES for finding in found)
    return [(finding.severity, finding.code, finding.place.path) for finding in found]


FORBIDDEN = (
    "base_url", "auth", "auth_env", "provider_id", "served_model_id", "api_kind", "messages", "model", "headers",
    "__class__", "", "Temperature", "temperature ", "_filters",
)  # fmt: skip


@pytest.mark.parametrize("name", FORBIDDEN)
@pytest.mark.parametrize("rest", [("set_param", 1), ("inject_seed",), ("clamp_param", 1, 2), ("jitter", 1)])
def test_no_transform_touches_what_is_not_on_the_list(name: str, rest: tuple[Any, ...]) -> None:
    term = ["when", ["is", "no_log"], [rest[0], name, *rest[1:]]]
    assert verdict(term) == [("error", "parameter", f"$.when[2].{rest[0]}[1]")]
    (finding,) = runnable(check(term, SAMPLE))
    assert f"'{name}'" in finding.reason


@pytest.mark.parametrize("name", sorted(REQUEST_PARAMETERS))
def test_what_is_on_the_list_may_be_set(name: str) -> None:
    low, high = REQUEST_PARAMETERS[name]
    for term in (["set_param", name, low], ["set_param", name, "from_ctx"], ["clamp_param", name, low, high]):
        assert verdict(term) == []


DIFFERENT: list[tuple[list[Any], str, str, str]] = [
    (["set_param", "timeout_ms", 1e308], "warning", "value", "$.set_param[2]"),
    (["clamp_param", "max_tokens", 1, 1e12], "warning", "value", "$.clamp_param[3]"),
    (["set_param", "temperature", "hot"], "error", "value", "$.set_param[2]"),
    (["set_param", "temperature", False], "error", "value", "$.set_param[2]"),
    (["custom", "os.system"], "error", "custom", "$.custom[1]"),
    (["always", {**RETRY, "attempts": 1e308}], "error", "attempts", "$.always[1].attempts"),
    (["always", {**RETRY, "attempts": -1}], "error", "attempts", "$.always[1].attempts"),
    (["always", {**RETRY, "attempts": 0.5}], "error", "attempts", "$.always[1].attempts"),
    (["always", {**RETRY, "attempts": 6}], "error", "attempts", "$.always[1].attempts"),
    (["always", {**RETRY, "backoff_ms": 1e308}], "error", "backoff", "$.always[1].backoff_ms"),
    (["always", {**RETRY, "backoff_ms": -1}], "error", "backoff", "$.always[1].backoff_ms"),
    (["always", {**RETRY, "backoff_ms": []}], "error", "backoff", "$.always[1].backoff_ms"),
    (["always", {**RETRY, "backoff_ms": [0, 30_001]}], "error", "backoff", "$.always[1].backoff_ms[2]"),
    (["always", {**RETRY, "open_breaker_ms": 1e308}], "warning", "breaker", "$.always[1].open_breaker_ms"),
    (["always", {**RETRY, "weight": 3}], "warning", "knob", "$.always[1].weight"),
    (["override", ["always", RETRY], "weather", {"action": "abort"}], "warning", "reason", "$.override[2]"),
    (["provider_eq", "a\x00b"], "error", "control", "$.provider_eq[1]"),
    (["family_eq", "\x1b[2J"], "error", "control", "$.family_eq[1]"),
    (["served_by_eq", "\u202egro"], "error", "control", "$.served_by_eq[1]"),
    (["has_cap", "a\u2028b"], "error", "control", "$.has_cap[1]"),
    (["chain", [{"provider": "p", "model": "m\x07"}]], "error", "control", "$.chain[1][1].model"),
    (["filter_text", ["strip", "a\tb"]], "error", "control", "$.filter_text[1][2]"),
]


@pytest.mark.parametrize(("term", "severity", "code", "path"), DIFFERENT)
def test_finding(term: list[Any], severity: str, code: str, path: str) -> None:
    assert verdict(term) == [(severity, code, path)]


@pytest.mark.parametrize(
    "term",
    [
        ["always", {**RETRY, "attempts": 5, "backoff_ms": [0, 200, 30_000], "then_action": "next_candidate"}],
        ["always", {"action": "disable_provider"}],
        ["always", {"action": "next_candidate", "open_breaker_ms": 300_000}],
        ["policy", ["provider_eq", "é ü"], ["zero"], ["sample", -1], ["id"], ["always", RETRY]],
    ],
)
def test_runnable(term: list[Any]) -> None:
    assert verdict(term) == []
    assert require_runnable(check(term, SAMPLE)) == ()


def test_a_registered_transform_runs() -> None:
    assert verdict(["custom", "trim"], Host(custom=frozenset(("trim",)))) == []
    (finding,) = runnable(check(["custom", "trimm"], SAMPLE), Host(custom=frozenset(("trim",))))
    assert finding.hint == "did you mean 'trim'?"


def test_an_override_that_another_hides_is_named() -> None:
    plan = ["override", ["override", ["always", RETRY], "timeout", {"action": "abort"}], "timeout", RETRY]
    policy = ["policy", ["top"], ["zero"], ["argmax"], ["id"], plan]
    assert verdict(plan) == [("warning", "hidden", "$.override[1].override[2]")]
    assert verdict(policy) == [("warning", "hidden", "$.policy[5].override[1].override[2]")]


def test_require_runnable_raises_with_every_finding() -> None:
    term = ["seq", ["set_param", "base_url", "x"], ["set_param", "max_tokens", 1e9], ["custom", "x"]]
    with pytest.raises(NotRunnable) as caught:
        require_runnable(check(term, SAMPLE))
    assert [finding.code for finding in caught.value.findings] == ["parameter", "value", "custom"]


def test_numbers_are_clamped_to_the_hosts_bounds() -> None:
    assert DEFAULT_HOST.clamp("timeout_ms", 1e308) == 50_000
    assert DEFAULT_HOST.clamp("max_tokens", -1) == 1
    with pytest.raises(KeyError):
        DEFAULT_HOST.clamp("base_url", 1)


@settings(max_examples=300, deadline=None)
@given(policies())
def test_one_identity_has_one_verdict(term: list[Any]) -> None:
    admitted = check(term, SAMPLE)
    canonical = check(admitted.normal, SAMPLE)
    hard = [finding for finding in runnable(admitted) if finding.code != "hidden"]
    assert tuple(hard) == runnable(canonical)
