"""`workbench catalog import`: a catalog made from published price lists and our own stated facts."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import click

from workbench.catalog import build_catalog
from workbench.catalog.importers import litellm
from workbench.catalog.importers.document import Import, import_catalog, to_bytes
from workbench.catalog.models import Source
from workbench.cli import diagnostics
from workbench.cli.documents import STREAM, write_result
from workbench.cli.invocation import FilePath, Invocation, declare
from workbench.cli.output import write
from workbench.cli.shapes import catalog_json

INSTALLED = "installed"
NOTE = "Made by `workbench catalog import`."


def _day(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        raise click.BadParameter(f"`{value}` is no day, write YYYY-MM-DD") from None


@declare("import", "Make a catalog from published price lists.")
@click.option("--litellm", "prices", metavar="FILE|installed", help="LiteLLM's price map; `installed`: the package's.")
@click.option("--modelsdev", metavar="FILE", type=FilePath(path_type=Path), help="The `api.json` of models.dev.")
@click.option("--out", required=True, metavar="FILE", help="Where the catalog goes; - is stdout.")
@click.option("--name", metavar="NAME", help="What the catalog is called; else the file's name.")
@click.option("--date", "day", callback=_day, metavar="DAY", help="The day it stands for, YYYY-MM-DD; else today.")
@click.option("--since", callback=_day, default="2025-01-01", show_default=True, metavar="DAY", help="No older models.")
@click.option("--force", is_flag=True, help="Replace a file that says something else.")
def command(
    invocation: Invocation, prices: str | None, modelsdev: Path | None, out: str, name: str | None, day: str | None,
    since: str, force: bool,
) -> int:  # fmt: skip
    """Make a catalog from LiteLLM's price map, models.dev, or both; nothing is fetched.

    The result is read back before it is written; the same sources and date give the same bytes.
    """
    today = day or datetime.now(UTC).date().isoformat()
    path, source = _prices(prices, today)
    called = name or (today[:7] if out == STREAM else Path(out).stem)
    order = Import(called, today, path, source, modelsdev, since=since, note=NOTE)
    done = import_catalog(order)
    data = to_bytes(done.document)
    catalog = build_catalog(done.document, source=out, text=data)
    findings = [*done.findings, *catalog.findings]
    if out == STREAM:
        write(data.decode())
        invocation.warn(findings)
        return diagnostics.OK
    state = write_result(Path(out), data, force=force)
    if invocation.as_json:
        told = [finding.as_document() for finding in findings]
        invocation.output.document({"catalog": catalog_json(catalog), "file": out, "state": state, "findings": told})
    else:
        invocation.output.line(f"{state} {out}: {len(catalog)} offers, {len(catalog.providers)} providers")
    invocation.warn(findings)
    return diagnostics.OK


def _prices(prices: str | None, today: str) -> tuple[Path | None, Source | None]:
    if prices != INSTALLED:
        return (None if prices is None else Path(prices)), None
    found = litellm.installed_map()
    if found is None:
        hint = "install it, or name the file of its price map"
        raise diagnostics.usage("the package `litellm` is not installed", hint=hint, code="not_installed")
    title = f"LiteLLM price map {metadata.version('litellm')}"
    return found, Source(title=title, date=today, licence="MIT")
