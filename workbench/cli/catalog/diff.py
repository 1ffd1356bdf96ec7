"""`workbench catalog diff`: what is new, gone and different between two catalogs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from workbench.catalog import Catalog, Fact, load_catalog
from workbench.catalog.changes import Changes, FactChange, changes
from workbench.catalog.facts import FactValue
from workbench.cli import diagnostics
from workbench.cli.catalog.source import named_path
from workbench.cli.invocation import Invocation, declare, limit_option
from workbench.cli.output import counted, number
from workbench.cli.shapes import catalog_json
from workbench.cli.usage import suggestion
from workbench.cli.whatif.answers import check_form, show
from workbench.whatif.report import Report, Sheet, plain

SHOWN = 40


@declare("diff", "Show what differs between two catalogs, fact by fact.")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--fact", "names", multiple=True, metavar="NAME", help="Only this fact, as `price_in`; repeatable.")
@limit_option(SHOWN, "Most rows of each table; 0 is all. JSON and CSV have them all.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values: a line per change.")
def command(
    invocation: Invocation, old: str, new: str, names: tuple[str, ...], limit: int, as_csv: bool
) -> int:  # fmt: skip
    """Show the offers that are new or gone from OLD to NEW, and every fact with another value, with source and date.

    OLD and NEW are packaged catalogs by name, or files. Offers are the same where provider, served model and region
    are. Exit code 1 where anything differs.
    """
    check_form(invocation, as_csv=as_csv)
    found = changes(load_catalog(named_path(old)), load_catalog(named_path(new)))
    _check(found, names)
    if names:
        found = found.only(names)
    show(invocation, _report(found, limit), as_csv=as_csv)
    return diagnostics.OK if found.same else diagnostics.FINDINGS


def _check(found: Changes, names: tuple[str, ...]) -> None:
    """Raises `UsageError` for a fact that neither catalog has."""
    if not names:
        return
    known = {fact.name for catalog in (found.old, found.new) for k in range(len(catalog)) for fact in catalog.facts(k)}
    for name in names:
        if name not in known:
            hint = suggestion(name, sorted(known)) or "`workbench catalog facts OFFER` shows their names"
            raise diagnostics.usage(f"no offer has a fact `{name}`", hint=hint, code="unknown_fact")


def _report(found: Changes, limit: int) -> Report:
    told = (
        f"{counted(len(found.added), 'offer')} new, {len(found.removed)} gone, {len(found.changed)} changed, "
        f"{len(found.pairs) - len(found.changed)} the same"
    )
    lines = [told]
    if found.by_fact:
        lines.append("facts: " + ", ".join(f"{name} {count}" for name, count in found.by_fact.items()))
    if found.redated:
        lines.append(f"the same from another source or day: {counted(found.redated, 'fact')}")
    rows = list(_rows(found))
    return Report(
        title=f"{found.old.name} ({found.old.date}) -> {found.new.name} ({found.new.date})",
        lines=tuple(lines),
        sheets=tuple(_sheets(found, rows, limit)),
        table=Sheet("", ("offer", "change", "fact", "before", "after", "unit", *_ORIGIN), tuple(_csv(found))),
        document=_document(found),
    )


_ORIGIN = ("source_before", "date_before", "source_after", "date_after")


def _rows(found: Changes) -> Iterator[tuple[str, ...]]:
    for offer in found.changed:
        for place, fact in enumerate(offer.facts):
            (_, was), (source, now) = _dated(fact.before), _dated(fact.after)
            yield (
                offer.offer if place == 0 else "", fact.name, _words(fact.before), was or "-", _words(fact.after),
                now or "-", source or "-",
            )  # fmt: skip


def _sheets(found: Changes, rows: list[tuple[str, ...]], limit: int) -> Iterator[Sheet]:
    for title, catalog, places in (("new", found.new, found.added), ("gone", found.old, found.removed)):
        if places:
            offers = [_offer(catalog, index) for index in places]
            yield Sheet(*_cut(title, offers, limit, ("offer", "model", "$/M in", "$/M out", "source", "as of")))
    if rows:
        headings = ("offer", "fact", "before", "as of", "after", "as of now", "source now")
        yield Sheet(*_cut("changed", rows, limit, headings))


def _cut(
    title: str, rows: list[tuple[str, ...]], limit: int, headings: tuple[str, ...]
) -> tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]:
    shown = rows if limit == 0 else rows[:limit]
    more = f": the first {len(shown)} of {len(rows)} lines, --limit 0 shows all" if len(shown) < len(rows) else ""
    return f"{title}{more}", headings, tuple(shown)


def _offer(catalog: Catalog, index: int) -> tuple[str, ...]:
    offer = catalog.offers[index]
    source = catalog.sources.get(offer.source)
    prices = ("?" if price is None else number(price) for price in (offer.price_in, offer.price_out))
    return catalog.offer_id(index), offer.model, *prices, source.title if source else offer.source, offer.date


def _words(fact: Fact | None) -> str:
    value = None if fact is None else fact.value
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else number(value, digits=12)


def _csv(found: Changes) -> Iterator[tuple[str, ...]]:
    nothing = ("",) * 8
    for index in found.added:
        yield found.new.offer_id(index), "added", *nothing
    for index in found.removed:
        yield found.old.offer_id(index), "removed", *nothing
    for offer in found.changed:
        for fact in offer.facts:
            known = fact.after or fact.before
            origins = (*_dated(fact.before), *_dated(fact.after))
            values = (_value(side.value if side else None) for side in (fact.before, fact.after))
            yield offer.offer, "changed", fact.name, *values, known.unit if known else "", *origins


def _dated(fact: Fact | None) -> tuple[str, str]:
    return ("", "") if fact is None else (fact.source, fact.date)


def _value(value: FactValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else plain(value)


def _document(found: Changes) -> dict[str, Any]:
    return {
        "old": catalog_json(found.old),
        "new": catalog_json(found.new),
        "same": found.same,
        "unchanged": len(found.pairs) - len(found.changed),
        "redated": found.redated,
        "added": [_offer_json(found.new, index) for index in found.added],
        "removed": [_offer_json(found.old, index) for index in found.removed],
        "by_fact": dict(found.by_fact),
        "changed": [
            {
                "offer": change.offer,
                "offer_before": found.old.offer_id(change.old_index),
                "facts": [_fact(fact) for fact in change.facts],
            }
            for change in found.changed
        ],
    }


def _offer_json(catalog: Catalog, index: int) -> dict[str, Any]:
    offer = catalog.offers[index]
    return {
        "offer": catalog.offer_id(index), "provider": offer.provider, "model_family": offer.model,
        "served_model_id": offer.served_model_id, "region": offer.region, "price_in": offer.price_in,
        "price_out": offer.price_out, "source": offer.source, "date": offer.date,
    }  # fmt: skip


def _fact(change: FactChange) -> dict[str, Any]:
    known = change.after or change.before
    return {
        "fact": change.name,
        "unit": known.unit if known is not None else "",
        **{side: _side(fact) for side, fact in (("before", change.before), ("after", change.after))},
    }


def _side(fact: Fact | None) -> dict[str, Any] | None:
    if fact is None:
        return None
    return {"value": fact.value, "source": fact.source, "date": fact.date, "note": fact.note}
