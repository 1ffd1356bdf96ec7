"""What was measured, where a decision looks at it: which policies do, and the candidates as they are decided over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.engine.measures.decay import FIELDS, Pair
from workbench.language.admission import Admitted


def looks_at_measures(policy: Admitted) -> bool:
    """Whether a decision by this policy can depend on what was measured."""
    encoding = policy.encoding
    return any(f'"{name}"' in encoding for name in FIELDS) or "(speed)" in encoding


def measured_candidates(
    candidates: tuple[Mapping[str, Any], ...], fields: Mapping[Pair, Mapping[str, float]]
) -> tuple[Mapping[str, Any], ...]:
    """The candidates with what was measured of them in place of what a catalog says."""
    if not fields:
        return candidates
    return tuple(
        {**candidate, **fields.get((str(candidate.get("provider_id")), str(candidate.get("model_family"))), {})}
        for candidate in candidates
    )
