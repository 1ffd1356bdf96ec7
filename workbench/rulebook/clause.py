"""One clause of a compiled policy, with everything that put it there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from workbench.language.admission import Admitted
from workbench.rulebook.reader import Slot
from workbench.rulebook.schema import Fact, facts_json

Origin = Literal["rule", "override", "own", "default", "profile", "policy"]
"""`profile`: of a named policy of the workspace; `policy`: of a policy that came with a request."""

ENVELOPE: Final = "envelope"
"""The id of the clause that stands for a host's own predicate."""
REQUEST: Final = "request"
"""The id of the clause that stands for what a call asks for itself."""
_AROUND: Final = frozenset((ENVELOPE, REQUEST))


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause for one tenant."""

    id: str
    """`RULE` or `RULE.2` for a rule's filters, `RULE.rank` for a slot, an override's id for the tenant's own."""
    slot: Slot
    text: str
    """As written, with its `$names`."""
    shown: str
    """Canonical clause text, every `$name` resolved; the text as written where the clause is off and does not read."""
    term: Admitted | None
    """None where the clause is off."""
    rule_id: str | None
    rule_title: str
    facts: tuple[tuple[str, Fact], ...]
    """The tenant's facts behind it: those that `when` names, then those that the text names."""
    origin: Origin
    enabled: bool = True
    replaced_text: str | None = None
    """What an override stands in for: the rule's text."""
    index: int = 1
    """Which clause of its slot it is in its rule, from 1."""
    place: int = 0
    """Where it stands among its rule's clauses, from 0."""
    note: str = ""

    @property
    def rule(self) -> str:
        """The rule behind it.

        `own` for the tenant's own; `default` or `envelope` for what holds for everyone; `request` for what a call asks
        for itself, `policy` for a part of its own policy, `profile` for one of the profile that it named.
        """
        return named(self.rule_id, self.origin, self.id)

    @property
    def is_envelope(self) -> bool:
        """Whether it is the host's own predicate, and no clause that a tenant gave the same id."""
        return self.id == ENVELOPE and self.origin == "default"

    def as_document(self) -> dict[str, Any]:
        """It by name, for programs, with the rule and the facts that put it there."""
        return {
            "id": self.id,
            "slot": self.slot,
            "clause": self.shown,
            "text": self.text,
            "term": None if self.term is None else self.term.normal,
            "rule": self.rule,
            "rule_title": self.rule_title,
            "origin": self.origin,
            "enabled": self.enabled,
            "facts": facts_json(self.facts),
            "replaces": self.replaced_text,
        }


def named(rule_id: str | None, origin: str, clause_id: str) -> str:
    """The word for the rule behind a clause; answers, lists and traces all say this one."""
    if rule_id is not None:
        return rule_id
    return clause_id if origin == "default" and clause_id in _AROUND else origin
