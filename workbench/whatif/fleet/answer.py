"""What a fleet comes to, in words and numbers: per segment, per movement, and by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from workbench.whatif.fleet.deciding.batch import segment_text
from workbench.whatif.fleet.deciding.rows import CHEAPER, DEARER, GAINED, LOST, MOVED, MOVEMENTS, SAME
from workbench.whatif.fleet.totals import MOST_POLICIES, Group, Named, Sums, Totals, merged
from workbench.whatif.report import Report, Sheet, counted, monthly, plain

SHOWN: Final = 12
"""Most tenants, and most movements, that are listed on a terminal."""
NOBODY: Final = "nobody"
_CENT: Final = 0.005
_WORDS: Final = {DEARER: "dearer", CHEAPER: "cheaper", MOVED: "moved", LOST: "lost", GAINED: "gained"}


def answer(totals: Totals, *, source: str, complete: bool = True, files: Mapping[str, str] | None = None) -> Report:
    """The answer for one source; `files` are the result files by what they hold."""
    sheets = [segments_sheet(totals)]
    if totals.compares:
        sheets.append(moves_sheet(totals))
    sheets += [stranded_sheet(totals), errors_sheet(totals)]
    exact = segments_sheet(totals, exact=True)
    document = _document(totals, source, complete, files or {})
    return Report(headline(totals, complete=complete), tuple(lines(totals)), tuple(sheets), exact, document)


def headline(totals: Totals, *, complete: bool = True) -> str:
    """How many tenants, policies and faults."""
    policies = f"{len(totals.policies):,}{'+' if len(totals.policies) >= MOST_POLICIES else ''}"
    many = f"{totals.rows:,} {'tenant' if totals.rows == 1 else 'tenants'}"
    head = f"{many}, {policies} distinct {'policy' if policies == '1' else 'policies'}"
    return head if complete else f"stopped: the first {head}"


def lines(totals: Totals) -> Iterable[str]:
    """What is said in words before the tables."""
    sums = totals.total()
    if totals.compares:
        yield from _changed_lines(totals)
    else:
        yield f"{monthly(sums.after)} USD a month"
        yield f"{totals.stranded_count:,} are stranded: nobody is left for them"
    if sums.unknown:
        yield f"{counted(sums.unknown, 'tenant')} with unknown runs or prices add nothing to the costs"
    if totals.invalid:
        yield f"{totals.invalid:,} {'row has' if totals.invalid == 1 else 'rows have'} no policy; see their reasons"
    if totals.assumed_no_log:
        who = "1 tenant does" if totals.assumed_no_log == 1 else f"{totals.assumed_no_log:,} tenants do"
        yield f"{who} not say `no_log` in so many words, which is read as no_log = true"


def _changed_lines(totals: Totals) -> Iterable[str]:
    if not totals.changed:
        yield "no decision changed"
        return
    lost = merged(sums for key, sums in totals.groups.items() if key.movement == LOST)
    moved = merged(sums for key, sums in totals.groups.items() if key.movement not in (SAME, LOST))
    yield f"{moved.tenants:,} get another model or price: {_money(moved.after - moved.before, sign=True)} USD a month"
    if lost.tenants:
        yield f"{lost.tenants:,} are stranded: nobody is left for them, whose models cost {monthly(lost.before)} USD"
    else:
        yield "nobody is stranded by it"


def _count(groups: Iterable[tuple[Group, Sums]], *movements: int) -> int:
    return sum(sums.tenants for key, sums in groups if key.movement in movements)


def _nobody(groups: Iterable[tuple[Group, Sums]]) -> int:
    return sum(sums.tenants for key, sums in groups if not key.after and not key.failed)


def _failed(groups: Iterable[tuple[Group, Sums]]) -> int:
    return sum(sums.tenants for key, sums in groups if key.failed)


def winners(groups: Iterable[tuple[Group, Sums]]) -> list[tuple[str, Sums]]:
    """The winners of some groups, the most chosen first, then by name."""
    found: dict[str, Sums] = {}
    for key, sums in groups:
        if key.after:
            found.setdefault(key.after, Sums()).add(sums)
    return sorted(found.items(), key=lambda pair: (-pair[1].tenants, pair[0]))


def _whole(value: int, *, exact: bool) -> str:
    return str(value) if exact else f"{value:,}"


def _money(value: float, *, exact: bool = False, sign: bool = False) -> str:
    if exact:
        return plain(value)
    return "0" if sign and abs(value) < _CENT else monthly(value, sign=sign)


def _rows(totals: Totals) -> list[tuple[tuple[str, ...], list[tuple[Group, Sums]]]]:
    every = totals.segments()
    if totals.by and len(every) > 1:
        groups = [pair for _, some in every for pair in some]
        every.append((("all", *("" for _ in totals.by[1:])), groups))
    return every


def segments_sheet(totals: Totals, *, exact: bool = False) -> Sheet:
    """A row for each segment and one for all; `exact`: numbers as they are, for programs."""
    return _compared_sheet(totals, exact=exact) if totals.compares else _segment_sheet(totals, exact=exact)


def _segment_sheet(totals: Totals, *, exact: bool = False) -> Sheet:
    numbers = ("tenants", "nobody", "one provider", "no policy", "$/month")
    headings = (*totals.by, *numbers, "most chosen", "share")
    rows: list[tuple[str, ...]] = []
    for segment, groups in _rows(totals):
        sums, chosen = merged(s for _, s in groups), winners(groups)
        share = f"{chosen[0][1].tenants / sums.tenants:.0%}" if chosen else ""
        counts = (sums.tenants, _nobody(groups), sums.one_provider, _failed(groups))
        rows.append((
            *segment, *(_whole(count, exact=exact) for count in counts), _money(sums.after, exact=exact),
            chosen[0][0] if chosen else NOBODY, share,
        ))  # fmt: skip
    return Sheet("" if exact else "Segments", headings, tuple(rows), frozenset((*numbers, "share")), "no tenants")


def _compared_sheet(totals: Totals, *, exact: bool = False) -> Sheet:
    words = tuple(_WORDS.values())
    numbers = ("tenants", *words, "difference", "$/month before", "$/month after")
    rows: list[tuple[str, ...]] = []
    for segment, groups in _rows(totals):
        sums = merged(s for _, s in groups)
        counts = (sums.tenants, *(_count(groups, movement) for movement in _WORDS))
        rows.append((
            *segment, *(_whole(count, exact=exact) for count in counts),
            _money(sums.after - sums.before, exact=exact, sign=True), _money(sums.before, exact=exact),
            _money(sums.after, exact=exact),
        ))  # fmt: skip
    title = "" if exact else "Segments"
    return Sheet(title, (*totals.by, *numbers), tuple(rows), frozenset(numbers), "no tenants")


def moves(totals: Totals) -> list[tuple[str, str, str, Sums]]:
    """Every change of winner with its tenants and sums: movement, before, after; most tenants first."""
    found: dict[tuple[int, str, str], Sums] = {}
    for key, sums in totals.groups.items():
        if key.movement != SAME:
            found.setdefault((key.movement, key.before, key.after), Sums()).add(sums)
    rows = [(MOVEMENTS[move], was or NOBODY, now or NOBODY, sums) for (move, was, now), sums in found.items()]
    return sorted(rows, key=lambda row: (-row[3].tenants, row[:3]))


def moves_sheet(totals: Totals, most: int = SHOWN) -> Sheet:
    """The changes of winner, those of most tenants first."""
    every = moves(totals)
    rows = [
        (move, was, now, f"{sums.tenants:,}", monthly(sums.after - sums.before, sign=True))
        for move, was, now, sums in every[:most]
    ]
    more = f", the first {most} of {len(every)}" if len(every) > most else ""
    headings = ("change", "before", "after", "tenants", "$/month")
    return Sheet(f"Changes of winner{more}", headings, tuple(rows), frozenset(("tenants", "$/month")))


def stranded_sheet(totals: Totals, most: int = SHOWN) -> Sheet:
    """Who has nobody, by name; where something is compared, who had somebody before."""
    shown = totals.stranded[:most]
    more = f", the first {len(shown)} of {totals.stranded_count:,}" if totals.stranded_count > len(shown) else ""
    rows = [(each.id, *each.segment, each.before or "-") for each in shown]
    headings = ("tenant", *totals.by, "had")
    if not totals.compares:
        rows, headings = [row[:-1] for row in rows], headings[:-1]
    return Sheet(f"Stranded{more}", headings, tuple(rows))


def moved_sheet(totals: Totals, most: int = SHOWN) -> Sheet:
    """Who moved, by name; the stranded have a list of their own."""
    shown = totals.moved[:most]
    rows = [(each.id, *each.segment, each.movement, each.before or NOBODY, each.after or NOBODY) for each in shown]
    return Sheet("Moved", ("tenant", *totals.by, "change", "before", "after"), tuple(rows))


def errors_sheet(totals: Totals, most: int = SHOWN) -> Sheet:
    """Rows without a policy, and every reason."""
    shown = totals.errors[:most]
    more = f", the first {len(shown)} of {totals.invalid:,}" if totals.invalid > len(shown) else ""
    rows = [(str(each.row), each.id or "?", "; ".join(each.reasons)) for each in shown]
    return Sheet(f"Rows without a policy{more}", ("row", "tenant", "why"), tuple(rows), frozenset(("row",)))


def _document(totals: Totals, source: str, complete: bool, files: Mapping[str, str]) -> dict[str, Any]:
    sums = totals.total()
    found: dict[str, Any] = {
        "source": source,
        "complete": complete,
        "tenants": totals.rows,
        "policies": len(totals.policies),
        "invalid": totals.invalid,
        "assumed_no_log": totals.assumed_no_log,
        "changed": totals.changed if totals.compares else None,
        "stranded": totals.stranded_count,
        **_sums(sums, compares=totals.compares),
        "by": list(totals.by),
        "segments": [_segment(totals, segment, groups) for segment, groups in totals.segments()],
        "stranded_tenants": [_named(totals, each) for each in totals.stranded],
        "errors": [{"row": each.row, "id": each.id, "reasons": list(each.reasons)} for each in totals.errors],
        "files": dict(files),
        "movements": None,
        "moved_tenants": None,
    }
    if totals.compares:
        found["movements"] = [
            {"direction": move, "before": _winner(was), "after": _winner(now), **_sums(each, compares=True)}
            for move, was, now, each in moves(totals)
        ]
        found["moved_tenants"] = [_named(totals, each) for each in totals.moved]
    return found


def _winner(word: str) -> str | None:
    return None if word in ("", NOBODY) else word


def _sums(sums: Sums, *, compares: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "tenants": sums.tenants, "one_provider": sums.one_provider, "cost_per_month": sums.after,
        "unknown_cost": sums.unknown,
    }  # fmt: skip
    before = {"cost_per_month_before": sums.before, "cost_difference": sums.after - sums.before}
    return found | (before if compares else dict.fromkeys(before))


def _segment(totals: Totals, segment: Sequence[str], groups: Sequence[tuple[Group, Sums]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "segment": dict(zip(totals.by, segment, strict=True)),
        **_sums(merged(sums for _, sums in groups), compares=totals.compares),
        "nobody": _nobody(groups),
        "invalid": _failed(groups),
        "winners": [
            {"winner": name, "tenants": sums.tenants, "cost_per_month": sums.after} for name, sums in winners(groups)
        ],
    }
    if totals.compares:
        found["movements"] = {word: _count(groups, movement) for movement, word in _WORDS.items()}
    return found


def _named(totals: Totals, named: Named) -> dict[str, Any]:
    found: dict[str, Any] = {"id": named.id, "segment": segment_text(totals.by, named.segment)}
    if totals.compares:
        found |= {"direction": named.movement, "before": _winner(named.before)}
    return found | {"after": _winner(named.after)}
