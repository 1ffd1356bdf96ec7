"""A replay proves a record, sees any change of it, and says what another catalog would change."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.traces.worlds import LOGGING, QUIET, case, kept, sample
from workbench.errors import TraceError
from workbench.language.vocabulary import CORE
from workbench.traces.parts.catalogs import KeptCatalog
from workbench.traces.parts.verdicts import Verdicts
from workbench.traces.record import Record
from workbench.traces.replay import FIELDS, replay

TENANTS = [tenant.id for tenant in sample().tenants]


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("evaluator", ["columnar", "reference"])
def test_every_tenant_of_the_sample_replays_the_same(tenant: str, evaluator: Any) -> None:
    made = case(tenant, {"requirements": {"needs": ["tools"], "min_context": 8000}}, seed=7)
    again = replay(made.record(), evaluator=evaluator)
    assert again.same
    assert again.fields == dict.fromkeys(FIELDS, True)


def changed(record: Record, **parts: Any) -> Record:
    """The record with other verdicts than were reached."""
    return replace(record, material=replace(record.material, verdicts=replace(record.material.verdicts, **parts)))


def test_one_bit_of_a_score_is_seen() -> None:
    record = case().record()
    scores = np.array(record.material.verdicts.scores)
    scores[3] = np.nextafter(scores[3], 2.0)
    again = replay(changed(record, score_data=scores.tobytes()))
    assert [(d.field, d.offer) for d in again.differences] == [
        ("scores", kept().offer_ids[record.material.verdicts.order[3]])
    ]
    assert again.fields == {name: name != "scores" for name in FIELDS}


def test_another_order_reason_or_rule_is_seen() -> None:
    record = case().record()
    verdicts: Verdicts = record.material.verdicts
    order = np.array(verdicts.order, dtype="<i4")
    order[[0, 1]] = order[[1, 0]]
    again = replay(changed(record, order_data=order.tobytes()))
    assert {d.field for d in again.differences} >= {"chosen", "order"}
    assert len([d for d in again.differences if d.field == "order"]) == 2
    renamed = (*verdicts.reasons[:-1], "cmp:zzz:le")
    again = replay(changed(record, reasons=renamed))
    assert {d.field for d in again.differences} == {"rejected"}
    assert {d.before for d in again.differences} == {"cmp:zzz:le"}
    spared = (bytes(len(verdicts.failed[0])), *verdicts.failed[1:])
    if spared == verdicts.failed:
        spared = (b"\xff" * len(verdicts.failed[0]), *verdicts.failed[1:])
    again = replay(changed(record, failed=spared))
    assert {d.field for d in again.differences} == {"rules"}
    json.dumps([[d.before, d.after] for d in again.differences], allow_nan=False)


def without(catalog: KeptCatalog, gone: int, **changes: Any) -> KeptCatalog:
    """The catalog without one offer, and with another's facts changed."""
    places = [index for index in range(len(catalog.candidates)) if index != gone]
    rows = [catalog.candidates[index] | changes.get(f"at_{index}", {}) for index in places]
    return replace(
        catalog,
        candidates=tuple(rows),
        offer_ids=tuple(catalog.offer_ids[index] for index in places),
        regions=tuple(catalog.regions[index] for index in places),
    )


@pytest.mark.parametrize("tenant", [LOGGING, QUIET])
def test_over_another_catalog_it_says_what_would_change(tenant: str) -> None:
    made = case(tenant)
    first, second = made.decision.order[:2]
    names = kept().offer_ids
    again = replay(made.record(), catalog=without(kept(), first))
    found = {(d.field, d.offer): (d.before, d.after) for d in again.differences}
    assert found["chosen", None] == (names[first], names[second])
    assert found["order", names[first]] == (1, None)
    assert found["order", names[second]] == (2, 1)
    assert found["population", None] == (len(names), len(names) - 1)
    assert not [d for d in again.differences if d.field == "rules"], "nothing else about the offers has changed"


def test_a_dearer_offer_is_rejected_by_its_rule_over_the_new_catalog() -> None:
    made = case("ladle-free")
    first = made.decision.order[0]
    name = kept().offer_ids[first]
    dear = {f"at_{first}": {"price_in": 900.0, "price_out": 900.0}}
    again = replay(made.record(), catalog=without(kept(), made.decision.order[-1], **dear))
    found = {(d.field, d.offer): d for d in again.differences}
    assert found["chosen", None].before == name
    assert found["chosen", None].after != name
    assert again.catalog.candidates != kept().candidates


def test_a_request_for_a_model_finds_it_at_its_new_place() -> None:
    family = kept().candidates[case().decision.order[0]]["model_family"]
    made = case(LOGGING, {"requirements": {"model_family": family}})
    assert made.decision.order
    gone = next(i for i, c in enumerate(kept().candidates) if c["model_family"] != family)
    again = replay(made.record(), catalog=without(kept(), gone))
    assert "chosen" not in {d.field for d in again.differences}


def test_a_catalog_without_a_field_of_the_policy_is_refused_in_words() -> None:
    with pytest.raises(TraceError, match="undeclared field"):
        replay(case().record(), catalog=replace(kept(), vocabulary=CORE))
