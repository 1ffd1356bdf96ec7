"""An edited rulebook or tenant as TOML text: the user's own file with only the changed places changed.

Uses tomlkit, which keeps comments, order and white space. Slow to load, so imported when something is saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any, cast

import tomlkit

from workbench.boundary import strict_json
from workbench.errors import DocumentError
from workbench.rulebook.reader import SLOTS
from workbench.rulebook.rule import Rule, RuleClause
from workbench.rulebook.rulebook import Rulebook
from workbench.rulebook.tenant import Override, Tenant


def rulebook_text(text: str, before: Rulebook, after: Rulebook) -> str:
    """`text`, which says `before`, changed so that it says `after`: rules' clauses, switches and order."""
    document: Any = tomlkit.parse(text)
    if before.default_rule != after.default_rule:
        table = document.setdefault("defaults", tomlkit.table())
        _change_rule(table, before.default_rule, after.default_rule)
    tables: Any = document.get("rule")
    known = {rule.id: rule for rule in before.rules}
    by_id = {str(table["id"]): table for table in tables or ()}
    for rule in after.rules:
        if rule.id in known and rule != known[rule.id]:
            _change_rule(by_id[rule.id], known[rule.id], rule)
    order = [rule.id for rule in after.rules if rule.id in known]
    if order != [rule.id for rule in before.rules]:
        _reorder(tables, order)
    return tomlkit.dumps(document)


def tenant_text(text: str, before: Tenant, after: Tenant) -> str:
    """`text`, which says `before`, changed so that it says `after`: facts and overrides."""
    document: Any = tomlkit.parse(text)
    if before.facts != after.facts:
        facts = document.setdefault("facts", tomlkit.table())
        for name in before.facts:
            if name not in after.facts:
                facts.pop(name, None)
        for name, value in after.facts.items():
            if before.facts.get(name) != value or name not in before.facts:
                facts[name] = list(value) if isinstance(value, tuple) else value
    if before.overrides != after.overrides:
        _change_overrides(document, before.overrides, after.overrides)
    return tomlkit.dumps(document)


def _change_rule(table: Any, before: Rule, after: Rule) -> None:
    if before.enabled != after.enabled:
        table["enabled"] = after.enabled
    old, new = _filters(before), _filters(after)
    if old != new:
        _put_filters(table, old, new)
    for slot in SLOTS[1:]:
        was = next((clause for clause in before.clauses if clause.slot == slot), None)
        now = next((clause for clause in after.clauses if clause.slot == slot), None)
        if now is None and slot in table:
            del table[slot]
        elif now is not None and now != was:
            table[slot] = _clause_value(now, table.get(slot))


def _filters(rule: Rule) -> list[RuleClause]:
    return [clause for clause in rule.clauses if clause.slot == "filter"]


def _put_filters(table: Any, before: Sequence[RuleClause], after: Sequence[RuleClause]) -> None:
    """The filters of a rule's table changed in place, entry by entry, so that the others keep their lines."""
    if len(after) == 1 and "filters" not in table:
        table["filter"] = _clause_value(after[0], table.get("filter"))
    elif "filters" in table:
        _change_entries(table["filters"], before, after)
    else:
        many: Any = tomlkit.array()
        if "filter" in table:
            many.append(table["filter"])
        _change_entries(many, before, after)
        many.multiline(multiline=len(many) > 1)
        if "filter" in table:
            _rename(table, "filter", "filters", many)
        else:
            table["filters"] = many


def _change_entries(entries: Any, before: Sequence[RuleClause], after: Sequence[RuleClause]) -> None:
    changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for kind, first, last, start, end in reversed(changes):
        if kind == "equal":
            continue
        both = min(last - first, end - start)
        for k in range(both):
            entries[first + k] = _clause_value(after[start + k], entries[first + k])
        for _ in range(last - first - both):
            del entries[first + both]
        for k in range(both, end - start):
            entries.insert(first + k, _clause_value(after[start + k], None))


def _rename(table: Any, old: str, new: str, value: Any) -> None:
    """Another key at the same place of the table."""
    rest = [(key, table[key]) for key in list(table) if key != old]
    place = list(table).index(old)
    for key in list(table):
        del table[key]
    for key, known in [*rest[:place], (new, value), *rest[place:]]:
        table[key] = known


def _clause_value(clause: RuleClause, known: Any) -> Any:
    """The clause as TOML; what stood there is kept where it says the same text, a JSON term as an array."""
    stood: Any = cast("dict[str, Any]", known).get("text") if isinstance(known, dict) else known
    text: Any = stood if _says(stood, clause.text) else _written(clause.text)
    if clause.enabled:
        return text
    inline: Any = tomlkit.inline_table()
    inline.update({"text": text, "enabled": False})
    return inline


def _says(stood: Any, text: str) -> bool:
    if isinstance(stood, list):
        return text.startswith("[") and strict_json.dumps(_plain(stood)) == text
    return stood is not None and str(stood) == text


def _written(text: str) -> Any:
    if text.startswith("["):
        try:
            return tomlkit.item(strict_json.loads(text))
        except (DocumentError, ValueError, TypeError):
            return text
    return text


def _plain(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value


def _reorder(tables: Any, order: Sequence[str]) -> None:
    by_id = {str(table["id"]): table for table in tables}
    while len(tables):
        del tables[0]
    for rule_id in order:
        tables.append(by_id[rule_id])


def _change_overrides(document: Any, before: Sequence[Override], after: Sequence[Override]) -> None:
    same = {override.id: override for override in before}
    tables: list[Any] = list(document.get("override") or ())
    kept = {override.id: table for override, table in zip(before, tables, strict=True)}
    document.pop("override", None)
    if not after:
        return
    many: Any = tomlkit.aot()
    for override in after:
        if same.get(override.id) == override:
            many.append(kept[override.id])
        else:
            many.append(_override_table(override))
    document["override"] = many


def _override_table(override: Override) -> Any:
    table = tomlkit.table()
    table["id"] = override.id
    if override.rule is not None:
        table["rule"] = override.rule
    if override.index != 1:
        table["index"] = override.index
    if override.text is not None:
        table[override.slot] = override.text
    elif override.slot != "filter":
        table["slot"] = override.slot
    if override.off:
        table["off"] = True
    if override.note:
        table["note"] = override.note
    return table
