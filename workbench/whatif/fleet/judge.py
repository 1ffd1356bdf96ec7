"""Raw facts in, verdict out: a tenant parsed, compiled and decided as if it stood in a file, once per distinct facts.

Everything that is said of such a tenant is what `parse_tenant`, `compile_policy` and `decide` say of it, so a fleet and
a workspace cannot disagree.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.engine.decide import decide
from workbench.errors import CompileError, Finding, TenantError
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.schema import WORKLOAD_FIELDS
from workbench.rulebook.tenant import Workload, parse_tenant
from workbench.whatif.fleet.cells import key_of
from workbench.whatif.fleet.side import Side

STAND_IN: Final = "z9q7-this-stands-for-the-id-of-whichever-tenant-it-was-made-4x2v"
"""As long as an id may be, so that a reason which has room for it has room for every id."""
_ELLIPSIS: Final = "…"
KEPT: Final = 65_536
"""Most verdicts that one judge remembers."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What tenants of one combination of facts get."""

    winner: int = -1
    """The place in the catalog, -1 for nobody."""
    survivors: int = 0
    providers: int = 0
    policy: str | None = None
    """The fingerprint; None where there is no policy."""
    reasons: tuple[str, ...] = ()
    """Why there is none, `STAND_IN` for the tenant's id."""
    unreadable: bool = False
    """Whether the tenant itself could not be read; else tenant and rulebook give no policy."""
    assumed_no_log: bool = False
    """Whether `no_log` was not stated in so many words, and so holds."""


class Judge:
    """The verdicts of one side. Safe to share between threads."""

    def __init__(self, side: Side, workload: Workload) -> None:
        self.side = side
        self.workload = workload
        self._lock = threading.Lock()
        self._known: dict[Any, Verdict] = {}
        self._decided: dict[str, tuple[int, int, int]] = {}

    @property
    def policies(self) -> int:
        """How many distinct policies were decided, of late where there are very many."""
        return len(self._decided)

    def verdict(self, raw: Mapping[str, Any]) -> Verdict:
        """The verdict on raw values by field; a field that is not there is not stated."""
        key = tuple([(name, key_of(value)) for name, value in raw.items()])
        known = self._known.get(key)
        if known is None:
            with self._lock:
                if len(self._known) >= KEPT:
                    self._known.clear()
                known = self._known[key] = self._decide(raw)
        return known

    def reasons(self, raw: Mapping[str, Any], verdict: Verdict, tenant_id: str) -> tuple[str, ...]:
        """Why this very tenant has no policy."""
        if any(_ELLIPSIS in reason for reason in verdict.reasons):
            with self._lock:
                return self._decide(raw, tenant_id).reasons
        return tuple(reason.replace(STAND_IN, tenant_id) for reason in verdict.reasons)

    def _decide(self, raw: Mapping[str, Any], tenant_id: str = STAND_IN) -> Verdict:
        side = self.side
        try:
            tenant = parse_tenant(
                self._document(raw, tenant_id), source="<fleet>", text=None, schema=side.rulebook.schema,
                file_id=tenant_id, workload=self.workload,
            )  # fmt: skip
        except TenantError as error:
            return Verdict(reasons=_errors(error.findings), unreadable=True)
        assumed = any(finding.code == "no_log" for finding in tenant.findings)
        try:
            compiled = compile_policy(tenant, side.rulebook, side.catalog.vocabulary, envelope=side.envelope)
        except CompileError as error:
            return Verdict(reasons=_errors(error.findings), assumed_no_log=assumed)
        encoding = compiled.policy.encoding
        known = self._decided.get(encoding)
        if known is None:
            if len(self._decided) >= KEPT:
                self._decided.clear()
            known = self._decided[encoding] = self._outcome(compiled.policy)
        winner, survivors, providers = known
        return Verdict(winner, survivors, providers, compiled.policy.fingerprint, assumed_no_log=assumed)

    def _outcome(self, policy: Any) -> tuple[int, int, int]:
        """Winner, survivors and providers, those that are down left out."""
        side = self.side
        decision = decide(policy, side.pool, side.context)
        candidates = side.catalog.candidates
        if not side.down:
            winner = -1 if decision.winner is None else decision.winner
            return winner, decision.survivors, len({candidates[place]["provider_id"] for place in decision.order})
        up = [place for place in decision.order if candidates[place]["provider_id"] not in side.down]
        survivors = sum(candidates[place]["provider_id"] not in side.down for place in decision.survivor_indices)
        return up[0] if up else -1, survivors, len({candidates[place]["provider_id"] for place in up})

    def _document(self, raw: Mapping[str, Any], tenant_id: str) -> dict[str, Any]:
        fields = self.side.rulebook.schema.fields
        stated = {**raw, **self.side.facts}
        facts = {name: stated[name] for name in fields if stated.get(name) is not None}
        workload = {name: stated[name] for name in WORKLOAD_FIELDS if stated.get(name) is not None}
        found: dict[str, Any] = {"id": tenant_id, "facts": facts}
        if workload:
            found["workload"] = workload
        found.update({name: raw[name] for name in ("title", "note") if raw.get(name) is not None})
        return found


def _errors(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    return tuple(finding.reason for finding in findings if finding.severity == "error")
