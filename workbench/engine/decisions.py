"""Decisions that are kept by everything they read, so that the same question is answered once.

A key holds the policy, the request's facts that it looks at, the host's state where it looks at any, and the seed where
it samples. The state goes by identity: whoever observes something new hands in a new mapping, as `Context` asks anyway,
and that mapping is kept alive beside the decision. One catalog per instance; nothing here is shared between threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.engine.context import Context
from workbench.engine.decide import EMPTY, decide
from workbench.engine.decision import Decision
from workbench.engine.pool import Pool
from workbench.engine.reference.predicates import needs
from workbench.language.admission import Admitted

KEPT: Final = 4_096
"""Most decisions kept; at 2,500 offers, half of them ranked, they take 90 MB."""
_LONGEST: Final = 2_048
"""Longer facts of a request are no key; such a decision is made anew."""
_NO_KEY: Final = "?" * (_LONGEST + 1)

_IMPLIED: Final = frozenset(("images", "tools", "response_format"))
"""Entries of a request that need something of a model without saying so."""
_BY_REQUEST: Final = frozenset(("meets_req", "speed", "cost"))
_BY_STATE: Final = frozenset((
    "quality", "speed", "cost", "free_credit", "meets_req",
    "credits", "breaker_open", "disabled", "price_in", "price_out", "latency_ms", "tok_s", "success_rate",
))  # fmt: skip
"""Operations and fields, of either version, that the state has a say in."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What a policy looks at beside the catalog."""

    requirements: bool
    scope: bool
    state: bool
    seed: bool

    @classmethod
    def of(cls, policy: Admitted) -> Reads:
        """What the filter, the ranking and the selector of a policy look at; rather too much than too little."""
        words = frozenset(_words(policy.normal[-5:-2]))
        return cls(
            not words.isdisjoint(_BY_REQUEST),
            "scope_matches" in words,
            not words.isdisjoint(_BY_STATE),
            "sample" in words,
        )


def _words(terms: list[Any]) -> Iterator[str]:
    for item in terms:
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            yield from _words(item)  # pyright: ignore[reportUnknownArgumentType]


Key = tuple[str, str, int, float | None]


class Decisions:
    """The decisions over one pool."""

    def __init__(self, pool: Pool, limit: int = KEPT) -> None:
        self.pool = pool
        self._limit = limit
        self._reads: dict[str, Reads] = {}
        self._kept: dict[Key, tuple[Decision, Mapping[str, Any]]] = {}

    def decide(self, policy: Admitted, context: Context = EMPTY) -> Decision:
        """What `decide` gives, read-only; raises as it does."""
        encoding = policy.encoding
        reads = self._reads.get(encoding)
        if reads is None:
            reads = self._learn(policy)
        request, state = context.request, context.state
        facts = _facts(reads, context) if request and (reads.requirements or reads.scope) else ""
        key = (encoding, facts, id(state) if state and reads.state else 0, context.seed if reads.seed else None)
        known = self._kept.get(key)
        return self._make(key, policy, context) if known is None else known[0]

    def _learn(self, policy: Admitted) -> Reads:
        if policy.sort != "Policy":
            return Reads(False, False, False, False)
        if len(self._reads) >= self._limit:
            self._reads.clear()
        reads = self._reads[policy.encoding] = Reads.of(policy)
        return reads

    def _make(self, key: Key, policy: Admitted, context: Context) -> Decision:
        decision = decide(policy, self.pool, context)
        if len(key[1]) > _LONGEST:
            return decision
        for array in (decision.order_array, decision.score_array, decision.codes):
            array.flags.writeable = False
        while len(self._kept) >= self._limit:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = decision, context.state
        return decision


def _facts(reads: Reads, context: Context) -> str:
    """The request's facts as text, which tells 1, 1.0 and true apart, and 0 from -0."""
    request = context.request
    asked = request.get("requirements") if reads.requirements else None
    implied = needs(context) if reads.requirements and not _IMPLIED.isdisjoint(request) else None
    try:
        if implied is None and not reads.scope and type(asked) is dict:
            return repr(asked)  # pyright: ignore[reportUnknownArgumentType]
        return repr((asked, implied, request.get("scope") if reads.scope else None))
    except (RecursionError, ValueError):  # too deep, or an integer of too many digits
        return _NO_KEY
