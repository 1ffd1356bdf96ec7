"""`workbench catalog show`: the offers, filtered by a clause."""

from __future__ import annotations

from typing import Any

import click

from workbench.catalog import Catalog
from workbench.cli import diagnostics
from workbench.cli.catalog.source import chosen_catalog
from workbench.cli.invocation import Invocation, declare
from workbench.cli.layout import Table
from workbench.cli.output import dollars, number
from workbench.cli.shapes import catalog_json
from workbench.cli.usage import suggestion
from workbench.engine.context import Context
from workbench.engine.explain import mask
from workbench.engine.pool import Pool
from workbench.language.admission import check
from workbench.language.clause_text import parse_pred

SHOWN = 40
"""Rows of a table where no limit is given; JSON has them all."""


@declare("show", "List the offers.")
@click.option("--catalog", "name", metavar="NAME|FILE", help="Another catalog than the workspace's.")
@click.option("--filter", "clause", metavar="CLAUSE", help="Only what passes it: `region = eu and price_out <= 5`.")
@click.option("--provider", metavar="NAME", help="Only offers of one provider.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help=f"At most N; 0 is all. Tables show {SHOWN}.")
def command(
    invocation: Invocation, name: str | None, clause: str | None, provider: str | None, limit: int | None
) -> int:
    """List the catalog's offers in its order. Prices in USD per million tokens; `?` is unknown."""
    catalog = chosen_catalog(invocation, name)
    found = _of_provider(catalog, provider, _passing(catalog, clause))
    default = len(found) if invocation.as_json else SHOWN
    shown = found[: len(found) if limit == 0 else default if limit is None else limit]
    if invocation.as_json:
        rows = [_row(catalog, index) for index in shown]
        invocation.output.document({"catalog": catalog_json(catalog), "total": len(found), "offers": rows})
        return diagnostics.OK
    invocation.output.heading(f"{catalog.name}, {catalog.date}: {len(found)} of {len(catalog)} offers")
    invocation.output.table(_table(catalog, shown))
    invocation.output.more(len(found) - len(shown))
    return diagnostics.OK


def _passing(catalog: Catalog, clause: str | None) -> list[int]:
    if clause is None:
        return list(range(len(catalog)))
    term = parse_pred(clause, catalog.vocabulary).term
    pred = check(term, catalog.vocabulary, sort="Pred")
    held = mask(pred, Pool(catalog.candidates, catalog.vocabulary), Context())
    return [index for index in range(len(catalog)) if held[index]]


def _of_provider(catalog: Catalog, provider: str | None, found: list[int]) -> list[int]:
    if provider is None:
        return found
    if provider not in catalog.providers:
        hint = suggestion(provider, catalog.providers) or f"it has {', '.join(sorted(catalog.providers))}"
        raise diagnostics.usage(f"the catalog has no provider `{provider}`", hint=hint, code="unknown_provider")
    return [index for index in found if catalog.offers[index].provider == provider]


def _row(catalog: Catalog, index: int) -> dict[str, Any]:
    offer = catalog.offers[index]
    candidate = catalog.candidates[index]
    return {
        "offer": catalog.offer_id(index),
        "provider": offer.provider,
        "model_family": offer.model,
        "served_model_id": offer.served_model_id,
        "region": offer.region,
        "tier": candidate.get("tier"),
        "price_in": offer.price_in,
        "price_out": offer.price_out,
        "context": offer.capabilities.context,
        "no_log": offer.no_log,
        "bench_intelligence": candidate.get("bench_intelligence"),
        "source": offer.source,
        "date": offer.date,
    }


def _table(catalog: Catalog, shown: list[int]) -> Table:
    rows = [_cells(_row(catalog, index)) for index in shown]
    headings = ("offer", "model", "region", "$/M in", "$/M out", "context", "intelligence", "keeps no log", "as of")
    return Table(headings, rows, frozenset(("$/M in", "$/M out", "context", "intelligence")))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    no_log = {True: "yes", False: "no"}.get(row["no_log"], "?")
    return (
        row["offer"], row["model_family"], row["region"] or "?", dollars(row["price_in"]), dollars(row["price_out"]),
        number(row["context"], digits=9), number(row["bench_intelligence"]), no_log, row["date"],
    )  # fmt: skip
