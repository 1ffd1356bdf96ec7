"""The sample workspace as the tests read it: its rulebook, its tenants, and the catalog that it names."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from workbench.boundary import guarded_toml
from workbench.catalog import Catalog, load_catalog
from workbench.engine.pool import Pool
from workbench.rulebook.rulebook import Rulebook, parse_rulebook
from workbench.rulebook.tenant import Tenant, parse_tenant

HERE = Path(__file__).parents[2]
FOLDER = HERE / "sample_tenants"


@cache
def catalog() -> Catalog:
    """The catalog of the sample."""
    return load_catalog(HERE / "catalogs" / "2026-11.json")


@cache
def pool() -> Pool:
    """Its offers."""
    return Pool(catalog().candidates, catalog().vocabulary)


@cache
def rulebook() -> Rulebook:
    """The sample's rulebook."""
    text = (FOLDER / "rulebook.toml").read_text(encoding="utf-8")
    document = guarded_toml.loads(text.encode(), source="rulebook.toml")
    return parse_rulebook(document, source="rulebook.toml", text=text, vocabulary=catalog().vocabulary)


@cache
def tenants() -> dict[str, Tenant]:
    """The sample's tenants by id."""
    found: dict[str, Tenant] = {}
    for path in sorted((FOLDER / "tenants").glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        document = guarded_toml.loads(text.encode(), source=path.name)
        who = parse_tenant(document, source=path.name, text=text, schema=rulebook().schema, file_id=path.stem)
        found[who.id] = who
    return found
