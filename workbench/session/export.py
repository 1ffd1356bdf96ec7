"""A tenant's policy as files: the policy as the public host downloads it, and beside it where every clause comes from.

The policy file holds `version`, `fingerprint` and `policy_ir` and nothing else. The sidecar names identity, catalog,
rulebook, the rule and the *names* of the facts behind each clause, and says in words what neither file holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from workbench.boundary import files, regular, strict_json
from workbench.errors import CompileError, FileRefused, Finding, Place
from workbench.language.vocabulary import Vocabulary
from workbench.rulebook.compile import Clause, Compiled
from workbench.session.evaluation import Outcome
from workbench.session.state import WorkspaceState

SIDECAR_SCHEMA = 1


@dataclass(frozen=True)
class Export:
    """The two files of one export, not yet written. Tenants of one policy share its file; each has a sidecar."""

    policy_document: dict[str, Any]
    sidecar: dict[str, Any]
    file_name: str
    sidecar_name: str
    warnings: tuple[Finding, ...]
    """What is odd about the policy: it leaves nobody here, or the public engine does not know all of it."""

    @cached_property
    def contents(self) -> dict[str, bytes]:
        """The bytes of each file by its name, the policy first: the same for the same policy and sources."""
        return {self.file_name: _text(self.policy_document), self.sidecar_name: _text(self.sidecar)}

    def clashes(self, folder: Path) -> tuple[Path, ...]:
        """Files in `folder` that a write would replace and that say something else.

        Raises `FileRefused` where a link, a pipe, a device or a folder stands there.
        """
        return tuple(folder / name for name, data in self.contents.items() if _differs(folder / name, data))

    def write(self, folder: Path) -> tuple[Path, ...]:
        """Write both files into `folder`, made where it is missing; a file that says the same already is left alone.

        Raises `FileRefused`; replaces what `clashes` names.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise regular.refused(folder, "made", error) from None
        for name, data in self.contents.items():
            regular.target_of(folder / name, follow_link=False)
            if not _same(folder / name, data):
                files.write_atomic(folder / name, data, follow_link=False)
        return tuple(folder / name for name in self.contents)


def export_of(state: WorkspaceState, outcome: Outcome) -> Export:
    """The export of one tenant's policy. Raises `CompileError` where it has none."""
    compiled = outcome.compiled
    if compiled is None:
        raise CompileError(f"tenant `{outcome.tenant.id}` has no policy", outcome.errors)
    policy = compiled.policy
    stem = f"sigma-pol-{policy.fingerprint}"
    document = {"version": policy.version, "fingerprint": policy.fingerprint, "policy_ir": policy.normal}
    warnings = tuple(_warnings(outcome, compiled))
    sidecar = {
        "schema": SIDECAR_SCHEMA,
        "policy_file": f"{stem}.json",
        "policy_file_sha256": sha256(_text(document)).hexdigest(),
        "version": policy.version,
        "fingerprint": policy.fingerprint,
        "identity": policy.identity,
        "tenant": outcome.tenant.id,
        "catalog": {"name": state.catalog.name, "date": state.catalog.date, "sha256": state.catalog.sha256},
        "rulebook": {"id": state.rulebook.id, "sha256": state.rulebook.sha256},
        "sources": [_source(clause) for clause in (*compiled.clauses, *compiled.slots.values()) if clause.term],
        "fields": list(_fields(policy.normal, state.vocabulary)),
        "not_included": list(_not_included(state, outcome, compiled)),
        "warnings": [finding.reason for finding in warnings],
    }
    return Export(document, sidecar, f"{stem}.json", f"{stem}.{outcome.tenant.id}.sources.json", warnings)


def _text(document: dict[str, Any]) -> bytes:
    return f"{strict_json.dumps(document, indent=2)}\n".encode()


def _same(path: Path, data: bytes) -> bool:
    if not path.exists() or path.stat().st_size != len(data):
        return False
    return files.read_bytes(path, max_bytes=len(data)) == data


def _differs(path: Path, data: bytes) -> bool:
    try:
        _, status = regular.target_of(path, follow_link=False)
        return status is not None and not _same(path, data)
    except OSError as error:
        raise regular.refused(path, "read", error) from None


def _source(clause: Clause) -> dict[str, Any]:
    return {
        "clause": clause.shown,
        "text": clause.text,
        "slot": clause.slot,
        "rule": clause.rule,
        "rule_title": clause.rule_title,
        "origin": clause.origin,
        "facts": [name for name, _ in clause.facts],
    }


def _fields(term: Any, vocabulary: Vocabulary) -> Iterator[dict[str, Any]]:
    """The declared fields that the policy names and that a host has to declare too, by name."""
    for name in sorted(_names(term, vocabulary)):
        field = vocabulary.fields[name]
        default = None if field.default in (float("inf"), float("-inf")) else field.default
        yield {"name": name, "sort": field.sort, "default": default, "meaning": field.meaning}


def _names(term: Any, vocabulary: Vocabulary) -> set[str]:
    if not isinstance(term, list) or not term:
        return set()
    items = cast("list[Any]", term)
    found = {name for item in items[1:] for name in _names(item, vocabulary)}
    if items[0] in {"is", "cmp", "field"} and items[1] in vocabulary.fields and not vocabulary.fields[items[1]].core:
        found.add(items[1])
    return found


def _uses(term: Any, operation: str) -> bool:
    if not isinstance(term, list) or not term:
        return False
    items = cast("list[Any]", term)
    return items[0] == operation or any(_uses(item, operation) for item in items[1:])


def _warnings(outcome: Outcome, compiled: Compiled) -> Iterator[Finding]:
    if outcome.winner is None:
        tenant = outcome.tenant.id
        hint = f"`workbench rank {tenant}` shows what each clause removes"
        reason = f"the policy of tenant `{tenant}` leaves no offer of this catalog"
        yield Finding(reason, "nobody", Place(outcome.tenant.source), hint, "warning")
    if _uses(compiled.policy.slot("select").normal, "prefer"):
        reason = "the policy uses `prefer`, which the public engine does not know and refuses"
        yield Finding(reason, "prefer", Place(path="$.policy[3]"), "run it on a host that knows it", "warning")


def _not_included(state: WorkspaceState, outcome: Outcome, compiled: Compiled) -> Iterator[str]:
    yield "the tenant's facts: sources name them, their values stand only where a clause resolved them"
    yield "the catalog: which offers there are and what they cost"
    yield "the rulebook: a later change of a rule does not reach this file"
    yield "keys, addresses and account data of providers"
    if outcome.tenant.no_log:
        yield "that the tenant is no_log: the policy picks the offers, the host itself has to keep no text"
    if state.envelope is not None:
        yield "the envelope by itself: it is and-ed into the policy"
    off = [clause.id for clause in compiled.clauses if clause.term is None]
    if off:
        yield f"clauses that are switched off: {', '.join(off)}"


def refuse_clashes(clashes: tuple[Path, ...]) -> FileRefused:
    """The error for files that say something else, each named."""
    hint = "replace it on purpose, or name another folder"
    found = [Finding("it exists and says something else", "exists", Place(str(path)), hint) for path in clashes]
    return FileRefused("nothing is overwritten", found)
