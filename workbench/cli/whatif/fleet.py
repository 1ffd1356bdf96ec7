"""`workbench fleet`: the real tenant base, from files and databases: winners, costs, changes, who is stranded."""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from workbench.cli import diagnostics
from workbench.cli.invocation import FilePath, Invocation, declare
from workbench.cli.whatif.answers import check_form, show

if TYPE_CHECKING:
    from workbench.session.settings import FleetSettings
    from workbench.session.workspace import Workspace
    from workbench.whatif.fleet.run import FleetResult

_ENDINGS: Final = (".parquet", ".csv")
_REDRAWN_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, by the names of the options."""

    source: str | None
    table: str | None
    query: str | None
    kind: str | None
    id_column: str | None
    mapped: tuple[str, ...]
    mapping: Path | None
    ignored: tuple[str, ...]
    lists: str | None
    by: str | None
    against: str | None
    rules: tuple[str, ...]
    off: tuple[str, ...]
    facts: tuple[str, ...]
    down: tuple[str, ...]
    out: Path | None
    errors: Path | None
    resume: bool
    force: bool
    workers: int | None
    sample: int | None
    csv: bool


@declare("fleet", "Decide for the real tenants: a file, a table, a query.")
@click.argument("source", required=False)
@click.option("--table", metavar="NAME", help="The table of a database.")
@click.option("--query", metavar="SQL", help="A query instead; it runs in a transaction that may only read.")
@click.option("--format", "kind", type=click.Choice(("csv", "tsv", "jsonl", "parquet", "sqlite")), help="What it is.")
@click.option("--id", "id_column", metavar="COLUMN", help="The column of the tenants' ids; `id` unless named.")
@click.option("--map", "mapped", multiple=True, metavar="FIELD=COLUMN", help="Which column holds a tenant field.")
@click.option(
    "--mapping",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help="A TOML file that says so, with the keys of [fleet] in workbench.toml.",
)
@click.option("--ignore", "ignored", multiple=True, metavar="COLUMN", help="A column that is no tenant field.")
@click.option("--lists", metavar="TEXT", help="What stands between the entries of a list in text, or `json`.")
@click.option("--by", metavar="FIELD,...", help="The fields that make a segment; the first choice unless named.")
@click.option("--against", metavar="WHAT", help="Measure against a workspace, rulebook, catalog or git revision.")
@click.option("--rule", "rules", multiple=True, metavar="CLAUSE=TEXT", help="Suppose another text, or a number.")
@click.option("--off", multiple=True, metavar="CLAUSE", help="Suppose a clause to be off.")
@click.option("--set", "facts", multiple=True, metavar="FACT=VALUE", help="Suppose a fact of every tenant.")
@click.option("--down", multiple=True, metavar="PROVIDER", help="Suppose a provider to be down.")
@click.option("--out", type=FilePath(path_type=Path), metavar="FILE", help="Every tenant, as .parquet or .csv.")
@click.option("--errors", type=FilePath(path_type=Path), metavar="FILE", help="Rows without a policy, as CSV.")
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped, to the same bytes.")
@click.option("--force", is_flag=True, help="Replace files, and begin anew where a run was stopped.")
@click.option("--workers", type=click.IntRange(1, 64), metavar="N", help="Threads that decide; one per core.")
@click.option("--sample", type=click.IntRange(1, 1_000_000_000), metavar="N", help="Write N made-up tenants to SOURCE.")
@click.option("--csv", is_flag=True, help="Print the segments as comma-separated values.")
def command(invocation: Invocation, **given: Any) -> int:
    """Decide for every tenant of SOURCE: a CSV, JSON lines, Parquet or SQLite file, or postgresql://USER@HOST/DATABASE.

    Distinct policies are decided once. With --rule, --off, --set, --down or --against it says what changes, per segment
    and in dollars a month. Nothing is written but what --out and --errors name. Exit code 1: rows have no policy, or
    decisions changed; which of them is said. The costs are of each tenant's own tokens and runs.
    """
    options = Options(**given)
    check_form(invocation, as_csv=options.csv)
    workspace = invocation.open()
    if options.sample is not None:
        return _sample(invocation, workspace, options)
    return _run(invocation, workspace, options)


def _run(invocation: Invocation, workspace: Workspace, options: Options) -> int:
    from workbench.whatif.fleet.asking import Supposed, open_fleet, plan_for
    from workbench.whatif.fleet.run import Work, run

    settings = _settings(workspace, options)
    supposed = Supposed(options.rules, options.off, options.facts, options.down, options.against)
    source = open_fleet(settings, options.source, options.kind)
    plan = plan_for(source, workspace, settings, supposed, workspace.state)
    out, errors = options.out, options.errors
    if out is not None and errors is None:
        errors = out.with_name(f"{out.stem}.errors.csv")
    _check_targets(options, errors)
    gc.freeze()  # what was read so far stays, and need not be looked through again and again
    work = Work(plan, out, errors, options.resume, options.workers)
    with _stoppable() as stopped, _Bar.here(invocation, source.rows) as bar:
        result = run(source, work, progress=bar.show, cancelled=stopped)
    return _tell(invocation, options, result, source.name, errors)


def _tell(invocation: Invocation, options: Options, result: FleetResult, source: str, errors: Path | None) -> int:
    from workbench.whatif.fleet.answer import answer

    totals = result.totals
    files: dict[str, str] = {}
    if not result.stopped:
        files = {name: str(path) for name, path in (("out", options.out), ("errors", errors)) if path is not None}
    report = answer(totals, source=source, complete=not result.stopped, files=files)
    show(invocation, report, as_csv=options.csv)
    for name, path in files.items():
        invocation.note(f"{'every tenant is' if name == 'out' else 'rows without a policy are'} in {path}")
    if result.stopped:
        kept = f"; what was finished is in {result.kept}, --resume goes on" if result.kept is not None else ""
        invocation.note(f"stopped after {totals.rows:,} tenants{kept}")
        return diagnostics.INTERRUPTED
    reasons = [f"{totals.invalid:,} rows have no policy"] if totals.invalid else []
    if totals.compares and totals.changed:
        reasons.append(f"{totals.changed:,} decisions changed")
    if reasons:
        invocation.note(f"exit code 1: {' and '.join(reasons)}")
    return diagnostics.FINDINGS if reasons else diagnostics.OK


def _settings(workspace: Workspace, options: Options) -> FleetSettings:
    """What the workspace, the mapping file and the options say, the later before the earlier."""
    known = workspace.settings.fleet
    if options.mapping is not None:
        known = _over(known, _mapping_file(options.mapping))
    mapped: list[tuple[str, str]] = []
    for word in options.mapped:
        field, sign, column = word.partition("=")
        if not sign or not field or not column:
            raise diagnostics.usage(f"`{word}` maps nothing", hint="write --map FIELD=COLUMN, `--map plan=tier_name`")
        mapped.append((field, column))
    stated = dict((*known.map, *mapped))
    asked = options.table is not None or options.query is not None or options.source is not None
    return replace(
        known,
        table=options.table if asked else known.table,
        query=options.query if asked else known.query,
        id=options.id_column or known.id,
        map=tuple(stated.items()),
        ignore=tuple(dict.fromkeys((*known.ignore, *options.ignored))),
        lists=options.lists or known.lists,
        by=tuple(name.strip() for name in options.by.split(",") if name.strip()) if options.by else known.by,
    )


def _mapping_file(path: Path) -> FleetSettings:
    from workbench.boundary import guarded_toml
    from workbench.errors import Finding, WorkspaceError
    from workbench.session.settings import fleet_settings
    from workbench.session.workspace import read_document

    text = read_document(path).text
    document = guarded_toml.loads(text.encode("utf-8", "surrogateescape"), source=str(path))
    findings: list[Finding] = []
    found = fleet_settings(document, (), str(path), text, findings)
    if findings:
        raise WorkspaceError(f"`{path}` can't be used", findings)
    return found


def _over(known: FleetSettings, other: FleetSettings) -> FleetSettings:
    given = {name: value for name in known.__slots__ if (value := getattr(other, name))}
    return replace(known, **given)


def _check_targets(options: Options, errors: Path | None) -> None:
    """Refuse what would overwrite, and names that say no form."""
    from workbench.whatif.fleet.writing import parts_of

    out = options.out
    if out is None and options.resume:
        raise diagnostics.usage("--resume is for --out FILE", hint="name the file of the run that was stopped")
    if out is not None and out.suffix not in _ENDINGS:
        raise diagnostics.usage(f"`{out.name}` says no form", hint="end it in .parquet or .csv")
    for path in (out, errors):
        if path is not None and path.exists() and not options.force:
            raise diagnostics.usage(f"`{path}` exists already", hint="--force replaces it", code="exists")
    if out is not None and parts_of(out).exists() and not options.force and not options.resume:
        raise diagnostics.usage(
            f"`{parts_of(out)}` is of a run that was stopped", hint="--resume goes on with it, --force begins anew",
            code="exists",
        )  # fmt: skip


def _sample(invocation: Invocation, workspace: Workspace, options: Options) -> int:
    from workbench.whatif.fleet.sample import write_sample

    if options.source is None:
        raise diagnostics.usage("`SOURCE` is missing", hint="name the file to write, `tenants.parquet`")
    path = Path(options.source)
    if path.suffix not in (*_ENDINGS, ".jsonl"):
        raise diagnostics.usage(f"`{path.name}` says no form", hint="end it in .parquet, .csv or .jsonl")
    if path.exists() and not options.force:
        raise diagnostics.usage(f"`{path}` exists already", hint="--force replaces it", code="exists")
    count = options.sample or 0
    write_sample(workspace.state, count, path)
    if invocation.as_json:
        invocation.output.document({"file": str(path), "tenants": count})
    else:
        invocation.output.line(f"wrote {count:,} made-up tenants to {path}")
        lists = " --lists ';'" if path.suffix == ".csv" else ""
        invocation.note(f"`workbench fleet {path}{lists}` decides for them")
    return diagnostics.OK


@contextmanager
def _stoppable() -> Generator[Callable[[], bool]]:
    """Whether to stop: the first interrupt asks for it between batches, a second one ends the command at once."""
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


class _Bar:
    """How far it is, on a line of stderr that is drawn over; nothing where stderr is no terminal."""

    def __init__(self, rows: int | None, *, drawn: bool) -> None:
        self._rows = rows
        self._drawn = drawn
        self._start = self._last = time.monotonic()
        self._shown = False

    @classmethod
    @contextmanager
    def here(cls, invocation: Invocation, rows: int | None) -> Generator[_Bar]:
        """The bar of one run, wiped at its end."""
        bar = cls(rows, drawn=sys.stderr is not None and sys.stderr.isatty() and not invocation.quiet)
        try:
            yield bar
        finally:
            bar.wipe()

    def show(self, rows: int, share: float | None) -> None:
        """Draw it anew, not more often than eyes can follow."""
        now = time.monotonic()
        if not self._drawn or now - self._last < _REDRAWN_S:
            return
        self._last, self._shown = now, True
        speed = rows / max(now - self._start, 1e-9)
        filled = "" if share is None else f"[{'#' * round(share * 24):<24}] {share:4.0%}  "
        diagnostics.draw(f"{filled}{rows:,} tenants, {speed:,.0f} a second, ctrl+c stops")

    def wipe(self) -> None:
        """Take it away."""
        if self._shown:
            diagnostics.draw("")
