"""A clause being typed: which one, for whom, the text so far, and the edit it amounts to. Runs without a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from workbench.errors import ClauseError, WorkbenchError
from workbench.language.clause_text import Completion, complete
from workbench.language.clause_text.completion import EditorKind
from workbench.rulebook.clause import Clause
from workbench.session.edits import AddClause, Edit, EditClause
from workbench.session.session import Preview
from workbench.session.state import WorkspaceState
from workbench.session.targets import Scope

KINDS: dict[str, EditorKind] = {
    "filter": "pred",
    "rank": "scorer",
    "select": "selection",
    "fallback": "fallback",
    "transform": "transform",
}
"""What the clause language calls the text of a slot."""


@dataclass(frozen=True)
class Draft:
    """An edit in the making."""

    tenant_id: str
    clause: Clause | None
    """The clause being edited; None for a new one."""
    text: str
    scope: Scope
    after: str | None = None
    """For a new clause: the one it goes below."""
    after_rule: str | None = None
    """For a new clause: the rule of that one."""
    preview: Preview | None = None
    """What the newest text would do."""

    @property
    def rule_id(self) -> str | None:
        """The rule that the edit is in where it is for the rule; None for the tenant's own clauses."""
        return self.clause.rule_id if self.clause is not None else self.after_rule

    @property
    def slot(self) -> str:
        return "filter" if self.clause is None else self.clause.slot

    @property
    def changed(self) -> bool:
        """Whether it says anything else than the clause does now."""
        return bool(self.text.strip()) if self.clause is None else self.text != start_text(self.clause)

    @property
    def edit(self) -> Edit:
        """What pressing enter would do."""
        if self.clause is None:
            return AddClause(self.tenant_id, self.text, self.scope, self.after)
        return EditClause(self.tenant_id, self.clause.id, self.scope, self.text)

    @property
    def error(self) -> WorkbenchError | None:
        """What is wrong with the newest text."""
        return self.preview.error if self.preview else None

    @property
    def touched(self) -> tuple[str, ...]:
        """Tenants that the edit is about."""
        return self.preview.touched if self.preview else ()

    def typed(self, text: str) -> Draft:
        """The same edit with other text; what it would do is not known yet."""
        return replace(self, text=text, preview=None)

    def scoped(self, scope: Scope) -> Draft:
        """The same edit for others."""
        return replace(self, scope=scope, preview=None)

    def seen(self, preview: Preview) -> Draft:
        """The same edit, and what it would do."""
        return replace(self, preview=preview)

    @property
    def error_column(self) -> int | None:
        """0-based place of the error in the text."""
        return min(self.error.column, len(self.text)) if isinstance(self.error, ClauseError) else None

    @property
    def error_words(self) -> str:
        """What is wrong, what could stand there instead, and what was perhaps meant."""
        error = self.error
        if error is None:
            return ""
        finding = error.findings[0] if error.findings else None
        expected = list(error.expected) if isinstance(error, ClauseError) else []
        said = finding.reason if finding else error.title
        hint = finding.hint if finding else None
        if expected and (finding is None or "expected" not in said):
            shown = ", ".join(expected[:4])
            said = f"expected {shown}" if not hint else said
        return f"{said}; {hint}" if hint else said


def scope_for(clause: Clause, scope: Scope) -> Scope:
    """Whom an edit of a clause is for where edits are for `scope`: what is the tenant's own text stays the tenant's."""
    return "tenant" if clause.origin in ("own", "override") else scope


def open_draft(tenant_id: str, clause: Clause, scope: Scope = "rule") -> Draft:
    """Begin to edit a clause."""
    return Draft(tenant_id, clause, start_text(clause), scope_for(clause, scope))


def new_draft(tenant_id: str, after: Clause | None, scope: Scope = "tenant") -> Draft:
    """Begin a new filter clause below another one: in that one's rule, or for the tenant."""
    has_rule = after is not None and after.rule_id is not None
    return Draft(
        tenant_id,
        None,
        "",
        scope if has_rule else "tenant",
        after.id if after else None,
        after.rule_id if after else None,
    )


def start_text(clause: Clause) -> str:
    """The text that an edit starts from: words, unless only the JSON spelling keeps a `$name`."""
    text = clause.text.strip()
    return clause.shown if text.startswith("[") and "$" not in text else text


def completions(draft: Draft, cursor: int, state: WorkspaceState) -> tuple[Completion, ...]:
    """What could stand at the cursor."""
    values: Mapping[str, Sequence[str]] = state.catalog.values
    bindings = tuple(state.rulebook.schema.fields)
    kind = KINDS[draft.slot]
    return complete(draft.text, cursor, state.vocabulary, values=values, kind=kind, bindings=bindings)
