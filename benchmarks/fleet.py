"""A company's tenants decided from Parquet and PostgreSQL, beside duckdb and polars doing the same filter and argmin.

    python -m benchmarks.fleet [--json]

A million made-up tenants of 400 kinds over 2,500 offers, and ten million. Ours runs as the command does, in a process
of its own, start-up and result file included; its peak of memory is the kernel's figure. The peers are handed what they
could not make: the distinct policies, compiled, and which tenant has which. They filter and take the cheapest offer in
SQL for each of them, join that to the tenants, and write a file of winners. Their winners must cost what ours cost.
Processes and databases are timed by the wall, with the processor time of all their threads beside it; what computes,
by the processor time of all threads, ours and the peers'. The quickest of several runs. The extra `bench` brings them.
"""

from __future__ import annotations

import gc
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final

from benchmarks.tables import Cell, Table, script
from workbench.catalog import packaged_catalogs
from workbench.rulebook.tenant import Workload
from workbench.session.workspace import Workspace, open_workspace, sample_root
from workbench.whatif.changes import ClauseText, with_clause
from workbench.whatif.fleet.arrow import load, pa
from workbench.whatif.fleet.asked import ask
from workbench.whatif.fleet.asking import Supposed, plan_for
from workbench.whatif.fleet.deciding.judge import Judge, Verdict
from workbench.whatif.fleet.deciding.rows import decide_rows
from workbench.whatif.fleet.loaded import Base
from workbench.whatif.fleet.loaded import load as load_base
from workbench.whatif.fleet.plan import FleetPlan
from workbench.whatif.fleet.run import Work, run, wanted_of
from workbench.whatif.fleet.sample import write_sample
from workbench.whatif.fleet.side import Side
from workbench.whatif.fleet.sources.opening import open_source

OFFERS: Final = 2_500
TENANTS: Final = 1_000_000
MANY: Final = 10_000_000
TIMES: Final = 3
_RELATIONS: Final = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "=", "ne": "<>"}

Term = list[Any]


# -- the world ------------------------------------------------------------------------------------------------------


def workspace_of(folder: Path) -> Workspace:
    """The sample workspace with a catalog of 2,500 offers: those of the packaged one, and dearer copies."""
    shutil.copytree(sample_root(), folder)
    newest = packaged_catalogs()[max(packaged_catalogs())]
    document = json.loads(newest.read_text(encoding="utf-8"))
    offers: list[dict[str, Any]] = document["offers"]
    for place in count():
        if len(offers) >= OFFERS:
            break
        copy = dict(offers[place])
        copy["served_model_id"] = f"{copy['served_model_id']}-copy-{place}"
        for name in ("price_in", "price_out"):
            if isinstance(copy.get(name), int | float):
                copy[name] = round(copy[name] * (1.1 + place % 7 / 10), 4)
        offers.append(copy)
    (folder / "many.json").write_text(json.dumps(document), encoding="utf-8")
    settings = folder / "workbench.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('catalog = "2026-11"', 'catalog = "many.json"'), encoding="utf-8")
    return open_workspace(folder)


@dataclass(frozen=True, slots=True)
class World:
    """What is measured over."""

    folder: Path
    workspace: Workspace
    parquet: Path
    plan: FleetPlan

    @property
    def side(self) -> Side:
        """The world that tenants are decided in."""
        return self.plan.after


def world(folder: Path) -> World:
    """The workspace, the tenants, the plan."""
    workspace = workspace_of(folder / "workspace")
    parquet = folder / "tenants.parquet"
    write_sample(workspace.state, TENANTS, parquet)
    source = open_source(str(parquet))
    plan = plan_for(source, workspace, workspace.settings.fleet, Supposed(), workspace.state)
    return World(folder, workspace, parquet, plan)


def quickest(work: Callable[[], object], times: int = TIMES, clock: Callable[[], float] = time.process_time) -> float:
    """Seconds of processor time, all threads, unless another clock is given; the garbage collector is off."""
    best = float("inf")
    gc.collect()
    gc.disable()
    try:
        for _ in range(times):
            start = clock()
            work()
            best = min(best, clock() - start)
    finally:
        gc.enable()
    return best


# -- ours -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of the command."""

    wall: float
    """Seconds."""
    processor: float
    """Seconds of all threads."""
    memory: float
    """Most mebibytes that were resident."""


def command(world: World, source: str, *words: str) -> Ran:
    """The command, start-up and result file included."""
    out = world.folder / "out.parquet"
    out.unlink(missing_ok=True)
    out.with_name("out.errors.csv").unlink(missing_ok=True)
    program = [sys.executable, "-m", "workbench", "fleet", source, *words, "--out", str(out), "--quiet", "--csv"]
    start = time.perf_counter()
    child = subprocess.Popen([*program, "-C", str(world.workspace.root)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    took = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"the command failed with {child.returncode}"
    return Ran(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def best_command(world: World, source: str, *words: str, times: int = TIMES) -> Ran:
    """The least of each figure over several runs, of memory the most."""
    runs = [command(world, source, *words) for _ in range(times)]
    return Ran(min(r.wall for r in runs), min(r.processor for r in runs), max(r.memory for r in runs))


def deciding(world: World) -> float:
    """Seconds to decide for batches that were read, on as many threads as there are cores; nothing is remembered."""
    from concurrent.futures import ThreadPoolExecutor

    batches = [piece.batch for piece in open_source(str(world.parquet)).pieces(wanted_of(world.plan))]

    def work() -> None:
        fresh = FleetPlan(world.plan.columns, Side.of(world.workspace.state), None, world.plan.by, world.plan.workload)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(decide_rows, batches, [fresh] * len(batches)))

    return quickest(work)


def supposing(world: World, base: Base) -> float:
    """Seconds of a what-if over loaded tenants: a floor that was never tried, against the rules as they are."""
    floors = (f"{0.3 + place / 1000:.3f}" for place in count())
    state = world.workspace.state

    def work() -> None:
        changed = with_clause(state.rulebook, ClauseText("free-floor", next(floors)))
        ask(base, Side.of(state.with_rulebook(changed)), world.side)

    work()
    return quickest(work, 9)


# -- the peers ------------------------------------------------------------------------------------------------------


_WORDS: Final = ("winner", "provider", "model_family", "served_model_id", "place_of_work")
_COSTS: Final = ("cost_per_run", "cost_per_month")
"""What the peers write of a winner, as ours does."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a peer is handed: offers as a table, policies as SQL, and each kind of tenant with its policy."""

    offers: Any
    """An Arrow table: `place`, every fact that a policy looks at, prices."""
    policies: tuple[tuple[str, str], ...]
    """For each policy the condition, and the cost of a run."""
    kinds: Any
    """An Arrow table: the facts that decide, and `policy`."""
    keys: tuple[str, ...]
    parquet: Path
    least: tuple[float | None, ...]
    """What each policy's winner costs by ours, in USD per million runs."""


def job(world: World, base: Base) -> Job:
    """The job of a peer, made of what ours found."""
    groups = base.groups(frozenset(name for name in base.columns if name in world.plan.reads))
    judge = Judge(world.side, world.plan.workload)
    verdicts = [judge.verdict(facts) for facts in groups.facts]
    places: dict[str, int] = {}
    policies: list[Verdict] = []
    terms: list[Term] = []
    numbers: list[int] = []
    for facts, verdict in zip(groups.facts, verdicts, strict=True):
        assert verdict.policy is not None
        place = places.setdefault(verdict.policy, len(places))
        if place == len(policies):
            policies.append(verdict)
            terms.append(judge.policy(facts).normal)
        numbers.append(place)
    keys = tuple(groups.facts[0])
    kinds = pa.Table.from_pylist([{**facts, "policy": n} for facts, n in zip(groups.facts, numbers, strict=True)])
    names = sorted({name for term in terms for name in _fields(term[1])} | {"price_in", "price_out"})
    columns = world.side.pool.columns
    fields = world.side.catalog.vocabulary.fields
    offers: dict[str, Any] = {"place": list(range(len(world.side.pool)))}
    offers["provider"] = [candidate["provider_id"] for candidate in world.side.pool.candidates]
    offers["winner"] = world.side.catalog.offer_ids
    for name in ("model_family", "served_model_id"):
        offers[name] = [candidate[name] for candidate in world.side.pool.candidates]
    offers["place_of_work"] = world.side.catalog.regions
    for name in names:
        offers[name] = columns.numbers(name) if fields[name].sort == "Num" else columns.flags(name)
    spelled = tuple((written(term[1]), cost(term[2])) for term in terms)
    least = tuple(_least(verdict, term, world) for verdict, term in zip(policies, terms, strict=True))
    return Job(pa.table(offers), spelled, kinds, keys, world.parquet, least)


def _least(verdict: Verdict, term: Term, world: World) -> float | None:
    if verdict.winner < 0:
        return None
    offer = world.side.pool.candidates[verdict.winner]
    return _worth(term[2][1][1], offer)


def _worth(term: Term, offer: Any) -> float:
    if term[0] == "add":
        return sum(_worth(part, offer) for part in term[1:])
    return term[1] * _worth(term[2], offer) if term[0] == "scale" else float(offer[term[1]])


def _fields(term: Term) -> Iterator[str]:
    if term[0] in {"is", "cmp"}:
        yield term[1]
    elif term[0] in {"and", "or", "not"}:
        for part in term[1:]:
            yield from _fields(part)


def written(term: Term) -> str:
    """A predicate as SQL. A request without requirements meets them all."""
    op = term[0]
    if op in {"and", "or"}:
        return "(" + f" {op.upper()} ".join(written(part) for part in term[1:]) + ")"
    if op == "not":
        return f"NOT {written(term[1])}"
    if op == "meets_req":
        return "TRUE"
    if op == "provider_eq":
        return f"provider = '{term[1]}'"
    return term[1] if op == "is" else f"{term[1]} {_RELATIONS[term[2]]} {float(term[3])!r}"


def cost(term: Term) -> str:
    """`cheapest by ...` as SQL: what is inside `neg` and `normalize`."""

    def spelled(part: Term) -> str:
        if part[0] == "add":
            return "(" + " + ".join(spelled(each) for each in part[1:]) + ")"
        return f"{float(part[1])!r} * {spelled(part[2])}" if part[0] == "scale" else part[1]

    return spelled(term[1][1])


def _checked(found: dict[int, float], work: Job) -> None:
    for place, least in enumerate(work.least):
        known = found.get(place)
        same = known is None if least is None else known is not None and abs(known - least) <= 1e-9 * max(1, least)
        assert same, f"policy {place} costs {least} by ours and {known} by the peer"


@dataclass(frozen=True, slots=True)
class Peer:
    """The three pieces of work."""

    decide: Callable[[], object]
    whole: Callable[[], object]
    again: Callable[[], object]


def duckdb(work: Job, out: Path) -> Peer:
    """One statement each."""
    peer: Any = import_module("duckdb")
    base = peer.connect()
    base.register("offers_arrow", work.offers)
    base.register("kinds_arrow", work.kinds)
    base.execute("CREATE TABLE offers AS SELECT * FROM offers_arrow")
    base.execute("CREATE TABLE kinds AS SELECT * FROM kinds_arrow")
    each = [
        f"SELECT {n} AS policy, arg_min(place, {price}) AS place, min({price}) AS least FROM offers WHERE {keep}"  # noqa: S608 - our own terms
        for n, (keep, price) in enumerate(work.policies)
    ]
    winners = " UNION ALL ".join(each)
    on = " AND ".join(f"t.{name} IS NOT DISTINCT FROM k.{name}" for name in work.keys)
    run = "(t.tokens_in * o.price_in + t.tokens_out * o.price_out) / 1e6"
    joined = (
        f"FROM {{tenants}} t JOIN kinds k ON {on} LEFT JOIN winners w USING (policy) LEFT JOIN offers o USING (place)"
    )
    _checked({n: least for n, _, least in base.execute(winners).fetchall() if least is not None}, work)

    def decide() -> None:
        base.execute(f"CREATE OR REPLACE TABLE winners AS {winners}")

    def whole() -> None:
        decide()
        rows = joined.format(tenants=f"read_parquet('{work.parquet}')")
        words = ", ".join(f"o.{name}" for name in _WORDS)
        costs = f"{run} AS cost_per_run, {run} * t.runs_per_month AS cost_per_month"
        selected = f"SELECT t.id, {words}, {costs}, k.policy, t.plan {rows}"
        base.execute(f"COPY ({selected}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")

    base.execute(f"CREATE TABLE loaded AS SELECT * FROM read_parquet('{work.parquet}')")  # noqa: S608 - our own file

    def again() -> None:
        decide()
        rows = joined.format(tenants="loaded")
        base.execute(f"SELECT t.plan, w.place, count(*), sum({run} * t.runs_per_month) {rows} GROUP BY ALL").fetchall()

    return Peer(decide, whole, again)


def polars(work: Job, out: Path) -> Peer:
    """One SQL query for each policy, then lazy joins."""
    peer: Any = import_module("polars")
    offers, kinds = peer.from_arrow(work.offers), peer.from_arrow(work.kinds)
    context = peer.SQLContext(offers=offers)

    def decide() -> Any:
        frames = [
            context.execute(
                f"SELECT {n} AS policy, place, {price} AS least FROM offers WHERE {keep} ORDER BY least, place LIMIT 1"  # noqa: S608 - our own terms
            )
            for n, (keep, price) in enumerate(work.policies)
        ]
        return peer.concat(peer.collect_all(frames))

    _checked({row["policy"]: row["least"] for row in decide().to_dicts()}, work)
    run = (peer.col("tokens_in") * peer.col("price_in") + peer.col("tokens_out") * peer.col("price_out")) / 1e6
    columns = ["place", "price_in", "price_out", *_WORDS]

    def joined(tenants: Any) -> Any:
        known = kinds.lazy().with_columns(peer.col("policy").cast(peer.Int64))
        won = decide().lazy().with_columns(peer.col("policy").cast(peer.Int64))
        facts = tenants.join(known, on=list(work.keys), how="left", nulls_equal=True).join(won, on="policy", how="left")
        priced = facts.join(offers.lazy().select(columns), on="place", how="left").with_columns(cost_per_run=run)
        return priced.with_columns(cost_per_month=peer.col("cost_per_run") * peer.col("runs_per_month"))

    def whole() -> None:
        rows = joined(peer.scan_parquet(work.parquet)).select("id", *_WORDS, *_COSTS, "policy", "plan")
        rows.sink_parquet(out, compression="zstd", compression_level=1)

    loaded = peer.read_parquet(work.parquet)

    def again() -> None:
        rows = joined(loaded.lazy()).group_by("plan", "place")
        rows.agg(peer.len(), peer.col("cost_per_month").sum()).collect()

    return Peer(decide, whole, again)


PEERS: Final[dict[str, Callable[[Job, Path], Peer]]] = {"duckdb": duckdb, "polars": polars}


# -- PostgreSQL -----------------------------------------------------------------------------------------------------


@contextmanager
def postgres() -> Generator[str]:
    """The address of a fresh server; only its own socket reaches it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    place = found[-1].parent if found else Path(shutil.which("initdb") or "").parent
    folder = Path(tempfile.mkdtemp(prefix="wbpg", dir="/tmp"))
    owner = pwd.getpwnam("postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name)
    os.chown(folder, owner.pw_uid, owner.pw_gid)

    def run(*words: str) -> None:
        account = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": ()} if os.getuid() == 0 else {}
        subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL, **account)  # pyright: ignore[reportCallIssue, reportArgumentType]

    data = str(folder / "data")
    run(str(place / "initdb"), "-D", data, "-U", "wb", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    run(str(place / "pg_ctl"), "-D", data, "-l", str(folder / "log"), "-o", options, "-w", "start")
    try:
        yield f"postgresql://wb@/postgres?host={folder}"
    finally:
        run(str(place / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


def fill(address: str, world: World) -> None:
    """The tenants as a table, lists as arrays."""
    psycopg: Any = import_module("psycopg")
    kinds = {"approved_providers": "text[]", "blocked_providers": "text[]"}
    schema = load("pyarrow.parquet").read_schema(world.parquet)
    for field in schema:
        if pa.types.is_boolean(field.type):
            kinds[field.name] = "boolean"
        elif pa.types.is_floating(field.type):
            kinds[field.name] = "double precision"
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        columns = ", ".join(f'"{name}" {kinds.get(name, "text")}' for name in schema.names)
        cursor.execute(f"CREATE TABLE tenants ({columns})")
        with cursor.copy("COPY tenants FROM STDIN") as copy:
            for batch in load("pyarrow.parquet").ParquetFile(world.parquet).iter_batches():
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    copy.write_row(row)


def from_postgres(world: World) -> tuple[float, float]:
    """Rows a second: read alone, and with deciding and writing."""
    with postgres() as address:
        fill(address, world)

        def read() -> None:
            source = open_source(address, table="tenants")
            plan = plan_for(source, world.workspace, world.workspace.settings.fleet, Supposed(), world.workspace.state)
            assert sum(piece.batch.num_rows for piece in source.pieces(wanted_of(plan))) == TENANTS

        whole = best_command(world, address, "--table", "tenants", times=2)
        return TENANTS / quickest(read, clock=time.perf_counter), TENANTS / whole.wall


# -- tables ---------------------------------------------------------------------------------------------------------


def measure() -> list[Table]:
    """Ours beside its targets, and ours beside the peers."""
    with tempfile.TemporaryDirectory(prefix="wbfleet") as name:
        made = world(Path(name))
        return [*targets(made), *peers(made)]


def targets(made: World) -> list[Table]:
    """Every figure that was promised."""
    one = best_command(made, str(made.parquet))
    base = load_base(open_source(str(made.parquet)), made.plan)
    many = made.folder / "many.parquet"
    write_sample(made.workspace.state, MANY, many)
    ten = command(made, str(many))
    many.unlink()
    read, whole = from_postgres(made)
    figures: list[tuple[str, float, float | None, bool]] = [
        ("1,000,000 tenants, Parquet to a file of winners: s by the wall", one.wall, 3.0, False),
        ("the same: s of processor time", one.processor, None, False),
        ("the same, most memory: MiB", one.memory, 1024, False),
        ("the same, the deciding part: s of processor time", deciding(made), 0.5, False),
        ("10,000,000 tenants: s by the wall", ten.wall, None, False),
        ("the same: s of processor time", ten.processor, 10 * one.processor, False),
        ("the same, most memory: MiB", ten.memory, 1024, False),
        ("what-if on loaded data, a floor never tried: ms of processor time", supposing(made, base) * 1e3, 25.0, False),
        ("PostgreSQL, read: rows/s by the wall", read, 200_000, True),
        ("PostgreSQL to a file of winners: rows/s by the wall", whole, None, True),
    ]
    rows: list[tuple[Cell, ...]] = []
    for what, value, target, at_least in figures:
        met = None if target is None else "met" if (value >= target if at_least else value <= target) else "missed"
        rows.append((what, value, target, met))
    return [Table("fleet", "A fleet", ("what", "here", "target", ""), tuple(rows))]


def peers(made: World) -> list[Table]:
    """The same filter and argmin for the same policies, all in one run, taking turns."""
    base = load_base(open_source(str(made.parquet)), made.plan)
    work = job(made, base)
    notes = [f"{len(work.policies)} distinct policies over {len(made.side.pool):,} offers."]
    found: dict[str, Peer] = {}
    for name, make in PEERS.items():
        if find_spec(name) is None:
            notes.append(f"{name} was skipped: it is not installed (pip install 'policy-workbench[bench]').")
            continue
        found[name] = make(work, made.folder / f"{name}.parquet")
    groups = base.groups(frozenset(name for name in base.columns if name in made.plan.reads))

    def decide() -> None:
        judge = Judge(Side.of(made.workspace.state), Workload(1_000, 500))
        for facts, key in zip(groups.facts, groups.keys, strict=True):
            judge.verdict(facts, key)

    def whole() -> None:
        plan = replace(made.plan, after=Side.of(made.workspace.state), by=("plan",))
        run(open_source(str(made.parquet)), Work(plan, made.folder / "ours.parquet"))

    ours: dict[str, Callable[[], object]] = {
        "winners of the distinct policies: ms": decide,
        "Parquet to a file of winners: ms": whole,
        "winners anew and sums by plan, tenants loaded: ms": lambda: supposing_once(made, base),
    }
    rows: list[tuple[Cell, ...]] = []
    for what, part in zip(ours, ("decide", "whole", "again"), strict=True):
        turns = {"ours": ours[what], **{name: getattr(peer, part) for name, peer in found.items()}}
        best = dict.fromkeys(turns, float("inf"))
        for _ in range(TIMES):
            for name, each in turns.items():
                best[name] = min(best[name], quickest(each, 1) * 1e3)
        rows.append((what, *best.values(), *(best[name] / best["ours"] for name in found)))
    head = ("what", "ours", *found, *(f"{name} / ours" for name in found))
    notes.append(
        "Processor time of all threads. Ours reads facts, compiles policies and checks every cell, and its file has the"
        " reasons, survivors and providers too; the peers are given compiled policies, and write everything else."
    )
    return [Table("fleet-peers", "A fleet, beside SQL", head, tuple(rows), tuple(notes))]


_FLOORS: Final = (f"{0.6 + place / 10_000:.4f}" for place in count())


def supposing_once(made: World, base: Base) -> None:
    """A floor that was never tried."""
    state = made.workspace.state
    changed = with_clause(state.rulebook, ClauseText("free-floor", next(_FLOORS)))
    ask(base, Side.of(state.with_rulebook(changed)), made.side)


if __name__ == "__main__":
    sys.exit(script(__doc__, measure))
