"""A workspace of its own for each test, whose offers lie at servers that the test started."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.session.calls.caller import Caller
from workbench.session.tracing import Traces
from workbench.session.workspace import Workspace, open_workspace

KEY = "sk-CANARY-KEY-0123456789abcdef"
PLAN = "on rate_limit: next; on server_error: retry 1 after 1 ms, then next; otherwise: next"
QUIET, LOUD = "quiet", "loud"


def provider(place: int, url: str, **extra: object) -> dict[str, Any]:
    """The provider at one place of the order, with a key variable of its own."""
    row = {"id": f"p{place}", "name": f"Provider {place}", "source": "s", "date": "2026-11-01"}
    return {**row, "auth_env": f"P{place}_API_KEY", "base_urls": {"default": url}, **extra}


def offer(place: int, **extra: object) -> dict[str, Any]:
    """Its offer; the price gives the order."""
    row: dict[str, Any] = {
        "provider": f"p{place}", "model": f"m{place}", "served_model_id": f"served-{place}", "region": "eu",
        "price_in": 1.0 + place, "price_out": 2.0 + place, "source": "s", "date": "2026-11-01", "no_log": True,
        "capabilities": {"context": 100_000, "max_output": 8_000, "supports_tools": True, "supports_json_mode": True},
    }  # fmt: skip
    return {**row, **extra}


def write_workspace(
    root: Path, urls: Sequence[str], *, offers: Sequence[dict[str, Any]] = (), filters: Sequence[str] = (),
    plan: str = PLAN, rank: str = "cheapest by price_in",
) -> Path:  # fmt: skip
    """A workspace with one provider at each address; tenant `loud` keeps texts, `quiet` does not."""
    (root / "tenants").mkdir(parents=True)
    rows = list(offers) or [offer(place) for place in range(len(urls))]
    models = sorted({row["model"] for row in rows})
    catalog = {
        "format": "workbench-catalog/1", "name": "own", "date": "2026-11-01", "note": "for a test",
        "sources": {"s": {"title": "a test", "date": "2026-11-01"}}, "benchmarks": {},
        "providers": [provider(place, url) for place, url in enumerate(urls)],
        "models": [{"id": name} for name in models], "offers": rows,
    }  # fmt: skip
    (root / "own.json").write_text(json.dumps(catalog))
    (root / "workbench.toml").write_text('title = "test"\ncatalog = "own.json"\n')
    listed = ", ".join(json.dumps(each) for each in filters)
    (root / "rulebook.toml").write_text(
        'id = "r"\ntitle = "r"\n[tenant.no_log]\nkind = "flag"\nmeaning = "quiet"\n'
        f'[defaults]\nfilters = [{listed}]\nrank = {json.dumps(rank)}\nselect = "best first"\n'
        f'transform = "unchanged"\nfallback = {json.dumps(plan)}\n'
    )
    for name, flag in ((LOUD, "false"), (QUIET, "true")):
        text = f'id = "{name}"\n[facts]\nno_log = {flag}\n[workload]\ntokens_in = 10\ntokens_out = 10\n'
        (root / "tenants" / f"{name}.toml").write_text(text)
    return root


def keys(count: int) -> dict[str, str]:
    """The variables that hold the keys of that many providers."""
    return {f"P{place}_API_KEY": KEY for place in range(count)}


def world(root: Path, urls: Sequence[str], *, with_keys: bool = True, **how: Any) -> tuple[Workspace, Caller]:
    """The workspace, opened, and what makes its calls; state and traces stay below `root`."""
    workspace = open_workspace(write_workspace(root / "space", urls, **how))
    environment = keys(len(urls)) if with_keys else {}
    return workspace, Caller(workspace.root, Traces(root / "traces.db"), root / "state", environment)
