"""The traces of one place: written around each call, listed, read, pruned. One code path for every database.

Owns the order of writes (RELIABILITY R52): the trace and the intent of its call are durable before the first byte
leaves, the outcome after. Contents are stored once by digest. Text of a `no_log` tenant cannot come here: a
`QuietTrace` has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from workbench.boundary import strict_json
from workbench.boundary.sealed import sealed
from workbench.errors import DocumentError, Finding, TraceError
from workbench.language.admission import check
from workbench.traces.databases.base import SET, Database, Execute
from workbench.traces.databases.places import writer
from workbench.traces.document import document
from workbench.traces.listing import COLUMNS, LONGEST_MS, Filter, TraceRow, folded, trace_rows, where
from workbench.traces.parts.asked import state_of
from workbench.traces.parts.catalogs import MAX_BYTES, KeptCatalog, packed, unpacked
from workbench.traces.parts.sources import Sources
from workbench.traces.parts.steps import Step
from workbench.traces.parts.verdicts import Verdicts
from workbench.traces.parts.words import IN_FLIGHT, INTERRUPTED, Kind, is_identifier
from workbench.traces.record import KINDS, Exchange, Material, Record, Trace
from workbench.traces.wire import from_row, to_row

LAST: Final = 2**62
"""No trace has this sequence number or a higher one."""
MOST_KEPT: Final = 4
"""Catalogs held in memory between reads."""
MOST_PARTS: Final = 256
"""Nodes of a flow, its input and its output among them."""
SEARCHED: Final = 200_000
"""Most characters of a trace's text that a search looks at."""


@sealed
class Intent:
    """A call that is about to be made."""

    number: int
    """Which call of the trace, from 1."""
    index: int
    """The candidate's place in the catalog."""
    attempt: int
    """Which try of that candidate, from 1."""
    time_ms: int


@sealed
class CallEnd:
    """How a call went."""

    number: int
    time_ms: int
    kind: Kind | None = None
    """None for success."""
    http_status: int | None = None
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call of a trace as stored; `ended_ms` None: nobody knows how it went."""

    number: int
    index: int
    attempt: int
    provider: str
    began_ms: int
    ended_ms: int | None
    kind: str | None
    http_status: int | None
    latency_ms: float | None


class TraceStore:
    """The traces of one database. Its methods raise `TraceError`; `Recorder` is what must not fail a call."""

    def __init__(self, database: Database, notices: tuple[Finding, ...] = ()) -> None:
        self.database = database
        self.notices = notices
        """What a person should be told of the place: damaged and set aside, read only, a network file system."""
        self._catalogs: dict[str, KeptCatalog] = {}

    def begin(self, record: Record, intent: Intent | None = None) -> int:
        """Store a trace whose call is about to be made, and that call's intent; gives its sequence number."""
        with self.database.write() as execute:
            sequence = self._insert(execute, record)
            if intent is not None:
                _intend(execute, sequence, intent, record)
        return sequence

    def intend(self, record: Record, intent: Intent, before: CallEnd | None = None) -> None:
        """Store a further call's intent, and how the one before it went."""
        with self.database.write() as execute:
            sequence = _sequence(execute, record.trace.head.trace_id)
            if before is not None:
                _end(execute, sequence, before)
            _intend(execute, sequence, intent, record)

    def finish(self, record: Record, last: CallEnd | None = None) -> int:
        """Store how a trace ended, and its last call; one that was never begun is stored whole."""
        with self.database.write() as execute:
            rows = execute(_BY_ID, {"trace_id": str(record.trace.head.trace_id)})
            if rows:
                sequence = int(rows[0][0])
                execute(_FINISH, {"sequence": sequence, **_summary(record)})
                execute(_FINISH_RECORD, {"sequence": sequence, **_data(record)})
            else:
                sequence = self._insert(execute, record)
            if last is not None:
                _end(execute, sequence, last)
        return sequence

    def _insert(self, execute: Execute, record: Record) -> int:
        head = record.trace.head
        values = {
            "trace_id": str(head.trace_id), "time_ms": head.time_ms, "tenant": str(head.tenant),
            "emulated": int(head.emulated), "writer": writer(), "winner": _winner(record), **_summary(record),
        }  # fmt: skip
        sequence = int(execute(_INSERT, {**values, "contents": self._set(execute, record.material)})[0][0])
        execute(_INSERT_RECORD, {"sequence": sequence, **_data(record)})
        return sequence

    def _set(self, execute: Execute, material: Material) -> int:
        """The number of the set of a trace's contents; what is not stored yet is."""
        names = material.names
        rows = execute(SET + self.database.sharing, names)
        if rows:
            return int(rows[0][0])
        for kind, name in names.items():
            execute(_KEEP, {"kind": kind, "sha256": name, **_blob(material, kind)})
        execute(_KEEP_SET, names)
        return int(execute(SET, names)[0][0])

    def rows(
        self, wanted: Filter | None = None, *, now_ms: int, limit: int = 10_000, before: int | None = None
    ) -> list[TraceRow]:
        """The traces that a filter means, newest first by sequence number; `before` one, to read on."""
        condition, values = where(wanted or Filter())
        condition, values = f"{condition} AND sequence < :before", {**values, "before": before or LAST}
        text = f"SELECT {COLUMNS} FROM traces WHERE {condition} ORDER BY sequence DESC LIMIT :limit"  # noqa: S608 - fixed words
        unfinished = wanted is not None and wanted.outcome in {INTERRUPTED, IN_FLIGHT}
        found: list[TraceRow] = []
        with self.database.read() as execute:
            while True:
                rows = trace_rows(execute(text, {**values, "limit": limit}), now_ms)
                found += [row for row in rows if not unfinished or row.outcome == (wanted and wanted.outcome)]
                if not unfinished or len(rows) < limit or len(found) >= limit:
                    return found[:limit]
                values["before"] = rows[-1].sequence

    def get(self, trace_id: str) -> Record:
        """One trace with all it names. Raises `TraceError` where there is none of that id."""
        with self.database.read() as execute:
            rows = execute(_GET, {"trace_id": trace_id}) if is_identifier(trace_id) else []
            if not rows:
                raise TraceError("no such trace", [Finding("no trace has this id", "unknown_trace")])
            sequence, data = int(rows[0][0]), bytes(rows[0][1])
            named = execute(_NAMES, {"sequence": sequence})
            if not named:
                raise DocumentError(
                    "a stored trace cannot be read", [Finding("its contents are gone", "trace_content")]
                )
            names = dict(zip(KINDS, named[0], strict=True))
            catalog = self._catalogs.get(names["catalog"])
            held = {
                kind: bytes(execute(_CONTENT, {"kind": kind, "sha256": name})[0][0])
                for kind, name in names.items()
                if kind != "catalog" or catalog is None
            }
        return self._record(sequence, data, held, catalog)

    def parts(self, trace_id: str) -> list[str]:
        """The ids of the traces of a flow's nodes, `ID.n1`, `ID.n2`, ..., in this order; none of another trace's."""
        names = {f"part{number}": f"{trace_id}.n{number}" for number in range(MOST_PARTS)}
        marks = ", ".join(f":{name}" for name in names)
        with self.database.read() as execute:
            rows = execute(f"SELECT trace_id FROM traces WHERE trace_id IN ({marks})", names)  # noqa: S608 - fixed words
        found = {str(row[0]) for row in rows}
        return [part for part in names.values() if part in found]

    def _record(self, sequence: int, data: bytes, held: Mapping[str, bytes], catalog: KeptCatalog | None) -> Record:
        if catalog is None:
            catalog = KeptCatalog.read(unpacked(held["catalog"]))
            if len(self._catalogs) >= MOST_KEPT:
                self._catalogs.pop(next(iter(self._catalogs)))
            self._catalogs[catalog.content_sha256] = catalog
        wire = cast("dict[str, Any]", _json(held["policy"]))
        policy = check(wire["policy_ir"], catalog.vocabulary, version=wire["version"], sort="Policy")
        state = state_of(cast("dict[str, Any]", _json(held["state"])))
        sources = Sources.read(unpacked(held["sources"]))
        material = Material(catalog, policy, sources, state, Verdicts.read(unpacked(held["verdicts"])))
        trace = from_row(unpacked(data))
        if material.digests != {name: getattr(trace.head, f"{name}_sha256") for name in material.digests}:
            raise DocumentError("a stored trace cannot be read", [Finding("its contents are others", "trace_content")])
        return Record(trace, material, sequence)

    def calls(self, trace_id: str) -> list[CallRow]:
        """The calls of a trace, in order."""
        with self.database.read() as execute:
            return [CallRow(*row) for row in execute(_CALLS, {"trace_id": trace_id})]

    def documents(self, wanted: Filter | None = None, *, now_ms: int, limit: int = 10_000) -> Iterator[dict[str, Any]]:
        """The traces that a filter means as JSON, oldest first; what was interrupted says so."""
        for row in reversed(self.rows(wanted, now_ms=now_ms, limit=limit)):
            found = document(self.get(row.trace_id))
            found["outcome"] = found["outcome"] or row.outcome
            yield found

    def count(self, wanted: Filter | None = None, *, now_ms: int | None = None) -> int:
        """How many traces a filter means; with `now_ms` only those that `prune` would delete then."""
        condition, values = where(wanted or Filter())
        if now_ms is not None:
            condition, values = f"{condition} AND {_DONE}", {**values, **_bounds(now_ms)}
        with self.database.read() as execute:
            return int(execute(f"SELECT count(*) FROM traces WHERE {condition}", values)[0][0])  # noqa: S608 - fixed words

    def pulse(self) -> tuple[int, int, int]:
        """Three numbers that are others once a trace was added, ended or deleted: to look again only then."""
        with self.database.read() as execute:
            newest, count, ended = execute(_PULSE, {})[0]
        return int(newest or 0), int(count), int(ended)

    def nth_newest(self, number: int) -> int | None:
        """The sequence number of the trace that is the `number`th newest, from 1; None where there are fewer."""
        with self.database.read() as execute:
            rows = execute(_NTH, {"skipped": number - 1})
        return int(rows[0][0]) if rows else None

    def prune(self, wanted: Filter, *, now_ms: int) -> int:
        """Delete the traces that a filter means, and what only they named; gives how many.

        A call that may still be in flight stays. The text is gone from the files when this returns.
        """
        condition, values = where(wanted)
        with self.database.write(alone=True) as execute:
            text = f"DELETE FROM traces WHERE {condition} AND {_DONE} RETURNING sequence"  # noqa: S608 - fixed words
            count = len(execute(text, {**values, **_bounds(now_ms)}))
            execute(_SWEEP_SETS, {})
            execute(_SWEEP, {})
        self.database.tidy()
        return count

    def close(self) -> None:
        """End it."""
        self.database.close()


_DONE: Final = "(outcome IS NOT NULL OR time_ms < :stale OR time_ms > :ahead)"
"""What has ended, or began so long ago (or, by a clock that was set, so far ahead) that it was interrupted."""
_PULSE: Final = "SELECT max(sequence), count(*), count(outcome) FROM traces"
_NTH: Final = "SELECT sequence FROM traces ORDER BY sequence DESC LIMIT 1 OFFSET :skipped"
_BY_ID: Final = "SELECT sequence FROM traces WHERE trace_id = :trace_id"
_KEEP: Final = (
    "INSERT INTO contents (kind, sha256, size, data) VALUES (:kind, :sha256, :size, :data) ON CONFLICT DO NOTHING"
)
_INSERT: Final = """INSERT INTO traces
    (trace_id, time_ms, tenant, no_log, emulated, writer, outcome, winner, offer, provider, model, region, attempts,
     tokens_in, tokens_out, cost_usd, latency_ms, contents)
    VALUES (:trace_id, :time_ms, :tenant, :no_log, :emulated, :writer, :outcome, :winner, :offer, :provider, :model,
     :region, :attempts, :tokens_in, :tokens_out, :cost_usd, :latency_ms, :contents) RETURNING sequence"""
_INSERT_RECORD: Final = "INSERT INTO records (sequence, words, data) VALUES (:sequence, :words, :data)"
_KEEP_SET: Final = f"""INSERT INTO sets ({", ".join(KINDS)}) VALUES ({", ".join(f":{kind}" for kind in KINDS)})
    ON CONFLICT DO NOTHING"""  # noqa: S608 - fixed words
_FINISH: Final = """UPDATE traces SET no_log = :no_log, outcome = :outcome, offer = :offer, provider = :provider,
    model = :model, region = :region, attempts = :attempts, tokens_in = :tokens_in, tokens_out = :tokens_out,
    cost_usd = :cost_usd, latency_ms = :latency_ms WHERE sequence = :sequence"""
_FINISH_RECORD: Final = "UPDATE records SET words = :words, data = :data WHERE sequence = :sequence"
_INTEND: Final = """INSERT INTO calls (sequence, number, place, attempt, provider, began_ms)
    VALUES (:sequence, :number, :place, :attempt, :provider, :began_ms)"""
_END: Final = """UPDATE calls SET ended_ms = :ended_ms, kind = :kind, http_status = :http_status,
    latency_ms = :latency_ms WHERE sequence = :sequence AND number = :number"""
_GET: Final = (
    "SELECT t.sequence, r.data FROM traces t JOIN records r ON r.sequence = t.sequence WHERE t.trace_id = :trace_id"
)
_NAMES: Final = f"""SELECT {", ".join(f"s.{kind}" for kind in KINDS)} FROM traces t JOIN sets s ON s.id = t.contents
    WHERE t.sequence = :sequence"""  # noqa: S608 - fixed words
_CONTENT: Final = "SELECT data FROM contents WHERE kind = :kind AND sha256 = :sha256"
_CALLS: Final = """SELECT c.number, c.place, c.attempt, c.provider, c.began_ms, c.ended_ms, c.kind, c.http_status,
    c.latency_ms FROM calls c JOIN traces t ON t.sequence = c.sequence WHERE t.trace_id = :trace_id ORDER BY c.number"""
_SWEEP_SETS: Final = "DELETE FROM sets WHERE NOT EXISTS (SELECT 1 FROM traces t WHERE t.contents = sets.id)"
_SWEEP: Final = f"""DELETE FROM contents WHERE sha256 NOT IN
    ({" UNION ALL ".join(f"SELECT {kind} FROM sets" for kind in KINDS)})"""  # noqa: S608 - fixed words


def _bounds(now_ms: int) -> dict[str, int]:
    return {"stale": now_ms - LONGEST_MS, "ahead": now_ms + LONGEST_MS}


def _sequence(execute: Execute, trace_id: str) -> int:
    rows = execute(_BY_ID, {"trace_id": str(trace_id)})
    if not rows:
        raise TraceError("a call was to be recorded for a trace that is not there", [])
    return int(rows[0][0])


def _intend(execute: Execute, sequence: int, intent: Intent, record: Record) -> None:
    provider = str(record.material.catalog.candidates[intent.index].get("provider_id"))
    values = {"number": intent.number, "place": intent.index, "attempt": intent.attempt, "began_ms": intent.time_ms}
    execute(_INTEND, {"sequence": sequence, "provider": provider, **values})


def _end(execute: Execute, sequence: int, end: CallEnd) -> None:
    values = {"number": end.number, "ended_ms": end.time_ms, "kind": end.kind, "http_status": end.http_status}
    execute(_END, {"sequence": sequence, "latency_ms": end.latency_ms, **values})


def _blob(material: Material, kind: str) -> dict[str, Any]:
    if kind == "catalog":
        return {"size": len(material.catalog.content), "data": material.catalog.blob}
    content = {
        "policy": lambda: material.policy_content,
        "sources": lambda: material.sources.content,
        "state": lambda: material.state_content,
        "verdicts": lambda: material.verdicts.content,
    }[kind]()
    return {"size": len(content), "data": packed(content)}


def _json(data: bytes) -> Any:
    return strict_json.loads(unpacked(data), source="stored content", max_bytes=MAX_BYTES, max_depth=200)


def _summary(record: Record) -> dict[str, Any]:
    """What a list shows."""
    trace = record.trace
    steps = [step.quiet if isinstance(step, Step) else step for step in trace.steps]
    called = [step.index for step in steps if step.event == "attempted"]
    chosen = trace.result.chosen if trace.result else None
    shown = chosen if chosen is not None else called[-1] if called else None
    catalog = record.material.catalog
    candidate: Mapping[str, Any] = {} if shown is None else catalog.candidates[shown]
    usage = trace.result.usage if trace.result else None
    return {
        "no_log": int(trace.no_log),
        "outcome": str(trace.result.outcome) if trace.result else None,
        "offer": None if shown is None else catalog.offer_ids[shown],
        "provider": candidate.get("provider_id"),
        "model": candidate.get("model_family"),
        "region": None if shown is None else catalog.regions[shown],
        "attempts": len(called),
        "tokens_in": usage.tokens_in if usage else None,
        "tokens_out": usage.tokens_out if usage else None,
        "cost_usd": usage.cost_usd if usage else None,
        "latency_ms": trace.result.total_latency_ms if trace.result else None,
    }


def _winner(record: Record) -> str | None:
    winner = record.material.verdicts.winner
    return None if winner is None else record.material.catalog.offer_ids[winner]


def _data(record: Record) -> dict[str, Any]:
    trace, shown = record.trace, _summary(record)
    words = [str(trace.head.trace_id), str(trace.head.tenant)]
    words += [str(shown[key]) for key in ("provider", "model", "region", "outcome") if shown[key]]
    told = folded("\n".join(words))
    if isinstance(trace, Trace):
        told = searched(told, [step.message for step in trace.steps], trace.exchange)
    return {"words": told[:SEARCHED], "data": packed(to_row(trace))}


def searched(words: str, messages: Sequence[str | None], exchange: Exchange | None) -> str:
    """What a search looks at, of a trace whose text is kept; `words` is what it looks at of any."""
    found = [message for message in messages if message]
    if exchange is not None:
        found += _strings([exchange.request, exchange.response])
    return "\n".join([words, folded("\n".join(found))])[:SEARCHED] if found else words[:SEARCHED]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in cast("dict[str, Any]", value).values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in cast("list[Any]", value):
            yield from _strings(inner)
