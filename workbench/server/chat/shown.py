"""A decision as its answers show it, written once: the same bytes go out with every call that it decides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from workbench.engine.context import Context
from workbench.engine.decide import when_well
from workbench.engine.decision import Decision
from workbench.engine.values import text
from workbench.rulebook.schema import NO_LOG
from workbench.rulebook.tenant import Tenant
from workbench.server.chat.subject import Subject
from workbench.server.exchange import dumps
from workbench.server.state import ServerState
from workbench.server.x.sourced import finite, rejected_rows, rules_against
from workbench.traces.record import About, make_trace
from workbench.traces.template import Template

MOST_RANKED: Final = 10


@dataclass(eq=False)
class Shown:
    """One decision for one subject."""

    state: ServerState
    subject: Subject
    decision: Decision
    context: Context
    """One of those it was made in; all of them decide the same."""
    _template: Template | None = None
    _quiet: Template | None = None
    _before: dict[bool, bytes] = field(default_factory=dict[bool, bytes])
    _who: dict[int | None, bytes] = field(default_factory=dict[int | None, bytes])

    def who(self, index: int | None) -> bytes:
        """`"provider":...,"price_out":...` of an offer; without one nobody answered."""
        known = self._who.get(index)
        if known is None:
            known = self._who[index] = dumps(self._offer(index))[1:-1]
        return known

    def _offer(self, index: int | None) -> dict[str, Any]:
        if index is None:
            return {"provider": None, "model_family": None, "served_model_id": None}
        row = self.state.kept.candidates[index]
        return {
            "provider": row["provider_id"],
            "model_family": row["model_family"],
            "served_model_id": row["served_model_id"],
            "served_by": text(row.get("served_by")) or row["provider_id"],
            "region": self.state.kept.regions[index],
            "price_in": row.get("price_in"),
            "price_out": row.get("price_out"),
        }

    @cached_property
    def out(self) -> tuple[int, ...]:
        """Of a decision that left nobody: who would be there if no provider were out."""
        return when_well(self.subject.policy, self.state.decisions.pool, self.context)

    @cached_property
    def ranked(self) -> bytes:
        """`"ranked":[...]`, cut to ten, `ranked_total` behind it where it was."""
        catalog, order = self.state.session.catalog, self.decision.order
        rows: list[dict[str, Any]] = []
        for index, score in zip(order[:MOST_RANKED], self.decision.scores[:MOST_RANKED], strict=True):
            row = catalog.candidates[index]
            rows.append(
                {
                    "provider_id": row["provider_id"],
                    "model_family": row["model_family"],
                    "tier": row.get("tier"),
                    "score": finite(score),
                    "served_model_id": row["served_model_id"],
                    "region": catalog.offers[index].region,
                }
            )
        written = b'"ranked":' + dumps(rows)
        return written + b',"ranked_total":%d' % len(order) if len(order) > MOST_RANKED else written

    @cached_property
    def rejected(self) -> bytes:
        """`"rejected":[...]`: who was turned away, the conforming reason, every rule with what it saw and needs."""
        state, sourced = self.state, self.subject.sourced
        return b'"rejected":' + dumps(
            rejected_rows(sourced, self.decision, state.session.catalog, state.kept.pool, self.context)
        )

    @cached_property
    def rejected_counts(self) -> bytes:
        """The same as counts by reason and by rule, for a caller that wants to read less."""
        reasons = [{"reason": reason, "count": count} for reason, count in self.reasons]
        rules = [{"rule": rule, "count": count} for rule, count in self.rules]
        total = sum(count for _, count in self.reasons)
        return b'"rejected":[],"rejected_total":%d,"rejected_by":%s,"rejected_rules":%s' % (
            total, dumps(reasons), dumps(rules),
        )  # fmt: skip

    @cached_property
    def rules(self) -> list[tuple[str, int]]:
        """How many each rule turned away, the most frequent first; several may turn the same one away."""
        return rules_against(self.subject.sourced, self.state.kept.pool, self.context)

    @cached_property
    def reasons(self) -> list[tuple[str, int]]:
        """How many each reason turned away, the most frequent first."""
        counted = Counter(rejection.reason for rejection in self.decision.rejected)
        return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))

    @cached_property
    def policy(self) -> bytes:
        """`"policy_fingerprint":...,"policy_term":...`: the term that was really evaluated."""
        policy = self.subject.policy
        return b'"policy_fingerprint":%s,"policy_term":%s' % (dumps(policy.fingerprint), dumps(policy.normal))

    def template(self, emulated: bool) -> Template:
        """What every trace of this decision has in common."""
        if self._template is None:
            self._template = self._made(self.subject.tenant, emulated)
        return self._template

    def quiet_template(self, emulated: bool) -> Template:
        """The same for a call that asks itself that nothing be kept."""
        if self._quiet is None:
            tenant = self.subject.tenant
            self._quiet = self._made(replace(tenant, facts={**tenant.facts, NO_LOG: True}), emulated)
        return self._quiet

    def _made(self, tenant: Tenant, emulated: bool) -> Template:
        about = About(self.state.rulebook_sha256, 0, emulated=emulated)
        return Template(
            make_trace(tenant, self.subject.compiled, self.state.kept, self.context, self.decision, about=about)
        )

    def trace(self, *, path: bytes, began_ms: int, latency_ms: float, compact: bool) -> bytes:
        """`decision_trace`."""
        before = self._before.get(compact)
        if before is None:
            rejected = self.rejected_counts if compact else self.rejected
            before = self._before[compact] = b'{%s,%s,"decision_path":' % (self.ranked, rejected)
        return b'%s%s,"started_at_ms":%d,"total_latency_ms":%d,%s}' % (
            before, path, began_ms, round(latency_ms), self.policy,
        )  # fmt: skip
