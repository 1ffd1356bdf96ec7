"""What holds for every tenant state: a policy or an error, never a guess; the same bytes, always."""

from __future__ import annotations

import os
import subprocess
import sys
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rulebook.sample import HERE, catalog, pool, rulebook, tenants
from workbench.engine.decide import decide
from workbench.errors import CompileError
from workbench.language.admission import check
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.schema import Fact, TenantField
from workbench.rulebook.tenant import Override, Tenant, Workload

DIGEST = """
from hashlib import sha256
from tests.rulebook.sample import catalog, rulebook, tenants
from workbench.rulebook.compile import compile_policy
digest = sha256(rulebook().sha256.encode())
for who in tenants().values():
    made = compile_policy(who, rulebook(), catalog().vocabulary)
    digest.update(made.policy.encoding.encode())
    digest.update(repr([(c.id, c.text, c.shown, c.facts, c.origin) for c in made.clauses]).encode())
    digest.update(repr([(s, c.id, c.shown) for s, c in made.slots.items()]).encode())
print(digest.hexdigest())
"""


def test_the_same_bytes_under_every_hash_seed() -> None:
    digests: set[str] = set()
    for seed in ("0", "1", "2", "7", "20"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(HERE)}
        done = subprocess.run(
            [sys.executable, "-c", DIGEST], env=environment, cwd=HERE, capture_output=True, text=True, check=True
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def fact(known: TenantField) -> st.SearchStrategy[Fact]:
    if known.kind == "choice":
        return st.sampled_from(known.values)
    if known.kind == "flag":
        return st.booleans()
    if known.kind == "number":
        return st.floats(known.minimum or 0, known.maximum or 100, allow_nan=False)
    words = st.sampled_from(catalog().values["provider"])
    return st.lists(words, max_size=6, unique=True).map(tuple) if known.kind == "list" else words


@st.composite
def states(draw: st.DrawFn) -> Tenant:
    """A tenant whose facts are all known, or some of them, with an override now and then."""
    facts: dict[str, Fact] = {}
    complete = draw(st.booleans())
    for name, known in rulebook().schema.fields.items():
        if complete or draw(st.integers(0, 9)):
            facts[name] = draw(fact(known))
    workload = Workload(draw(st.integers(0, 100_000)), draw(st.integers(0, 10_000)))
    own = Override("own-1", None, 1, "filter", draw(st.sampled_from(["top", "no_log", "region != cn", "bot"])))
    overrides = (own,) if draw(st.booleans()) else ()
    return Tenant("any", "Any", MappingProxyType(facts), workload, overrides)


@settings(max_examples=300)
@given(states())
def test_every_state_gives_a_policy_that_keeps_its_promises_or_an_error_that_names_the_fact(who: Tenant) -> None:
    names = catalog().vocabulary
    try:
        made = compile_policy(who, rulebook(), names)
    except CompileError as error:
        for finding in error.findings:
            assert finding.code == "missing_fact"
            assert finding.place.path is not None
            assert finding.place.path.removeprefix("facts.") not in who.facts
        return
    assert check(made.policy.source, names, sort="Policy") == made.policy
    assert compile_policy(who, rulebook(), names).policy.encoding == made.policy.encoding
    reached = [catalog().candidates[n] for n in decide(made.policy, pool()).order]
    if who.facts["region"] == "eu":
        assert all(offer["region"] == "eu" for offer in reached)
    if who.no_log:
        assert all(offer.get("no_log") is True or offer.get("has_tee") is True for offer in reached)
    if who.facts["data_class"] != "public":
        assert all(offer.get("trains_on_data") is False for offer in reached)
    if who.facts["plan"] == "enterprise":
        approved = who.facts["approved_providers"]
        assert isinstance(approved, tuple)
        assert all(offer["provider_id"] in approved for offer in reached)


@settings(max_examples=200)
@given(states(), st.sampled_from(sorted(rulebook().schema.fields)))
def test_taking_a_fact_away_never_lets_more_offers_pass(who: Tenant, name: str) -> None:
    """Without the fact there is no policy, or one that reaches nothing that it did not reach with it."""
    less = Tenant(who.id, who.title, {k: v for k, v in who.facts.items() if k != name}, who.workload, who.overrides)
    try:
        poorer = compile_policy(less, rulebook(), catalog().vocabulary)
    except CompileError:
        return
    richer = compile_policy(who, rulebook(), catalog().vocabulary)
    assert set(decide(poorer.policy, pool()).survivor_indices) <= set(decide(richer.policy, pool()).survivor_indices)


@pytest.mark.parametrize("tenant_id", ["acme-eu", "corvane-bank"])
def test_order_of_facts_changes_nothing(tenant_id: str) -> None:
    who = tenants()[tenant_id]
    turned = Tenant(who.id, who.title, dict(reversed(list(who.facts.items()))), who.workload)
    names = catalog().vocabulary
    assert compile_policy(turned, rulebook(), names) == compile_policy(who, rulebook(), names)
