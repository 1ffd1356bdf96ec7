"""From sigma-pol/v1 to v2, with a report of everything that no longer means the same (LANGUAGE 1, 5, 6.5).

What v2 can say it is made to say. Where v2 observes something else, the nearest term is written and a finding tells the
difference. A filter is never loosened in silence: one that v2 cannot state is an admission error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, get_args

from workbench.errors import AdmissionError, Finding, Place
from workbench.language.admission import Admitted, Term, check
from workbench.language.refusal import Refusal
from workbench.language.signature import OPS, SORTS, V1, V2
from workbench.language.vocabulary import Vocabulary

Code = Literal["composite", "evidence", "field", "requirements"]
CODES: Final[tuple[str, ...]] = get_args(Code)
"""Every code that a finding of `migrate` can carry; all are warnings."""

_STATE_FIRST: Final = ("price_in", "price_out")
_STATE_ONLY: Final = ("latency_ms", "tok_s", "success_rate")
_QUALITY: Final = ("quality", "quality_hint")


def _speed() -> Term:
    """v1's with its default `max_latency_ms` of 5000."""
    return ["clamp", 0, 1, ["neg", ["scale", 0.0002, ["field", "latency_ms"]]]]


def _cost() -> Term:
    """v1's with its default estimates, 1,000 tokens in and 500 out, and its default `max_cost_usd` of 0.01."""
    prices = ["add", ["scale", 0.1, ["field", "price_in"]], ["scale", 0.05, ["field", "price_out"]]]
    return ["clamp", 0, 1, ["neg", prices]]


def _free_credit() -> Term:
    return ["gate", ["cmp", "credits", "ge", 1], ["lit", 1]]


def _partner() -> Term:
    return ["add", ["gate", ["tier_eq", "partner"], ["lit", 1]], ["gate", ["tier_eq", "marketplace"], ["lit", 0.5]]]


_COMPOSITES: Final[dict[str, tuple[Callable[[], Term], str]]] = {
    "speed": (
        _speed,
        (
            "`speed` becomes 1 - latency_ms / 5000: the request's `max_latency_ms` no longer counts, and an unknown "
            "latency gives 0 where it gave 0.5"
        ),
    ),
    "cost": (
        _cost,
        (
            "`cost` becomes 1 - the cost of 1,000 tokens in and 500 out / 0.01 USD: the request's own estimates and "
            "`max_cost_usd` no longer count, and an unknown price gives 0 where it counted as free"
        ),
    ),
    "free_credit": (
        _free_credit,
        "`free_credit` becomes `credits` >= 1: the state's `free_credit_threshold_usd` no longer counts",
    ),
    "partner": (_partner, "`partner` is written out as two gates on the tier; it means the same"),
}


class _Rewrite:
    """One walk over an admitted v1 source."""

    def __init__(self, vocabulary: Vocabulary, quality_field: str | None) -> None:
        self.vocabulary = vocabulary
        self.quality = quality_field
        self.found: dict[tuple[Code, str], Finding] = {}

    def say(self, code: Code, reason: str, path: str, hint: str | None = None) -> None:
        """Each difference once, at the first place that has it."""
        self.found.setdefault((code, reason), Finding(reason, code, Place(path=path), hint, "warning"))

    def term(self, term: Term, path: str) -> Term:
        op = term[0]
        if op in _COMPOSITES:
            make, reason = _COMPOSITES[op]
            self.say("composite", reason, path)
            return make()
        if op == "quality":
            return self.composite_quality(path)
        if op == "meets_req":
            reason = (
                "`min_tok_s` of the request is compared with the candidate's `tok_s`, no longer with the measured one"
            )
            self.say("requirements", reason, path)
        return [op, *self.arguments(term, path)]

    def arguments(self, term: Term, path: str) -> list[Any]:
        op = OPS[term[0]]
        args = term[1:]
        kinds = op.args * len(args) if op.variadic else op.arguments(V1)
        places = [f"{path}.{op.name}[{index}]" for index in range(1, len(args) + 1)]
        if op.sort == "Policy":
            if args[0] != ["ev_zero"]:
                self.say("evidence", "evidence has no place in v2; it never affected a decision", places[0])
            kinds, args, places = kinds[1:], args[1:], places[1:]
        made: list[Any] = []
        for kind, arg, place in zip(kinds, args, places, strict=True):
            if kind in SORTS:
                made.append(self.term(arg, place))
            else:
                made.append(self.field(arg, place) if kind == "NumField" else arg)
        return made

    def field(self, name: str, path: str) -> str:
        if name in _STATE_FIRST:
            self.say("field", f"`{name}` is the candidate's own first, the measured average second", path)
        elif name in _STATE_ONLY:
            self.say("field", f"`{name}` is the candidate's own, no longer the measured average", path)
        elif name in _QUALITY and self.quality is not None:
            self.say("field", f"`{name}` becomes `{self.quality}`; mind the scale of what it is compared with", path)
            return self.quality
        elif name == "quality" and name in self.vocabulary.numbers:
            self.say("field", "`quality` is the catalog's field, no longer the last measured quality", path)
        return name

    def composite_quality(self, path: str) -> Term:
        name = self.quality or next((known for known in _QUALITY if known in self.vocabulary.numbers), None)
        if name is None:
            hint = "name a benchmark field to rank by instead"
            self.say("composite", "v2 observes no quality: `quality` becomes 0.5 for everyone", path, hint)
            return ["lit", 0.5]
        self.say(
            "composite", f"`quality` becomes `{name}`, held between 0 and 1; unknown gives the field's default", path
        )
        return ["clamp", 0, 1, ["field", name]]


def migrate(
    admitted: Admitted, vocabulary: Vocabulary, *, quality_field: str | None = None
) -> tuple[Admitted, tuple[Finding, ...]]:
    """A v1 term as v2, and what changed in meaning (warnings, with their places in the v1 source).

    `quality_field` is the number field that stands in for v1's quality. A v2 term comes back as it is. Raises
    `ValueError` for a term of evidence, `AdmissionError` where v2 cannot say it (a filter on an undeclared quality).
    """
    if admitted.version == V2:
        return admitted, ()
    if admitted.sort == "Evidence":
        raise ValueError("evidence has no place in v2")
    if quality_field is not None and quality_field not in vocabulary.numbers:
        unknown = Refusal("field", f"undeclared field '{quality_field}'", "the stand-in for quality is a number field")
        raise AdmissionError("not migrated", (unknown.finding(),))
    rewrite = _Rewrite(vocabulary, quality_field)
    term = rewrite.term(admitted.source, "$")
    return check(term, vocabulary, version=V2), tuple(rewrite.found.values())
