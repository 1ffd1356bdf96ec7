"""The record of one decision (LANGUAGE.md 13): `Trace`, and `QuietTrace` for a tenant whose text is never kept.

A `QuietTrace` has no field that could hold free text: digests, ids of one shape, closed words, numbers, places in a
catalog. What names and rules mean stands in the contents that the digests name (`Material`): policy, sources, catalog,
state and verdicts, none of which comes from a request's or an answer's text. Both kinds are enough to decide again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, TypeAlias

from workbench.boundary import strict_json
from workbench.boundary.sealed import sealed
from workbench.engine.context import Context
from workbench.engine.decision import Decision
from workbench.engine.fallback import Finished
from workbench.language.admission import Admitted
from workbench.language.signature import Version
from workbench.rulebook.compile import Compiled
from workbench.rulebook.tenant import Tenant
from workbench.traces.parts.asked import Asked, asked_of, known_state, request_of, state_wire
from workbench.traces.parts.catalogs import KeptCatalog
from workbench.traces.parts.sources import Sources
from workbench.traces.parts.steps import QuietStep, Step, steps_of
from workbench.traces.parts.verdicts import Verdicts, verdicts_of
from workbench.traces.parts.words import CostBasis, Digest, Ending, Fingerprint, Identifier, Whose, new_id

KINDS: Final = ("catalog", "policy", "sources", "state", "verdicts")
"""The contents that a trace names, as a store calls them."""
SCHEMA: Final = 1
"""Of the record, in the store and in exported JSON."""


@sealed
class Usage:
    """What the call used and cost."""

    tokens_in: float | None = None
    tokens_out: float | None = None
    tokens_cached: float | None = None
    cost_usd: float | None = None
    cost_basis: CostBasis | None = None
    first_token_ms: float | None = None
    tokens_per_s: float | None = None


@sealed
class Exchange:
    """The text of a call: what was asked and what came back, as JSON values. Only a `Trace` can hold one."""

    request: Any = None
    response: Any = None


@dataclass(frozen=True, slots=True)
class About:
    """What a record says of its making."""

    rulebook_sha256: str
    time_ms: int
    trace_id: Identifier | None = None
    """None: a new one."""
    emulated: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What both kinds of record begin with."""

    trace_id: Identifier
    time_ms: int
    """Milliseconds since 1970 by the wall clock, for people; the store's sequence numbers order traces."""
    tenant: Whose
    policy_version: Version
    policy_fingerprint: Fingerprint
    policy_sha256: Digest
    catalog_sha256: Digest
    population_sha256: Digest
    """Of the stored candidates and vocabulary (`KeptCatalog`)."""
    rulebook_sha256: Digest
    sources_sha256: Digest
    state_sha256: Digest
    verdicts_sha256: Digest
    asked: Asked
    seed: float | None
    emulated: bool
    """Whether the calls go to the emulator."""


@sealed
class Result:
    """How it ended."""

    outcome: Ending
    chosen: int | None
    """The offer that answered; without a call, the winner."""
    total_latency_ms: float | None = None
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class QuietTrace:
    """The record of a decision whose text is never kept: no field of it can hold any."""

    head: Head
    result: Result | None = None
    """None until it has ended."""
    steps: tuple[QuietStep, ...] = ()

    @property
    def no_log(self) -> bool:
        """Always true."""
        return True


@dataclass(frozen=True, slots=True)
class Trace:
    """The record of a decision whose text may be kept."""

    head: Head
    result: Result | None = None
    """None until it has ended."""
    steps: tuple[Step, ...] = ()
    exchange: Exchange | None = None

    @property
    def no_log(self) -> bool:
        """Always false."""
        return False


AnyTrace: TypeAlias = Trace | QuietTrace


@dataclass(frozen=True)
class Material:
    """The contents that a record names by digest; each is stored once, however many records name it."""

    catalog: KeptCatalog
    policy: Admitted
    sources: Sources
    state: Mapping[str, Any]
    verdicts: Verdicts

    @cached_property
    def policy_content(self) -> bytes:
        """The policy as JSON: its version and its normal form."""
        return strict_json.canonical({"version": self.policy.version, "policy_ir": self.policy.normal})

    @cached_property
    def digests(self) -> dict[str, Digest]:
        """The name of each content, by the head's own words for it."""
        return {
            "policy": Digest(self.policy.identity),
            "population": self.catalog.content_sha256,
            "sources": self.sources.content_sha256,
            "state": Digest(sha256(self.state_content).hexdigest()),
            "verdicts": self.verdicts.content_sha256,
        }

    @cached_property
    def names(self) -> dict[str, str]:
        """The same by the kind that a store keeps each content under."""
        found = self.digests
        return {kind: str(found["population" if kind == "catalog" else kind]) for kind in KINDS}

    @cached_property
    def key(self) -> tuple[str, ...]:
        """All of the names: what tells these contents from any others."""
        return tuple(self.names[kind] for kind in KINDS)

    @cached_property
    def state_content(self) -> bytes:
        """The canonical bytes of the state."""
        return strict_json.canonical(state_wire(self.state))


@dataclass(frozen=True)
class Record:
    """A trace and the contents it names."""

    trace: AnyTrace
    material: Material
    sequence: int | None = None
    """Its place among the store's traces; None until it is stored."""

    @property
    def context(self) -> Context:
        """A context that decides as the original one did."""
        head = self.trace.head
        return Context(request_of(head.asked, self.material.catalog), self.material.state, head.seed)


def make_trace(
    tenant: Tenant,
    compiled: Compiled,
    catalog: KeptCatalog,
    context: Context,
    decision: Decision,
    finished: Finished | None = None,
    *,
    about: About,
) -> Record:
    """The record of one decision; `finished` where its call is over already, else see `finish`.

    Quiet for a `no_log` tenant and for a request whose `privacy` is `no_log`. The same arguments give the same record.
    Raises `DocumentError` for a tenant id that is none.
    """
    asked = asked_of(context, catalog)
    state = known_state(context.state, catalog)
    clauses = [clause.term for clause in compiled.clauses if clause.slot == "filter" and clause.term is not None]
    verdicts = verdicts_of(decision, clauses, catalog.pool, context)
    material = Material(catalog, compiled.policy, Sources.of(compiled), state, verdicts)
    head = Head(
        trace_id=about.trace_id or new_id(),
        time_ms=about.time_ms,
        tenant=Whose(tenant.id),
        policy_version=compiled.policy.version,
        policy_fingerprint=Fingerprint(compiled.policy.fingerprint),
        catalog_sha256=catalog.sha256,
        rulebook_sha256=Digest(about.rulebook_sha256),
        **{f"{name}_sha256": digest for name, digest in material.digests.items()},
        asked=asked,
        seed=context.seed,
        emulated=about.emulated,
    )
    record = Record(QuietTrace(head) if tenant.no_log or asked.quiet else Trace(head), material)
    return record if finished is None else finish(record, finished)


def finish(
    record: Record,
    finished: Finished,
    *,
    usage: Usage | None = None,
    exchange: Exchange | None = None,
    total_latency_ms: float | None = None,
    no_log: bool = False,
) -> Record:
    """The record with how its call ended. A quiet one drops `exchange` and every message, and `no_log` makes it quiet.

    A record that was made quiet stays quiet, whatever the tenant's file says by now.
    """
    verdicts = record.material.verdicts
    steps = steps_of(finished.path, verdicts.order, record.material.catalog)
    latency = total_latency_ms
    if latency is None:
        latency = sum((step.quiet.latency_ms or 0.0) + (step.quiet.backoff_ms or 0.0) for step in steps)
    result = Result(Ending(finished.outcome), finished.index, latency, usage or Usage())
    if no_log or isinstance(record.trace, QuietTrace):
        trace: AnyTrace = QuietTrace(record.trace.head, result, tuple(step.quiet for step in steps))
    else:
        trace = Trace(record.trace.head, result, steps, exchange)
    return replace(record, trace=trace)


def settle(record: Record) -> Record:
    """The record of a decision that no call follows: `decided`, or `no_candidates`."""
    winner = record.material.verdicts.winner
    result = Result(Ending("no_candidates" if winner is None else "decided"), winner)
    return replace(record, trace=replace(record.trace, result=result))
