"""`workbench catalog facts`: everything known of one offer, each fact with its source and its age."""

from __future__ import annotations

from dataclasses import asdict

import click

from workbench.catalog import Fact
from workbench.cli import diagnostics
from workbench.cli.catalog.source import chosen_catalog
from workbench.cli.completion import complete_offer
from workbench.cli.invocation import Invocation, declare
from workbench.cli.layout import Table
from workbench.cli.output import number
from workbench.cli.shapes import catalog_json


@declare("facts", "Show all that is known of one offer, with its sources.")
@click.argument("offer", shell_complete=complete_offer)
@click.option("--catalog", "name", metavar="NAME|FILE", help="Another catalog than the workspace's.")
def command(invocation: Invocation, offer: str, name: str | None) -> int:
    """Show every fact of OFFER with unit, source and date; `?` is what nobody says."""
    catalog = chosen_catalog(invocation, name)
    index = catalog.find(offer)
    facts = catalog.facts(index)
    if invocation.as_json:
        body = {
            "catalog": catalog_json(catalog),
            "offer": catalog.offer_id(index),
            "facts": [asdict(fact) for fact in facts],
        }
        invocation.output.document(body)
        return diagnostics.OK
    invocation.output.heading(catalog.offer_id(index))
    rows = [(f.name, _value(f), f.unit or "-", f.date or "-", f.source or "-", f.note or "-") for f in facts]
    invocation.output.table(Table(("fact", "value", "unit", "as of", "source", "note"), rows))
    return diagnostics.OK


def _value(fact: Fact) -> str:
    if fact.value is None:
        return "?"
    if isinstance(fact.value, bool):
        return "yes" if fact.value else "no"
    return fact.value if isinstance(fact.value, str) else number(fact.value, digits=12)
