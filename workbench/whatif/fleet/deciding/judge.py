"""Raw facts in, verdict out: a tenant parsed, compiled and decided as if it stood in a file, once per distinct facts.

Everything that is said of such a tenant is what `parse_tenant`, `compile_policy` and `decide` say of it, so a fleet and
a workspace cannot disagree.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from workbench.engine.decide import decide
from workbench.errors import AdmissionError, CompileError, DocumentError, Finding, TenantError
from workbench.language.admission import Admitted
from workbench.language.encoding import fingerprint
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.plan import Plan
from workbench.rulebook.rulebook import Rulebook
from workbench.rulebook.schema import WORKLOAD_FIELDS
from workbench.rulebook.tenant import Tenant, Workload, parse_tenant
from workbench.whatif.fleet.deciding.cells import key_of
from workbench.whatif.fleet.side import Side

STAND_IN: Final = "z9q7-this-stands-for-the-id-of-whichever-tenant-it-was-made-4x2v"
"""As long as an id may be, so that a reason which has room for it has room for every id."""
_ELLIPSIS: Final = "…"
_LOCK: Final = threading.Lock()
"""Readers, plans and pools are not made to be shared; one thread at a time decides, all of them spread the answers."""
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
    """The policy's encoding, which tells policies apart; None where there is none."""
    reasons: tuple[str, ...] = ()
    """Why there is none, `STAND_IN` for the tenant's id."""
    unreadable: bool = False
    """Whether the tenant itself could not be read; else tenant and rulebook give no policy."""
    assumed_no_log: bool = False
    """Whether `no_log` was not stated in so many words, and so holds."""

    @property
    def fingerprint(self) -> str | None:
        """The policy's."""
        return None if self.policy is None else fingerprint_of(self.policy)


@lru_cache(maxsize=KEPT)
def fingerprint_of(encoding: str) -> str:
    """The fingerprint of a policy's encoding, made when somebody looks at it: what is only counted needs none."""
    return fingerprint(encoding.encode())


Key = tuple[tuple[str, Any], ...]


def key_of_facts(raw: Mapping[str, Any]) -> Key:
    """What raw facts are remembered by."""
    return tuple([(name, key_of(value)) for name, value in raw.items()])


@dataclass(frozen=True, slots=True)
class Twin:
    """The verdicts under a rulebook that differs from another in some rules: whom those give the same keeps his."""

    differing: tuple[tuple[Plan, Plan], ...]
    """Of each rule that differs, how it is read there and here."""
    known: dict[Key, Verdict]

    @classmethod
    def of(cls, there: Rulebook, here: Rulebook, known: dict[Key, Verdict]) -> Twin | None:
        """None where the rulebooks differ in more than texts and conditions of the same rules."""
        if there.reader is not here.reader or len(there.plans) != len(here.plans):
            return None
        pairs = list(zip(there.plans, here.plans, strict=True))
        if any(a.rule.id != b.rule.id or a.rule.overrides != b.rule.overrides for a, b in pairs):
            return None
        return cls(tuple((a, b) for a, b in pairs if a is not b), known)

    def verdict_on(self, key: Key, tenant: Tenant, here: Rulebook) -> Verdict | None:
        """The verdict under the other rulebook, where every differing rule gives this tenant the same clauses."""
        verdict = self.known.get(key)
        if verdict is None or verdict.policy is None:
            return None
        facts = tenant.bindings()
        try:
            for before, after in self.differing:
                given = after.clauses(facts, here.reader)
                if given is None or given != before.clauses(facts, here.reader):
                    return None
        except (AdmissionError, DocumentError):
            return None
        return verdict


class Judge:
    """The verdicts of one side. Safe to share between threads."""

    def __init__(self, side: Side, workload: Workload, others: Iterable[Judge] = ()) -> None:
        """`others` share with it what they have read and decided, where that would be the same."""
        self.side = side
        self.workload = workload
        self._known: dict[Key, Verdict] = {}
        self._tenants: dict[Key, Tenant | Verdict] = {}
        self._decided: dict[str, tuple[int, int, int]] = {}
        self._twin: Twin | None = None
        for other in others:
            if other._reads_alike(side, workload):
                self._tenants = other._tenants
            if other._decides_alike(side):
                self._decided = other._decided
                if self._tenants is other._tenants and other.side.envelope is side.envelope:
                    self._twin = Twin.of(other.side.rulebook, side.rulebook, other._known) or self._twin

    def _reads_alike(self, side: Side, workload: Workload) -> bool:
        mine = self.side
        same = mine.rulebook.schema is side.rulebook.schema and mine.facts == side.facts
        return same and self.workload == workload

    def _decides_alike(self, side: Side) -> bool:
        mine = self.side
        return mine.catalog is side.catalog and mine.context == side.context and mine.down == side.down

    def verdict(self, raw: Mapping[str, Any], key: Key | None = None) -> Verdict:
        """The verdict on raw values by field; a field that is not there is not stated. `key` is `key_of_facts(raw)`."""
        if key is None:
            key = key_of_facts(raw)
        known = self._known.get(key)
        if known is None:
            with _LOCK:
                if len(self._known) >= KEPT:
                    self._known.clear()
                known = self._known[key] = self._decide(raw, key)
        return known

    def reasons(self, raw: Mapping[str, Any], verdict: Verdict, tenant_id: str) -> tuple[str, ...]:
        """Why this very tenant has no policy."""
        if any(_ELLIPSIS in reason for reason in verdict.reasons):
            with _LOCK:
                return self._decide(raw, None, tenant_id).reasons
        return tuple(reason.replace(STAND_IN, tenant_id) for reason in verdict.reasons)

    def policy(self, raw: Mapping[str, Any]) -> Admitted:
        """The policy of raw facts. Raises `TenantError` or `CompileError` where there is none."""
        with _LOCK:
            tenant = self._parse(raw, STAND_IN)
            if isinstance(tenant, Verdict):
                raise TenantError("the tenant can't be read", [Finding(reason, "tenant") for reason in tenant.reasons])
            side = self.side
            compiled = compile_policy(tenant, side.rulebook, side.catalog.vocabulary, envelope=side.envelope)
        return compiled.policy

    def _decide(self, raw: Mapping[str, Any], key: Key | None, tenant_id: str = STAND_IN) -> Verdict:
        side = self.side
        tenant = self._tenants.get(key) if key is not None else None
        if tenant is None:
            tenant = self._parse(raw, tenant_id)
            if key is not None:
                if len(self._tenants) >= KEPT:
                    self._tenants.clear()
                self._tenants[key] = tenant
        if isinstance(tenant, Verdict):
            return tenant
        alike = None if self._twin is None or key is None else self._twin.verdict_on(key, tenant, side.rulebook)
        if alike is not None:
            return alike
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
        return Verdict(winner, survivors, providers, encoding, assumed_no_log=assumed)

    def _parse(self, raw: Mapping[str, Any], tenant_id: str) -> Tenant | Verdict:
        try:
            return parse_tenant(
                self._document(raw, tenant_id), source="<fleet>", text=None, schema=self.side.rulebook.schema,
                file_id=tenant_id, workload=self.workload,
            )  # fmt: skip
        except TenantError as error:
            return Verdict(reasons=_errors(error.findings), unreadable=True)

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
