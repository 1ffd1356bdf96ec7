"""`docs/commands.md`, made from what `--help` says: `python -m workbench.cli.manual > docs/commands.md`.

Owns the order of that page and its few words; a test fails where the page and the commands differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click

from workbench.cli.output import write

WIDTH: Final = 100

_TOKEN: Final = (
    "id", "name", "standing", "tenants", "routes", "rate_per_minute", "concurrency", "budget_usd", "spent_usd", "calls",
    "created", "expires", "revoked",
)  # fmt: skip
SHAPES: Final = {
    "check": ("workspace", "title", "tenants", "errors", "warnings", "findings"),
    "tenants": ("workspace", "title", "catalog", "tenants", "broken"),
    "compile": ("tenant", "version", "fingerprint", "identity", "policy_ir", "warnings"),
    "edit": ("tenant", "edit", "scope", "rule", "touched", "moved", "errors", "saved", "files", "conflicts"),
    "rank": (
        "tenant", "catalog", "policy", "population", "survivors", "ranked_total", "ranked", "rejected", "fallback",
        "warnings",
    ),
    "explain": ("tenant", "catalog", "policy", "offers"),
    "matrix": (
        "catalog", "by", "sort", "order", "group", "differences", "columns", "columns_alike",
        "rules", "tenants", "broken",
    ),
    "compare": (
        "columns", "only_differences", "facts", "clauses", "fallback", "offers", "offers_differing", "offers_total",
    ),
    "whatif": (
        "supposed", "tenants_total", "winners_changed", "cost_per_month_change", "cost_per_month_unknown", "tenants",
        "broken",
    ),
    "whatif TENANT": (
        "tenant", "supposed", "before", "after", "changes", "opened", "closed", "winner_changed", "decision_changed",
    ),
    "whatif TENANT --all": ("tenant", "before", "facts"),
    "diff": (
        "before", "after", "decisions_changed", "fingerprints_changed", "only_fingerprint", "cost_per_month_change",
        "rules", "clauses", "tenants", "tenants_total",
    ),
    "near": (
        "tenant", "offer", "admitted", "clauses", "facts_beside", "with_clauses", "by_facts", "no_fact_helps",
        "search_complete", "standing",
    ),
    "near --winner": (
        "tenant", "result", "runner_up", "runner_up_cost_per_run", "decided_by", "score", "runner_up_score", "lead",
        "flips", "cannot_flip",
    ),
    "rule-cost": ("tenants", "without_policy", "clauses", "broken"),
    "rule-cost TENANT": ("tenant", "result", "clauses"),
    "drill": (
        "tenant", "down", "faults", "seed", "streamed", "assumed_latency_ms", "end", "outcome", "stranded", "offer",
        "provider", "model_family", "served_model_id", "region", "elapsed_ms", "calls", "cost_bound", "assumption",
        "steps",
    ),
    "frontier": (
        "tenant", "axes", "survivors", "rejected", "winner", "line", "ties", "points", "not_plotted",
    ),
    "fleet": (
        "source", "complete", "tenants", "policies", "invalid", "assumed_no_log", "changed", "stranded", "one_provider",
        "cost_per_month", "unknown_cost", "cost_per_month_before", "cost_difference", "by", "segments",
        "stranded_tenants", "errors", "files", "movements", "moved_tenants",
    ),
    "fleet --sample": ("file", "tenants"),
    "emulate --faults": ("faults",),
    "traces list": ("store", "traces", "next"),
    "traces show": ("trace", "steps", "lacks", "store"),
    "traces show FLOW": ("flow", "nodes", "store"),
    "traces export": ("traces", "path", "failed"),
    "traces prune": ("store", "deleted", "left", "backup"),
    "replay": ("trace_id", "tenant", "same", "recorded_catalog", "catalog", "fields", "differences", "store"),
    "replay FLOW": ("flow", "same", "nodes", "store"),
    "replay --all": ("replayed", "same", "unread", "changed", "findings", "store"),
    "call": (
        "tenant", "emulated", "no_log", "policy", "quote", "warnings", "outcome", "chosen", "decision_path", "attempts",
        "answer", "tokens", "cost_usd", "cost_basis", "first_token_ms", "tokens_per_s", "total_latency_ms", "recovery",
        "rejected", "trace_id", "trace_lost",
    ),
    "health": ("emulated", "out", "measures"),
    "health reset": ("forgotten",),
    "token new": ("token", *_TOKEN),
    "token list": ("month", "tokens"),
    "token show": _TOKEN,
    "token revoke": ("id", "name", "revoked"),
    "export": ("tenant", "policy", "files", "not_included", "warnings"),
    "conformance": ("evaluator", "passed", "failed", "failures"),
    "catalog show": ("catalog", "total", "offers"),
    "catalog facts": ("catalog", "offer", "facts"),
    "catalog fields": ("catalog", "fields", "categories", "benchmarks"),
    "catalog lint": ("catalog", "errors", "warnings", "findings"),
    "catalog diff": (
        "old", "new", "same", "unchanged", "redated", "added", "removed", "by_fact", "changed",
    ),
    "catalog import": ("catalog", "file", "state", "findings"),
    "init": ("workspace", "files"),
}  # fmt: skip
"""The keys of what each command prints with `--json`, in their order."""

HEAD: Final = """# Commands

Made from `--help` by `python -m workbench.cli.manual`; do not edit.

Every command reads the workspace in the current folder, or the one that `--workspace` names, else the sample that
travels with the package. The common options stand before or after the command's name.

| exit code | meaning |
|---|---|
| 0 | ok |
| 1 | findings: something in the workspace, or in a file, is wrong; a vector failed |
| 2 | usage: the command's own words are wrong |
| 3 | no candidate: the policy leaves nobody |
| 4 | a provider failed |
| 5 | internal: a mistake of ours, or stdout could not be written |
| 129, 130, 143 | hung up, interrupted, terminated |

**Output.** Results go to stdout, everything else to stderr. A table on a terminal is fitted to its width, and what is
cut ends in `…`; into a pipe it goes whole and without colour. `NO_COLOR` and `--no-color` turn colour off; no verdict
is told by colour alone. Names and messages that came from files are made visible: no control character reaches the
terminal.

**JSON.** `--json` prints one object whose `schema` is a number that changes only when a name or a meaning does. In it,
`null` is unknown, prices are in USD per million tokens, `cost_per_run` is in USD, and `line` and `column` count from 1.

| command | keys beside `schema` |
|---|---|
{shapes}

An offer has `offer`, `provider`, `model_family`, `served_model_id`, `region`, `tier`, `price_in`, `price_out` and
`cost_per_run`; a ranked one `place` and `score` too, a rejected one `reason` and `rules`, each with `rule`, `clause`,
`clause_id`, `observed` and `needed`.

**Errors** are one line each, `file:line: reason; hint`, or with `--json` one object on stderr:
`{"schema", "error": {"title", "exit_code", "findings"}}`. A finding has `severity`, `code`, `reason`, `hint`, `source`,
`line`, `column` and `path`.

**Offers** are written `PROVIDER/SERVED_MODEL_ID`, with `@REGION` where only that tells two apart.

**Completion** of commands, options, tenants and offers: for bash, put
`eval "$(_WORKBENCH_COMPLETE=bash_source workbench)"` into `~/.bashrc`; for zsh the same with `zsh_source`; for fish,
`_WORKBENCH_COMPLETE=fish_source workbench | source`.
"""


def manual() -> str:
    """The whole page."""
    from workbench.cli.root import root

    shapes = "\n".join(f"| `{name}` | {', '.join(f'`{key}`' for key in keys)} |" for name, keys in SHAPES.items())
    return HEAD.replace("{shapes}", shapes) + "".join(
        f"\n## {path}\n\n```\n{text}\n```\n" for path, text in _pages(root, None, "workbench")
    )


def _pages(command: click.Command, parent: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, parent=parent, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
    yield context.command_path, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from _pages(found, context, child)


if __name__ == "__main__":
    write(manual())
