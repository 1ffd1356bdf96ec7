"""One trace as lines: what it is, the ladder of attempts, the verdict of a replay, who was ranked and who kept out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.session.tracing.asking import shown_time
from workbench.session.tracing.rows import marks
from workbench.session.tracing.verdict import Verdict
from workbench.session.tracing.whole import ANSWERED, DISABLED, FAILED, UNKNOWN, WAITED, Rung, Whole
from workbench.tui import wording
from workbench.tui.widgets.drawing import Cell, Line, fit, shorten, spread, wrap
from workbench.tui.work.traces.table import outcome_cell

STYLES: Mapping[str, str] = {ANSWERED: "good", FAILED: "bad", WAITED: "muted", DISABLED: "warn", UNKNOWN: "warn"}
MOST = 300
"""Differences that are listed; the command has them all."""
LABEL = 10


@dataclass(frozen=True)
class Opened:
    """A trace that is being read."""

    whole: Whole
    verdict: Verdict
    """Over its own catalog, or over the workspace's present one."""
    fields: bool = False
    """Whether the verdict is shown field by field."""
    present: bool = False
    """Whether it was to be over the workspace's present catalog."""


def lines(opened: Opened, width: int, query: str = "") -> list[Line]:
    """Everything, for a width; `query` narrows the offers that are listed."""
    found: list[Line] = [*_head(opened.whole, width)]
    for title, part in (
        ("what happened", _ladder(opened.whole, width)),
        ("decided again", _verdict(opened, width)),
        (_ranked_title(opened.whole), _ranked(opened.whole, width, query)),
        (_rejected_title(opened.whole), _rejected(opened.whole, width, query)),
        ("where each clause comes from", _sources(opened.whole, width)),
    ):
        rows = list(part)
        if rows:
            found += [(), [Cell(title, "title")], *rows]
    return found


def _head(whole: Whole, width: int) -> Iterator[Line]:
    row = whole.row
    told = [Cell(f"  {mark}", "warn") for mark in marks(row)]
    yield [Cell(f"{row.tenant}  ", "strong"), outcome_cell(row), *told]
    yield _labelled("time", f"{shown_time(row.time_ms)} UTC", width)
    for name, value in whole.facts:
        yield _labelled(name, value, width)
    for sentence in whole.lacks:
        yield from ([Cell(line, "warn")] for line in wrap(sentence, width))


def _labelled(name: str, value: str, width: int) -> Line:
    return [Cell(fit(name, LABEL), "label"), Cell(shorten(value, max(1, width - LABEL)))]


def _ladder(whole: Whole, width: int) -> Iterator[Line]:
    for rung in whole.rungs:
        yield from _rung(rung, width)


def _rung(rung: Rung, width: int) -> Iterator[Line]:
    style = STYLES.get(rung.sign, "muted")
    took = "" if rung.took_ms is None else f"{rung.took_ms:,.0f} ms"
    left = [Cell(f"{fit(f'{rung.at_ms:,.0f} ms', 10, 'right')}  "), Cell(f"{rung.sign} ", style)]
    wait = rung.sign == WAITED
    yield spread(
        [*left, Cell(rung.words if wait else rung.offer or "-", "muted" if wait else "strong")],
        [Cell(f"{'waits ' if wait else ''}{took}", "muted")],
        width,
    )
    if not wait:
        yield from ([Cell(" " * 14), Cell(line, style)] for line in wrap(rung.words, max(10, width - 14)))
    if rung.message:
        yield from ([Cell(" " * 14), Cell(line, "muted")] for line in wrap(rung.message, max(10, width - 14)))


def _verdict(opened: Opened, width: int) -> Iterator[Line]:
    verdict = opened.verdict
    sign, style = ("=", "good") if verdict.same else ("x", "bad" if not verdict.other else "warn")
    for k, line in enumerate(wrap(verdict.sentence, max(10, width - 2))):
        yield [Cell(f"{sign} " if k == 0 else "  ", style), Cell(line, style)]
    if opened.present and not verdict.other:
        yield [Cell("  the workspace's present catalog is the one it was decided over", "muted")]
    if not opened.fields and verdict.same:
        yield [*_key("r", "field by field"), *_key("R", "over the workspace's present catalog")]
        return
    for compared in verdict.fields:
        yield [
            Cell("  = " if compared.same else "  x ", "good" if compared.same else "bad"),
            Cell(fit(compared.field, 12), ""),
            Cell(shorten(compared.words, max(1, width - 16)), "muted" if compared.same else "strong"),
        ]
    for difference in verdict.differences[:MOST]:
        told = f"{difference.field} {difference.offer or ''}: {_said(difference.before)} -> {_said(difference.after)}"
        yield [Cell("    "), Cell(shorten(told, max(1, width - 4)), "muted")]
    if len(verdict.differences) > MOST:
        yield [Cell(f"    … and {len(verdict.differences) - MOST} more", "faint")]


def _key(key: str, words: str) -> list[Cell]:
    return [Cell(f"  {key}", "key"), Cell(f" {words}  ", "muted")]


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return "-" if value is None else f"{value:.9g}" if isinstance(value, float) else str(value)


def _ranked_title(whole: Whole) -> str:
    return f"ranked: {len(whole.document['ranked'])} of {whole.document['population']}"


def _matches(row: Mapping[str, Any], query: str) -> bool:
    wanted = query.casefold()
    return not wanted or wanted in f"{row['offer']} {row['model_family']}".casefold()


def _ranked(whole: Whole, width: int, query: str) -> Iterator[Line]:
    for place, row in enumerate(whole.document["ranked"], 1):
        if _matches(row, query):
            score = row["score"]
            shown = wording.score(score) if isinstance(score, int | float) else str(score)
            prices = f"{wording.number(row['price_in'])} / {wording.number(row['price_out'])} $/M"
            left = [
                Cell(fit(str(place), 4, "right"), "muted"),
                Cell(f"  {row['offer']}", "strong" if place == 1 else ""),
            ]
            yield spread(left, [Cell(f"{prices}  {fit(shown, 6, 'right')}", "muted")], width)


def _rejected_title(whole: Whole) -> str:
    return f"rejected: {len(whole.document['rejected'])}, with every rule against each"


def _rejected(whole: Whole, width: int, query: str) -> Iterator[Line]:
    for row in whole.document["rejected"]:
        if _matches(row, query):
            yield [Cell("   x  ", "bad"), Cell(shorten(row["offer"], max(1, width - 6)), "muted")]
            for rule in row["rules"]:
                told = f"{rule['rule']}: {rule['subject']} is {rule['observed']}, needs {rule['needed']}"
                yield [Cell("        "), Cell(shorten(told, max(1, width - 8)), "faint")]


def _sources(whole: Whole, width: int) -> Iterator[Line]:
    for source in whole.document["sources"]:
        facts = ", ".join(f"{fact['name']} = {fact['value']}" for fact in source["facts"])
        left = [Cell(fit(source["slot"], LABEL), "label"), Cell(source["clause"] or source["text"])]
        yield spread(left, [Cell(f"{source['rule']}{f' because {facts}' if facts else ''}", "muted")], width)
