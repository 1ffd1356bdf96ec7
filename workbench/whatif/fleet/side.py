"""One world that a fleet is decided in: a rulebook, a catalog, an envelope, who is down, and facts set for everyone.

Owns how such a world is sent to another process: by content. The rulebook goes as the document it was read from, the
catalog as the population that a trace would keep, and both are read anew there, once per process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any, Final, cast

from workbench.catalog import Catalog
from workbench.engine.context import Context
from workbench.engine.pool import Pool
from workbench.errors import Finding, UsageError
from workbench.language.admission import Admitted, check
from workbench.rulebook.report import suggestion
from workbench.rulebook.rule import Rule
from workbench.rulebook.rulebook import Rulebook, document, parse_rulebook
from workbench.rulebook.schema import NO_LOG, WORKLOAD_FIELDS
from workbench.session.state import WorkspaceState
from workbench.traces.parts.catalogs import KeptCatalog, unpacked

_WORKLOAD: Final = WORKLOAD_FIELDS[:2]


@dataclass(frozen=True, eq=False)
class Side:
    """What tenants are decided under. Equal content gives equal decisions, in this process or another."""

    rulebook: Rulebook
    catalog: KeptCatalog
    envelope: Admitted | None = None
    context: Context = field(default_factory=Context)
    down: frozenset[str] = frozenset()
    """Providers that answer nobody: told to the policy as disabled, and passed over in the order where it asks not."""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Raw facts that replace what every tenant states."""

    @classmethod
    def of(cls, state: WorkspaceState) -> Side:
        """The world of a workspace as it is now; tenants' own overrides are no part of it."""
        return cls(state.rulebook, kept(state.catalog), state.envelope, state.context)

    @property
    def pool(self) -> Pool:
        """The offers to decide over; never the workspace's own pool, which another thread may be using."""
        return self.catalog.pool

    def without(self, providers: frozenset[str]) -> Side:
        """The same with these providers down. Raises `UsageError` for one that has no offer."""
        known = {str(candidate["provider_id"]) for candidate in self.catalog.candidates}
        for name in sorted(providers - known):
            hint = suggestion(name, sorted(known)) or "`workbench catalog show` lists them"
            raise UsageError(
                "no such provider",
                [Finding(f"no offer of the catalog is of provider `{name}`", "unknown_provider", hint=hint)],
            )
        state = dict(self.context.state)
        disabled = dict.fromkeys((*cast("Mapping[str, Any]", state.get("disabled") or {}), *sorted(providers)), True)
        context = replace(self.context, state={**state, "disabled": disabled})
        return replace(self, context=context, down=self.down | providers)

    def supposing(self, facts: Mapping[str, Any]) -> Side:
        """The same with these raw facts for every tenant."""
        return replace(self, facts={**self.facts, **facts})

    @cached_property
    def reads(self) -> frozenset[str]:
        """Every tenant field that a decision may depend on, the workload's among them."""
        found = {NO_LOG}
        for plan in self.rulebook.plans:
            if plan.rule.enabled:
                found.update(plan.needs)
        default = self.rulebook.default_rule
        if not default.enabled or not any(c.slot == "rank" and c.enabled for c in default.clauses):
            found.update(_WORKLOAD)  # what stands in for a default ranking that was switched off reads them
        return frozenset(found)

    @cached_property
    def _head(self) -> bytes:
        """All of it but the catalog."""
        wire = {
            "rulebook": rulebook_document(self.rulebook),
            "envelope": None if self.envelope is None else self.envelope.source,
            "state": self.context.state,
            "request": self.context.request,
            "seed": self.context.seed,
            "down": sorted(self.down),
            "facts": self.facts,
        }
        return json.dumps(wire).encode()  # in order: fields are told of in theirs

    @property
    def identity(self) -> str:
        """A name for all of it, by content."""
        return sha256(self._head + self.catalog.sha256.encode()).hexdigest()

    @cached_property
    def content(self) -> bytes:
        """All of it as bytes; `side_of` reads them back."""
        return self._head + b"\n" + self.catalog.blob

    def __reduce__(self) -> tuple[Any, ...]:
        return side_of, (self.content,)


@lru_cache(maxsize=8)
def side_of(content: bytes) -> Side:
    """The side whose `content` this is; the same object for the same bytes, so that a process reads it once."""
    head, _, blob = content.partition(b"\n")
    wire = cast("dict[str, Any]", json.loads(head))
    catalog = KeptCatalog.read(unpacked(blob))
    rulebook = parse_rulebook(wire["rulebook"], source="<fleet>", text=None, vocabulary=catalog.vocabulary)
    envelope = None
    if wire["envelope"] is not None:
        envelope = check(wire["envelope"], catalog.vocabulary, sort="Pred")
    context = Context(wire["request"], wire["state"], wire["seed"])
    return Side(rulebook, catalog, envelope, context, frozenset(wire["down"]), wire["facts"])


_KEPT: Final[dict[str, KeptCatalog]] = {}
_MOST_KEPT: Final = 4


def kept(catalog: Catalog) -> KeptCatalog:
    """The catalog as a population; the same object for the same content, so that its columns are built once."""
    known = _KEPT.get(catalog.sha256)
    if known is None:
        while len(_KEPT) >= _MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)), None)
        known = _KEPT[catalog.sha256] = KeptCatalog.of(catalog)
    return known


def rulebook_document(rulebook: Rulebook) -> dict[str, Any]:
    """The rulebook as a document that `parse_rulebook` reads back to an equal one."""
    said = document(rulebook)
    fields = {
        name: {key: value for key, value in known.items() if value not in (None, [], "")}
        for name, known in said["tenant"].items()
    }
    return {
        "id": rulebook.id, "title": rulebook.title, "note": rulebook.note, "benchmarks": dict(rulebook.benchmarks),
        "tenant": fields, "defaults": _clauses(rulebook.default_rule), "rule": [_rule(rule) for rule in rulebook.rules],
    }  # fmt: skip


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id, "title": rule.title, "when": rule.when, "overrides": rule.overrides, "enabled": rule.enabled,
        "note": rule.note, **_clauses(rule),
    }  # fmt: skip


def _clauses(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {"filters": []}
    for clause in rule.clauses:
        text = {"text": clause.text, "enabled": clause.enabled}
        if clause.slot == "filter":
            found["filters"].append(text)
        else:
            found[clause.slot] = text
    return found
