"""Traces that differ in id, time and what was asked alone, written without making each of them anew.

A decision is served many times; its policy, catalog, sources and verdicts are the same each time. The rows made here
are the bytes that `wire.to_row` gives for the same trace.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from workbench.boundary import strict_json
from workbench.boundary.sealed import sealed
from workbench.traces.listing import folded
from workbench.traces.parts.asked import Asked
from workbench.traces.parts.catalogs import packed
from workbench.traces.parts.steps import QuietStep, Step
from workbench.traces.record import SCHEMA, Exchange, Material, Record, Result
from workbench.traces.wire import plain, written

STORED: Final = 4_096
"""A row that is no longer than this is kept as it is: compressing it costs more than it saves."""
MOST_WORDS: Final = 256
_SLOTS: Final = ("asked", "seed", "time_ms", "trace_id")


@sealed
class Own:
    """What is a trace's own."""

    trace_id: str
    time_ms: int
    asked: Asked
    seed: float | None


@sealed
class Summary:
    """How a trace ended, as lists show it."""

    outcome: str
    shown: int | None
    """The offer that stands for it: who answered, else who was called last."""
    attempts: int
    tokens_in: float | None
    tokens_out: float | None
    cost_usd: float | None
    latency_ms: float | None


class Template:
    """One decision's traces."""

    def __init__(self, record: Record) -> None:
        self.record = record
        """One of them."""
        self.no_log: Final = record.trace.no_log
        """Whether no text of them is kept."""
        self._kind: Final = b"quiet" if self.no_log else b"full"
        self._asked_last: tuple[Asked | None, bytes] = None, b""
        self._words: dict[tuple[int | None, str], str] = {}

    @property
    def material(self) -> Material:
        """What all of them name."""
        return self.record.material

    @cached_property
    def winner(self) -> str | None:
        """The offer that stands first in the order."""
        winner = self.material.verdicts.winner
        return None if winner is None else self.material.catalog.offer_ids[winner]

    @cached_property
    def _head(self) -> bytes:
        held = dict(plain(self.record.trace.head))
        held.update({name: f"@{name}@" for name in _SLOTS})
        text = strict_json.canonical(held).replace(b"%", b"%%")
        for name in _SLOTS:
            text = text.replace(b'"@%s@"' % name.encode(), b"%s")
        return text

    def _asked_of(self, asked: Asked) -> bytes:
        found = written(asked).encode()
        self._asked_last = asked, found
        return found

    def head(self, own: Own) -> bytes:
        """The head of one trace, as its rows hold it."""
        last, written_last = self._asked_last  # taken once: a thread may be here too
        asked = written_last if own.asked is last else self._asked_of(own.asked)
        seed = b"null" if own.seed is None else strict_json.canonical(plain(own.seed))
        return self._head % (asked, seed, b"%d" % own.time_ms, b'"%s"' % own.trace_id.encode())

    def begun(self, head: bytes) -> bytes:
        """The stored row of a trace that has not ended."""
        return stored(b'{"kind":"%s","schema":%d,"trace":{"head":%s}}' % (self._kind, SCHEMA, head))

    @cached_property
    def _announced(self) -> bytes:
        winner = strict_json.canonical(self.winner).replace(b"%", b"%%")
        return b'{"kind":"%s","winner":%s,"head":%%s,"call":[%%s],"before":%%s}' % (self._kind, winner)

    def announced(self, head: bytes, call: bytes, before: bytes) -> bytes:
        """An intent as a journal holds it (`leftover`): everything that a store needs to have the trace."""
        return self._announced % (head, call, before)

    def ended(self, head: bytes, result: Result, steps: Sequence[Step | QuietStep], exchange: Exchange | None) -> bytes:
        """The stored row of a trace that has ended."""
        parts = [b'"head":%s,"result":%s' % (head, written(result).encode())]
        if steps:
            parts.append(b'"steps":[%s]' % ",".join([written(step) for step in steps]).encode())
        if exchange is not None and not self.no_log:
            parts.insert(0, b'"exchange":' + strict_json.canonical(plain(exchange)))
        return stored(b'{"kind":"%s","schema":%d,"trace":{%s}}' % (self._kind, SCHEMA, b",".join(parts)))

    def words(self, own: Own, summary: Summary | None) -> str:
        """What a search looks at, of a trace whose text is not kept."""
        key = (None, "") if summary is None else (summary.shown, summary.outcome)
        rest = self._words.get(key)
        if rest is None:
            found = list[str]()
            if summary is not None:
                place = self.place(summary.shown)
                found += [value for value in (place["provider"], place["model"], place["region"]) if value]
                found.append(summary.outcome)
            if len(self._words) >= MOST_WORDS:
                self._words.clear()
            rest = self._words[key] = words_of("", self.record.trace.head.tenant, found)
        return own.trace_id + rest

    def offer(self, index: int | None) -> str | None:
        """The id of an offer."""
        return None if index is None else self.material.catalog.offer_ids[index]

    def place(self, index: int | None) -> Mapping[str, Any]:
        """Provider, model and region of an offer."""
        catalog = self.material.catalog
        if index is None:
            return {"provider": None, "model": None, "region": None}
        row = catalog.candidates[index]
        return {
            "provider": row.get("provider_id"), "model": row.get("model_family"), "region": catalog.regions[index],
        }  # fmt: skip


def words_of(trace_id: str, tenant: str, rest: Sequence[str] = ()) -> str:
    """What a search looks at of any trace; an id has no case."""
    return trace_id + folded("\n".join(["", tenant, *rest]))


def stored(data: bytes) -> bytes:
    """A row as the store unpacks it: compressed, or short and only framed."""
    if len(data) > STORED:
        return packed(data)
    size = len(data)
    head = b"\x78\x01\x01" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")
    return head + data + zlib.adler32(data).to_bytes(4, "big")
