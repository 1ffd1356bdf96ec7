"""Where each clause of a policy came from: clause, rule, tenant facts, as content that is stored once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, cast

from workbench.boundary import strict_json
from workbench.errors import DocumentError, Finding
from workbench.language.admission import Admitted, Term, check
from workbench.language.signature import Version
from workbench.language.vocabulary import Vocabulary
from workbench.rulebook.clause import Clause, named
from workbench.rulebook.compile import Compiled
from workbench.traces.parts.words import Digest

_POLICY_BEFORE: Final = "The request's own policy"
"""The title of what was stored as a tenant's own clause before such clauses had an origin of their own."""


@dataclass(frozen=True, slots=True)
class Source:
    """One clause, and what put it there."""

    id: str
    slot: str
    shown: str
    """Canonical clause text, every `$name` resolved."""
    text: str
    """As written."""
    rule: str | None
    rule_title: str
    origin: str
    facts: tuple[tuple[str, Any], ...]
    """The tenant's facts behind it."""
    term: Term | None
    """None where the clause is off."""

    @property
    def filters(self) -> bool:
        """Whether it is a filter clause in force."""
        return self.slot == "filter" and self.term is not None

    @property
    def named(self) -> str:
        """The rule behind it, or the word that stands for one: that of the answer."""
        origin = "policy" if self.origin == "own" and self.rule_title == _POLICY_BEFORE else self.origin
        return named(self.rule, origin, self.id)

    @property
    def document(self) -> dict[str, Any]:
        """As it is stored: clause, rule, facts."""
        facts = [{"name": name, "value": value} for name, value in self.facts]
        return {
            "id": self.id, "slot": self.slot, "clause": self.shown, "text": self.text, "rule": self.rule,
            "rule_title": self.rule_title, "origin": self.origin, "facts": facts, "term": self.term,
        }  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """Every clause of one policy: filters in shown order, then the slots."""

    clauses: tuple[Source, ...]

    @classmethod
    def of(cls, compiled: Compiled) -> Sources:
        """The sources of a compiled policy."""
        return cls(tuple(_source(clause) for clause in (*compiled.clauses, *compiled.slots.values())))

    @classmethod
    def read(cls, data: bytes) -> Sources:
        """The sources whose content this is. Raises `DocumentError` where it is none."""
        return cls.from_document(strict_json.loads(data, source="stored sources", max_bytes=64 * 1024 * 1024))

    @classmethod
    def from_document(cls, wire: object) -> Sources:
        """The inverse of `document`, and of `told`."""
        try:
            return cls(tuple(_read(row) for row in cast("list[dict[str, Any]]", wire)))
        except (KeyError, TypeError, AttributeError) as error:
            finding = Finding(f"{type(error).__name__}: {error}", "trace_content")
            raise DocumentError("stored sources cannot be read", [finding]) from None

    @cached_property
    def document(self) -> list[dict[str, Any]]:
        """The stored form."""
        return [source.document for source in self.clauses]

    @property
    def told(self) -> list[dict[str, Any]]:
        """The form that people and programs get: `rule` is always a word; `rule_id` null where no rule is behind it."""
        return [{**source.document, "rule": source.named, "rule_id": source.rule} for source in self.clauses]

    @cached_property
    def content(self) -> bytes:
        """The canonical bytes."""
        return strict_json.canonical(self.document)

    @cached_property
    def content_sha256(self) -> Digest:
        """The name under which the content is stored."""
        return Digest(sha256(self.content).hexdigest())

    @property
    def filters(self) -> tuple[Source, ...]:
        """The filter clauses in force, aligned with `Verdicts.failed`."""
        return tuple(source for source in self.clauses if source.filters)

    def terms(self, vocabulary: Vocabulary, version: Version) -> tuple[Admitted, ...]:
        """The filter clauses in force, admitted anew under a vocabulary. Raises `AdmissionError`."""
        return tuple(
            check(source.term, vocabulary, version=version, sort="Pred") for source in self.clauses if source.filters
        )


def _source(clause: Clause) -> Source:
    return Source(
        clause.id, clause.slot, clause.shown, clause.text, clause.rule_id, clause.rule_title, clause.origin,
        tuple((name, list(value) if isinstance(value, tuple) else value) for name, value in clause.facts),
        None if clause.term is None else clause.term.normal,
    )  # fmt: skip


def _read(row: dict[str, Any]) -> Source:
    return Source(
        row["id"], row["slot"], row["clause"], row["text"], row["rule_id" if "rule_id" in row else "rule"],
        row["rule_title"], row["origin"],
        tuple((fact["name"], fact["value"]) for fact in row["facts"]), row["term"],
    )  # fmt: skip
