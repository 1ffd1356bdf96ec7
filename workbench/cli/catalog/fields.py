"""`workbench catalog fields`: the names that clauses may use, and what each means."""

from __future__ import annotations

from typing import Any

import click

from workbench.cli import diagnostics
from workbench.cli.catalog.source import chosen_catalog
from workbench.cli.invocation import Invocation, declare
from workbench.cli.layout import Table
from workbench.cli.output import number
from workbench.cli.shapes import catalog_json, finite
from workbench.language.vocabulary import Category, Field


@declare("fields", "List the fields that clauses may name.")
@click.option("--catalog", "name", metavar="NAME|FILE", help="Another catalog than the workspace's.")
def command(invocation: Invocation, name: str | None) -> int:
    """List what clauses may name: number and yes-or-no fields, and categories with their values."""
    catalog = chosen_catalog(invocation, name)
    fields = [field for field in catalog.vocabulary.fields.values() if field.category is None]
    categories = list(catalog.vocabulary.categories.values())
    if invocation.as_json:
        invocation.output.document(
            {
                "catalog": catalog_json(catalog),
                "fields": [_field_json(field) for field in catalog.vocabulary.fields.values()],
                "categories": [_category_json(category) for category in categories],
                "benchmarks": dict(catalog.benchmark_versions),
            }
        )
        return diagnostics.OK
    rows = [(f.name, _SORTS[f.sort], f.unit or "-", _default(f), f.group, f.meaning) for f in fields]
    rows += [(c.name, "one of", ", ".join(c.values), "unknown", c.group, c.meaning) for c in categories]
    invocation.output.table(Table(("name", "sort", "unit or values", "if unknown", "of", "meaning"), rows))
    return diagnostics.OK


_SORTS = {"Num": "number", "Bool": "yes or no"}


def _default(field: Field) -> str:
    if isinstance(field.default, bool):
        return "yes" if field.default else "no"
    return number(field.default)


def _field_json(field: Field) -> dict[str, Any]:
    """The four keys of the public host first; an infinite default is null, as JSON has none."""
    default = field.default if isinstance(field.default, bool) else finite(field.default)
    return {
        "name": field.name,
        "sort": field.sort,
        "group": field.group,
        "core": field.core,
        "default": default,
        "unit": field.unit,
        "meaning": field.meaning,
        "category": field.category,
        "value": field.value,
    }


def _category_json(category: Category) -> dict[str, Any]:
    return {
        "name": category.name,
        "values": list(category.values),
        "meaning": category.meaning,
        "group": category.group,
    }
