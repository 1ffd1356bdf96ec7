"""A question and a call see the same: whose breakers and disables, whose filter, which pin, which requirements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.faults import Faults
from tests.server_x.endpoint import CHEAP, TAIL, Served, policy, served
from workbench.server.emulator import Running, running

TENANT, OTHER = "acme-eu", "ladle-free"
DISABLING = policy(["not", ["is", "disabled"]], tail=[*TAIL[:2], ["always", {"action": "disable_provider"}]])


@pytest.fixture(scope="module")
def emulation() -> Iterator[Running]:
    """An emulator of this module's own: its faults strike nobody else's calls."""
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def shared(emulation: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An endpoint of this module's own: what it knows of providers is nobody else's."""
    with served(tmp_path_factory.mktemp("alike"), emulation.url) as made:
        yield made


@pytest.fixture
def endpoint(shared: Served, emulation: Running) -> Served:
    """The endpoint with nothing known of any provider, and no fault playing."""
    Faults(emulation).none()
    shared.tell(lambda process: process.host.health.reset())
    return shared


def ranked(endpoint: Served, token: str | None = None, **body: Any) -> dict[str, Any]:
    """A ranking."""
    return endpoint.post("/x/rank", body, **bearer(token)).json()


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}


def of(provider: str, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What is said of a provider's offers."""
    theirs = [row for row in rows if row["provider"] == provider]
    return [(row["served_model_id"], row["region"], row["reason"], observed(row)) for row in theirs]


def observed(row: dict[str, Any]) -> list[tuple[str, str]]:
    """The rules against an offer, with what they saw."""
    return [(rule["rule"], rule["observed"]) for rule in row["rules"]]


def test_a_provider_that_a_tenants_call_disabled_is_out_for_that_tenant_alone(
    endpoint: Served, emulation: Running
) -> None:
    first = ranked(endpoint, tenant=TENANT)["ranked"][0]
    provider = first["provider"]
    Faults(emulation).play(f"{provider}=auth_error")
    path = endpoint.chat(tenant=TENANT).json()["x_router"]["decision_trace"]["decision_path"]
    assert (path[0]["provider_id"], path[0]["error_kind"]) == (provider, "auth_error")

    told = endpoint.chat(tenant=TENANT).json()["x_router"]["decision_trace"]
    expected = of(provider, told["rejected"])
    disabled = ("default", "breaker_open no; disabled yes")
    assert (first["served_model_id"], first["region"], "not", [disabled]) in expected
    assert all(disabled in rules for _, _, _, rules in expected)
    seen = ranked(endpoint, tenant=TENANT)
    assert of(provider, seen["rejected"]) == expected
    assert provider not in {row["provider"] for row in seen["ranked"]}
    assert [row["served_model_id"] for row in seen["ranked"][:10]] == [
        row["served_model_id"] for row in told["ranked"]
    ]  # fmt: skip

    (why,) = endpoint.post("/x/explain", {"tenant": TENANT, "offer": first["offer"]}).json()["offers"]
    assert (why["verdict"], why["reason"]) == ("rejected", "not")
    assert observed(why) == [disabled]
    (others,) = endpoint.post("/x/explain", {"tenant": OTHER, "offer": first["offer"]}).json()["offers"]
    assert others["reason"] != "not"
    assert disabled not in observed(others)


def test_another_tenant_and_a_caller_without_one_see_nothing_of_it(endpoint: Served, emulation: Running) -> None:
    before = {name: ranked(endpoint, **body) for name, body in WHO.items()}
    Faults(emulation).play("*=auth_error")
    assert endpoint.chat(tenant=TENANT, policy_ir=DISABLING, compact=True).status_code == 401
    after = {name: ranked(endpoint, **body) for name, body in WHO.items()}
    assert len(after["tenant"]["ranked"]) < len(before["tenant"]["ranked"])
    for name in ("other", "nobody"):
        assert after[name]["ranked"] == before[name]["ranked"]


WHO: dict[str, dict[str, Any]] = {
    "tenant": {"tenant": TENANT, "policy_ir": DISABLING},
    "other": {"tenant": OTHER, "policy_ir": DISABLING},
    "nobody": {"policy_ir": DISABLING},
}


def test_a_caller_without_a_tenant_sees_what_its_own_calls_disabled(endpoint: Served, emulation: Running) -> None:
    term = policy(["and", ["provider_eq", "mistral"], ["not", ["is", "disabled"]]], tail=DISABLING[3:])
    Faults(emulation).play("mistral=auth_error")
    assert endpoint.chat(policy_ir=term, compact=True).status_code == 401
    assert ranked(endpoint, policy_ir=term)["ranked"] == []
    assert ranked(endpoint, policy_ir=term, tenant=OTHER)["ranked"]
    secret = endpoint.token("unbound")
    assert ranked(endpoint, secret, policy_ir=term)["ranked"]  # another caller, whose calls have met nothing


def test_null_is_nothing_said(endpoint: Served) -> None:
    bound = endpoint.token("bound", tenants=(TENANT,))
    own = ranked(endpoint, bound)["ranked"]
    assert {row["region"] for row in own} == {"eu"}
    assert ranked(endpoint, bound, tenant=None)["ranked"] == own
    assert ranked(endpoint, bound, tenant=None, tenant_state=None, policy_ir=None)["ranked"] == own
    wide = ranked(endpoint, bound, tenant=None, policy_ir=policy(["top"]))
    assert {row["offer"] for row in wide["ranked"]} == {row["offer"] for row in own}
    assert ranked(endpoint, tenant=TENANT, tenant_state=None)["ranked"] == own
    stated: dict[str, Any] = {"tenant": None, "tenant_state": {"plan": "free", "region": "eu", "data_class": "public",
              "dpa_signed": False, "vip_support": False, "no_log": False}}  # fmt: skip
    assert {row["region"] for row in endpoint.post("/x/rank", stated).json()["ranked"]} == {"eu"}
    refused = endpoint.post("/x/rank", {**stated, "tenant": TENANT}).json()
    assert refused["error"]["code"] == "invalid_request"
    for path, body in (("/x/compile", {}), ("/x/explain", {"offer": own[0]["offer"]})):
        answers = [
            endpoint.post(path, {**body, **whose}, **bearer(bound)).json()
            for whose in ({}, {"tenant": None, "tenant_state": None})
        ]
        assert "error" not in answers[0]
        assert answers[0] == answers[1]


def test_a_profile_is_ranked_inside_the_filter_of_the_callers_tenant(endpoint: Served) -> None:
    bound = endpoint.token("bound", tenants=(TENANT,))
    free = endpoint.get("/x/rank?profile=default").json()
    held = endpoint.get("/x/rank?profile=default", **bearer(bound)).json()
    assert len({row["region"] for row in free["ranked"]}) > 1
    assert {row["region"] for row in held["ranked"]} == {"eu"}
    assert "eu-residency" in {rule["rule"] for row in held["rejected"] for rule in row["rules"]}


CUT: list[Any] = [["top_k", 1, ["argmax"]], *TAIL[1:]]


def test_the_selector_chooses_among_the_pinned_as_in_a_call(endpoint: Served) -> None:
    term = policy(["top"], CHEAP, CUT)
    (first,) = ranked(endpoint, policy_ir=term)["ranked"]
    pin = {"pin": {"provider": "mistral", "model": "glm-5.3"}}
    assert (first["provider"], first["model_family"]) != ("mistral", "glm-5.3")
    seen = ranked(endpoint, policy_ir=term, requirements=pin)
    (row,) = seen["ranked"]
    told = endpoint.chat(policy_ir=term, requirements=pin).json()["x_router"]
    assert (row["provider"], row["model_family"]) == ("mistral", "glm-5.3")
    assert (told["provider"], told["served_model_id"], told["region"]) == (
        row["provider"], row["served_model_id"], row["region"],
    )  # fmt: skip
    assert [each["served_model_id"] for each in told["decision_trace"]["ranked"]] == [row["served_model_id"]]
    assert seen["rejected"] == told["decision_trace"]["rejected"]
    body = {"policy_ir": term, "requirements": pin, "offer": row["offer"]}
    (why,) = endpoint.post("/x/explain", body).json()["offers"]
    assert (why["verdict"], why["place"]) == ("winner", 1)
    other = f"{first['provider']}/{first['served_model_id']}"
    (why, *_) = endpoint.post("/x/explain", {**body, "offer": other}).json()["offers"]
    assert why["verdict"] == "rejected"
    assert [rule["rule"] for rule in why["rules"]] == ["request"]


def test_a_pin_means_a_family_and_one_that_means_nobody_is_told(endpoint: Served) -> None:
    rows = ranked(endpoint, policy_ir=policy(["top"]))["ranked"]
    families = {(row["provider"], row["model_family"]) for row in rows}
    by_id = next(pair for row in rows if (pair := (row["provider"], row["served_model_id"])) not in families)
    for provider, model in (("mistral", "q"), by_id):
        pin = {"provider": provider, "model": model}
        asked: dict[str, Any] = {"policy_ir": policy(["top"], CHEAP, CUT), "requirements": {"pin": pin}}
        found = endpoint.post("/x/rank", asked).json()
        assert (found["ranked"], found["rejected"]) == ([], [{"reason": "pin_not_found", "pin": pin}])
        called = endpoint.chat(None, compact=True, **asked)
        assert (called.status_code, called.json()["error"]["code"]) == (503, "no_candidates")


UNREAD = "the policy has no `meets_req`, so nothing reads `min_context`"


@pytest.mark.parametrize(
    ("filters", "wanted", "warned"),
    [
        (["top"], {"min_context": 1000}, [UNREAD]),
        (["meets_req"], {"min_context": 1000}, []),
        (["top"], {"min_context": None}, []),
        (["top"], {}, []),
        (["top"], {"pin": {"provider": "mistral", "model": "glm-5.3"}}, []),
    ],
    ids=["unread", "read", "null", "empty", "pin"],
)
def test_requirements_that_nothing_reads_are_told_by_a_call_as_by_a_ranking(
    endpoint: Served, filters: Any, wanted: dict[str, Any], warned: list[str]
) -> None:
    asked: dict[str, Any] = {"policy_ir": policy(filters), "requirements": wanted}
    assert endpoint.post("/x/rank", asked).json().get("warnings", []) == warned
    assert endpoint.chat(None, compact=True, **asked).json()["x_router"].get("warnings", []) == warned
    assert endpoint.chat(tenant=TENANT, requirements=wanted, compact=True).json()["x_router"].get("warnings") is None
