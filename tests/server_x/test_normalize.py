"""`/x/policy/normalize`, `/x/policy/build`, `/x/flow/normalize`: the vectors observed on the public host."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server_x.endpoint import CHEAP, TAIL, Served, policy

A, B, C = (["provider_eq", name] for name in "abc")
NO_LOG, TEE, REQ = ["is", "no_log"], ["is", "has_tee"], ["meets_req"]
F = ["field", "price_in"]
FAMILY = ["family_eq", "deepseek-v3"]
NEXT, ABORT = {"action": "next_candidate"}, {"action": "abort"}
DISABLE = {"action": "disable_provider"}


def tail(select: Any = None, mutate: Any = None, fallback: Any = None) -> list[Any]:
    return [select or TAIL[0], mutate or TAIL[1], fallback or TAIL[2]]


def override(plan: Any, reason: str, action: Any) -> list[Any]:
    return ["override", plan, reason, action]


PLAIN: list[Any] = ["always", NEXT]
FILTERS: list[tuple[Any, Any, str]] = [
    (["and", REQ, ["not", ["is", "disabled"]]], ..., "1364766397-260451597"),
    (
        ["and", ["not", ["is", "disabled"]], REQ, FAMILY],
        ["and", FAMILY, REQ, ["not", ["is", "disabled"]]],
        "1277003597-633146910",
    ),
    (["and", REQ], REQ, "1564453273-2074448283"),
    (["and"], ["top"], "509137769-1918299683"),
    (["or", ["top"], NO_LOG], ["top"], "509137769-1918299683"),
    (["or"], ["bot"], "1949514103-992384199"),
    (["not", ["top"]], ["bot"], "1949514103-992384199"),
    (["and", ["bot"], NO_LOG], ["bot"], "1949514103-992384199"),
    (["not", ["not", NO_LOG]], NO_LOG, "1698039925-987978339"),
    (["not", ["or", NO_LOG, TEE]], ["not", ["or", TEE, NO_LOG]], "176035994-1243348982"),
    (["and", NO_LOG, NO_LOG, REQ], ..., "1020998381-1259668893"),
    (
        ["and", ["or", B, A, ["or", C]], ["top"], ["cmp", "price_in", "le", 5]],
        ["and", ["cmp", "price_in", "le", 5], ["or", A, B, C]],
        "751157765-1737809063",
    ),
    (["cmp", "price_in", "le", 5], ..., "1969239910-954828048"),
    (["cmp", "price_in", "le", 5.0], ..., "1969239910-954828048"),
    (["cmp", "price_in", "le", 0], ..., "47922977-896764946"),
    (["cmp", "price_in", "le", -0.0], ..., "47922977-896764946"),
    (["cmp", "price_in", "le", 0.1], ..., "82426616-1091024638"),
    (["cmp", "price_in", "le", 0.30000000000000004], ..., "109155847-279518803"),
    (["cmp", "price_in", "le", 1e21], ..., "962839079-222311232"),
    (["family_eq", "é"], ..., "810941188-551921955"),
]
OTHERS: list[tuple[list[Any], list[Any], str]] = [
    *((policy(["top"], rank), policy(["top"], F), "300294969-1727330734") for rank in (
        ["scale", 1, F], ["add", ["zero"], F], ["gate", ["top"], F],
    )),
    (policy(["top"], ["scale", 0, F]), policy(["top"], ["zero"]), "1430221353-1036100599"),
    *((policy(["top"], rank), policy(["top"], rank), name) for rank, name in (
        (["scale", 2, ["scale", 3, F]], "1520347079-367876918"),
        (["neg", ["neg", F]], "1215720283-1448643951"),
        (["add", ["scale", 0.4, ["field", "context"]], ["scale", 0.6, ["neg", F]]], "274236037-805570941"),
    )),
    *((term, term, name) for term, name in (
        (
            policy(FAMILY, None, tail(["top_k", 2, ["argmax"]], None, override(PLAIN, "auth_error", DISABLE))),
            "1184559953-112074440",
        ),
        (policy(FAMILY, ["zero"], tail(["top_k", 2, ["argmax"]])), "571493670-1375972783"),
        (
            policy(["top"], None, tail(["chain", [[["provider_eq", "a"], 1], [["provider_eq", "b"], 2]]])),
            "1923240412-145335364",
        ),
    )),
    *((
        policy(["top"], None, tail(None, None, override(override(PLAIN, *one), *two))),
        policy(["top"], None, tail(None, None, override(override(PLAIN, "auth_error", ABORT), "timeout", ABORT))),
        "1141170179-1588193893",
    ) for one, two in (
        (("timeout", ABORT), ("auth_error", ABORT)), (("auth_error", ABORT), ("timeout", ABORT)),
    )),
    (
        policy(["top"], None, tail(None, None, override(override(PLAIN, "timeout", ABORT), "timeout", NEXT))),
        policy(["top"]),
        "509137769-1918299683",
    ),
    (
        policy(["top"], None, tail(None, [
            "seq", ["set_param", "temperature", 0], ["clamp_param", "max_tokens", 1, 100], ["id"],
        ])),
        policy(["top"], None, tail(None, [
            "seq", ["set_param", "temperature", 0], ["clamp_param", "max_tokens", 1, 100],
        ])),
        "1115427514-2040850739",
    ),
    (["and", REQ, NO_LOG, TEE], ["and", TEE, NO_LOG, REQ], "1313885385-1113904550"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "normal", "fingerprint"), FILTERS)
def test_a_filter_has_the_public_hosts_normal_form(endpoint: Served, given: Any, normal: Any, fingerprint: str) -> None:
    answer = endpoint.post("/x/policy/normalize", {"policy_ir": policy(given)})
    assert answer.status_code == 200
    found = answer.json()
    assert found["policy_ir"] == policy(given if normal is ... else normal)
    assert (found["fingerprint"], found["version"]) == (fingerprint, "sigma-pol/v2")


@pytest.mark.parametrize(("given", "normal", "fingerprint"), OTHERS)
def test_every_other_slot_has_it_too(endpoint: Served, given: list[Any], normal: list[Any], fingerprint: str) -> None:
    found = endpoint.post("/x/policy/normalize", {"policy_ir": given}).json()
    assert found["policy_ir"] == normal
    assert found["fingerprint"] == fingerprint


def test_a_number_is_kept_as_written(endpoint: Served) -> None:
    tail = b'["zero"], ["argmax"], ["id"], ["always", {"action": "abort"}]'
    body = b'{"policy_ir": ["policy", ["cmp", "price_in", "le", 5.0], ' + tail + b"]}"
    assert b'["cmp","price_in","le",5.0]' in endpoint.post("/x/policy/normalize", body).content


def test_what_is_not_admitted_is_normalized_and_told(endpoint: Served) -> None:
    answer = endpoint.post("/x/policy/normalize", {"policy_ir": policy(["is", "eu"])})
    admission = answer.json()["admission"]
    assert answer.status_code == 200
    assert not admission["ok"]
    assert [(error["path"], error["reason"]) for error in admission["errors"]] == [
        ("$.policy[1].is[1]", "undeclared field 'eu'")
    ]
    assert endpoint.post("/x/policy/normalize", {"policy_ir": policy(["top"])}).json()["admission"]["ok"]


def test_admit_makes_it_strict(endpoint: Served) -> None:
    answer = endpoint.post("/x/policy/normalize?admit=1", {"policy_ir": policy(["is", "eu"])})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        "policy_ir rejected at admission: $.policy[1].is[1]: undeclared field 'eu'"
    )


def test_spellings_are_lowered_first(endpoint: Served) -> None:
    found = endpoint.post("/x/policy/normalize", {"policy_ir": policy(["eq", "region", "eu"])}).json()
    assert found["policy_ir"][1] == ["is", "region_eu"]


@pytest.mark.parametrize(
    ("term", "words"),
    [
        (policy(["zap"]), "unknown op 'zap'"),
        ([], "unknown op 'nil'"),
        (["policy", ["top"]], "policy takes 5 argument(s), got 1"),
        (policy(None), "null"),
        (policy(["not", None]), "null"),
        (policy(["top"], None, tail(None, None, ["override", ["top"], "timeout", ABORT])), "FailPlan"),
        (policy(["top"], None, tail(None, None, ["override", PLAIN, ["timeout"], ABORT])), "expected a string"),
        (["and", *[["top"]] * 5000], "more than 4096"),
    ],
)
def test_what_has_no_normal_form_is_refused_in_one_line(endpoint: Served, term: Any, words: str) -> None:
    answer = endpoint.post("/x/policy/normalize", {"policy_ir": term})
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_policy")
    assert words in error["message"]
    assert "\n" not in error["message"]


def test_a_term_that_is_too_deep_is_refused(endpoint: Served) -> None:
    term: list[Any] = ["top"]
    for _ in range(65):
        term = ["not", term]
    assert endpoint.post("/x/policy/normalize", {"policy_ir": term}).status_code == 400


def test_build_puts_the_parts_together(endpoint: Served) -> None:
    spec = {
        "filter": FAMILY, "selector": "top_k", "selector_opts": {"k": 2}, "rank": CHEAP,
        "retry_table": {"auth_error": DISABLE, "unknown": NEXT},
    }  # fmt: skip
    found = endpoint.post("/x/policy/build", spec).json()
    assert found["fingerprint"] == "1184559953-112074440"
    assert found["version"] == "sigma-pol/v2"


def test_build_takes_weights_and_says_that_they_do_nothing(endpoint: Served) -> None:
    found = endpoint.post("/x/policy/build", {"filter": FAMILY, "weights": {"cost": 1}}).json()
    assert found["policy_ir"][2] == ["zero"]
    assert "weights" in found["warnings"][-1]


@pytest.mark.parametrize(
    "spec",
    [
        {"selector": "zap"}, {"selector": "top_k"}, {"selector": "top_k", "selector_opts": {"k": True}},
        {"selector": "top_k", "selector_opts": {"k": 2, "z": 1}}, {"retry_table": {"zap": NEXT}}, {"filter": "top"},
        {"zap": 1}, {"rank": ["zero"], "scorer": ["zero"]}, {"filter": ["zap"]}, {"mutate": 3}, {"selector_opts": 3},
    ],
)  # fmt: skip
def test_a_bad_spec_is_refused(endpoint: Served, spec: dict[str, Any]) -> None:
    answer = endpoint.post("/x/policy/build", spec)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_policy_spec"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"filtr": ["top"]}, "unknown key(s): filtr; did you mean `filter`?"),
        ({"selector": "topk"}, "did you mean `top_k`?"),
        ({"selector": "sample", "selector_opts": {"tmp": 1}}, "did you mean `temp`?"),
        ({"selector": "sample", "selector_opts": {"temp": 1, "temperature": 2}}, "are one thing, and differ"),
        ({"retry_table": {"rate_limt": NEXT}}, "did you mean `rate_limit`?"),
        ({"selector": ["argmax"], "selector_opts": {"k": 2}}, "write them into the term"),
        ({"filter": []}, "`filter` must be a term"),
        ({"selector": []}, "unknown selector"),
        ({"mutate": []}, "`mutate` must be a transform"),
    ],
)
def test_a_bad_spec_is_told_what_to_write_instead(endpoint: Served, spec: dict[str, Any], said: str) -> None:
    error = endpoint.post("/x/policy/build", spec).json()["error"]
    assert (error["code"], said in error["message"]) == ("invalid_policy_spec", True), error


def test_a_spec_whose_term_is_none_has_every_finding(endpoint: Served) -> None:
    error = endpoint.post("/x/policy/build", {"filter": ["is_not", "no_log"]}).json()["error"]
    assert error["code"] == "invalid_policy_spec"
    assert [(found["path"], found["reason"]) for found in error["errors"]] == [("$.policy[1]", "unknown op 'is_not'")]


def test_an_empty_table_is_no_entry(endpoint: Served) -> None:
    bare = endpoint.post("/x/policy/build", {}).json()
    assert endpoint.post("/x/policy/build", {"retry_table": [], "selector_opts": []}).json() == bare


def test_a_spec_is_told_what_the_catalog_does_not_have(endpoint: Served) -> None:
    spec: dict[str, Any] = {
        "filter": ["or", ["provider_eq", "azzure"], ["family_eq", "gpt-55"], ["provider_eq", "azure"]],
        "selector": "sample", "selector_opts": {"temp": -1},
    }  # fmt: skip
    names = sorted(endpoint.post("/x/policy/build", spec).json()["warnings"])
    assert names[0].startswith("`sample` takes a temperature of 0 or more")
    assert names[1:] == [
        "no offer of the catalog has the model `gpt-55`: did you mean `gpt-5.5`?",
        "no offer of the catalog has the provider `azzure`: did you mean `azure`?",
    ]
    chain = {"selector": "chain", "selector_opts": {"chain": [{"provider": "azzure", "model": "gpt-5.5"}]}}
    assert "azzure" in endpoint.post("/x/policy/build", chain).json()["warnings"][0]


def test_a_flow_has_a_normal_form(endpoint: Served) -> None:
    flow = ["flow", {
        "in": {"kind": "input"},
        "think": {"kind": "llm", "inputs": ["in"], "system": "think", "policy": policy(["top"])},
        "out": {"kind": "output", "inputs": ["think"]},
    }]  # fmt: skip
    found = endpoint.post("/x/flow/normalize", {"flow_ir": flow}).json()
    assert found["version"] == "sigma-flow/v1"
    assert found["encoded"].startswith("sigma-flow/v1:(")
    assert set(found["flow_ir"][1]) == {"n0", "n1", "n2"}


def test_a_flow_that_is_none_is_refused(endpoint: Served) -> None:
    answer = endpoint.post("/x/flow/normalize", {"flow_ir": ["flow", {}]})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_flow"
    assert answer.json()["error"]["message"].startswith("flow_ir rejected at admission: ")
