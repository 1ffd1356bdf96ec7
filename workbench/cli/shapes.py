"""The JSON shapes that several commands share, under the names that existing clients read.

Unknown is null and never 0; a number that JSON cannot hold (an infinite score) is null too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.rulebook.schema import fact_words

if TYPE_CHECKING:
    from workbench.catalog import Catalog
    from workbench.language.admission import Admitted
    from workbench.rulebook.schema import Fact
    from workbench.session.evaluation import Outcome
    from workbench.session.state import WorkspaceState
    from workbench.session.views import Check, OfferRow


def finite(value: float | None) -> float | None:
    """The number, null where it is infinite or none."""
    return value if value is not None and math.isfinite(value) else None


def offer_json(offer: OfferRow) -> dict[str, Any]:
    """One offer: prices in USD per million tokens, `cost_per_run` in USD."""
    return {
        "offer": offer.label,
        "provider": offer.provider,
        "model_family": offer.model_family,
        "served_model_id": offer.served_model_id,
        "region": offer.region,
        "tier": offer.tier,
        "price_in": offer.price_in,
        "price_out": offer.price_out,
        "cost_per_run": finite(offer.cost_per_run),
    }


def catalog_json(catalog: Catalog) -> dict[str, Any]:
    """Which catalog a decision stands on."""
    return {"name": catalog.name, "date": catalog.date, "sha256": catalog.sha256, "offers": len(catalog)}


def policy_json(policy: Admitted) -> dict[str, Any]:
    """Which policy: version, fingerprint as the public engine computes it, identity (SHA-256)."""
    return {"version": policy.version, "fingerprint": policy.fingerprint, "identity": policy.identity}


def check_json(check: Check) -> dict[str, Any]:
    """One clause's verdict on one offer."""
    return {
        "rule": check.clause.rule,
        "clause": check.clause.shown,
        "clause_id": check.clause.id,
        "observed": check.observed,
        "needed": check.needed,
    }


def winner_words(state: WorkspaceState, outcome: Outcome | None) -> str:
    """A tenant's winner for a table: `no policy` where it has none, `nobody` where its policy leaves none."""
    if outcome is not None and outcome.compiled is None:
        return "no policy"
    return "nobody" if outcome is None or outcome.winner is None else state.catalog.offer_id(outcome.winner)


def facts_words(facts: Iterable[tuple[str, Fact]]) -> str:
    """Facts as `name = value, ...`; `-` where there are none."""
    return ", ".join(f"{name} = {fact_words(value)}" for name, value in facts) or "-"


def without(table: Mapping[str, Any], taken: Iterable[str]) -> dict[str, Any]:
    """The table without the keys in `taken`."""
    dropped = set(taken)
    return {key: value for key, value in table.items() if key not in dropped}
