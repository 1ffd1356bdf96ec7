"""The join: listings of several sources and our own facts become one catalog document.

Owns which of two rows about the same thing stands, which ids are only aliases, what is derived, what is left out
and why. The same input gives the same bytes, whatever the order of the sources' rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from workbench.catalog.importers.facts import Facts, Roster, Rules
from workbench.catalog.importers.families import is_alias, stem
from workbench.catalog.importers.listing import Listing
from workbench.errors import Finding, Place

DISAGREE: Final = 0.01
"""Prices of two sources that lie further apart than this share are in dispute."""

SOURCES: Final = {"litellm": "litellm", "modelsdev": "models.dev"}
OPEN_PLACES: Final = frozenset(("global", "us"))
"""An id that names no place is left out where the same model has a row for one of these: it is the same offer."""

Key = tuple[str, str, str]
"""Provider, region (or the empty string), and an id on the wire or its stem."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What goes into the catalog."""

    date: str
    """`YYYY-MM-DD`: later releases are left out, and so is what has passed its last day."""
    since: str = "2025-01-01"
    """Models released before this day are left out."""
    unknown_regions: bool = True
    """Whether offers whose place nobody states come in."""
    prices: Roster | None = None
    """The source whose prices stand, for every provider; None leaves it to each provider's rules."""


@dataclass(frozen=True)
class Joined:
    """Rows of offers and what was noticed on the way."""

    offers: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...]


def join(
    listings: Iterable[Listing],
    facts: Facts,
    released: Mapping[str, str],
    dates: Mapping[str, str],
    selection: Selection,
) -> Joined:
    """Offers in catalog order: provider, model, region, id on the wire.

    `released` gives a family's release date; `dates` the day of each source.
    """
    placed = [_placed(listing, facts.providers[listing.provider].provider.region) for listing in listings]
    gone = {_name(listing) for listing in placed if listing.deprecated}
    groups: dict[Key, list[Listing]] = {}
    left_out: Counter[tuple[str, str]] = Counter()
    for listing in placed:
        if _name(listing) not in gone:
            groups.setdefault((listing.provider, listing.region or "", stem(listing.wire_id)), []).append(listing)
        else:
            left_out[listing.provider, "is deprecated"] += 1
    rows: list[dict[str, Any]] = []
    places = _places(groups)
    for key in sorted(groups):
        roster = _available(SOURCES[facts.providers[key[0]].rules.roster], dates)
        why = _unwanted(groups[key], roster, facts, released, selection, places)
        if why is not None:
            left_out[key[0], why] += 1
            continue
        rows.extend(_offers(groups[key], facts.providers[key[0]].rules, dates, selection.prices))
    rows.sort(key=_order)
    findings = (*_left_out(left_out), *_disputes(rows))
    return Joined(tuple(_once(rows)), findings)


def _name(listing: Listing) -> Key:
    """What a deprecation of this listing ends: this id at this provider in this region, in every source."""
    return listing.provider, listing.region or "", listing.wire_id.casefold().rsplit("/", 1)[-1]


def _placed(listing: Listing, region: Any) -> Listing:
    """A listing with its provider's usual region where it names none itself. Bedrock's unprefixed ids stay without."""
    if listing.region is not None or region is None:
        return listing
    return replace(listing, region=str(region.value))


def _places(groups: Mapping[Key, Sequence[Listing]]) -> dict[tuple[str, str], set[str]]:
    """The regions that each family of a provider has a price for."""
    found: dict[tuple[str, str], set[str]] = {}
    for (provider, region, _), listings in groups.items():
        for listing in listings:
            found.setdefault((provider, listing.family), set()).add(region)
    return found


def _available(source: str, dates: Mapping[str, str]) -> str:
    """The source, or the one there is where that was not given."""
    return source if source in dates else min(dates)


def _unwanted(
    group: Sequence[Listing],
    roster: str,
    facts: Facts,
    released: Mapping[str, str],
    selection: Selection,
    places: Mapping[tuple[str, str], set[str]],
) -> str | None:
    """Why a group stays out of the catalog, or None where it comes in."""
    provider, region, name = group[0].provider, group[0].region, group[0].family
    day = released.get(name) or facts.since.get(name)
    if all(listing.source != roster for listing in group) and name not in facts.since:
        return f"is not listed by {roster}"
    if day is None:
        return "has no release date"
    if day < selection.since:
        return f"was released before {selection.since}"
    if day > selection.date:
        return "was released later"
    if not region and not OPEN_PLACES.isdisjoint(places[provider, name]):
        return "names no place, and its siblings do"
    if not region and not selection.unknown_regions:
        return "names no place"
    return None


def _offers(
    group: Sequence[Listing], rules: Rules, dates: Mapping[str, str], prices: Roster | None
) -> Iterable[dict[str, Any]]:
    """The offer of one group, and those derived from it for further regions."""
    ours = _available(SOURCES[prices or rules.prices or rules.roster], dates)
    main = sorted((x for x in group if x.source == ours), key=_canonical)
    other = sorted((x for x in group if x.source != ours), key=_canonical)
    if not main:
        main, other = other, []
    listed = _filled(main, other)
    aliases = sorted({x.wire_id for x in group} - {listed.wire_id}) if len({x.wire_id for x in group}) > 1 else []
    aliases = [name for name in aliases if is_alias(name)]
    dispute = _dispute(listed, other, dates)
    yield _row(listed, rules, dates, aliases=aliases, dispute=dispute)
    for region, factor in _uplifts(listed, rules):
        here = replace(
            listed,
            region=region,
            base_url=None,
            price_note=None,
            price_in=_times(listed.price_in, factor),
            price_out=_times(listed.price_out, factor),
        )
        yield _row(here, rules, dates, aliases=aliases, derived=f"list price x {factor:g} (regional uplift)")


def _canonical(listing: Listing) -> tuple[bool, bool, float, int, int, str]:
    """Sorts the row that stands first: no alias, priced, cheaper, short, and the one that knows more.

    The last part, the whole row as text, leaves no tie for the order of the source to decide.
    """
    price = (listing.price_in or 0) + (listing.price_out or 0)
    known = sum(getattr(listing, name) is not None for name in listing.__slots__)
    return is_alias(listing.wire_id), listing.price_in is None, price, len(listing.wire_id), -known, repr(listing)


def _filled(main: Sequence[Listing], other: Sequence[Listing]) -> Listing:
    """The first row, its gaps filled from its aliases and then from the other source.

    models.dev knows the window, a price map sometimes only the input limit: the larger of the two is the window.
    """
    first = main[0]
    gaps: dict[str, Any] = {}
    for name in ("price_in", "price_out", "max_output", "tools", "vision", "json_mode", "reasoning", "api_kind"):
        if getattr(first, name) is None:
            value = next((getattr(x, name) for x in (*main[1:], *other) if getattr(x, name) is not None), None)
            if value is not None:
                gaps[name] = value
    if not first.uplifts:
        gaps["uplifts"] = next((x.uplifts for x in main[1:] if x.uplifts), ())
    windows = [x.context for x in (first, *other[:1]) if x.context is not None]
    if windows:
        gaps["context"] = max(windows)
    if ("price_in" in gaps or "price_out" in gaps) and all(x.price_in is None for x in main):
        gaps["source"] = other[0].source
    return replace(first, **gaps)


def _dispute(listed: Listing, other: Sequence[Listing], dates: Mapping[str, str]) -> dict[str, Any] | None:
    second = next((x for x in other if x.price_in is not None and x.source != listed.source), None)
    if (
        second is None
        or listed.price_in is None
        or not (_apart(listed.price_in, second.price_in) or _apart(listed.price_out, second.price_out))
    ):
        return None
    prices = {"price_in": second.price_in, "price_out": second.price_out}
    return {"source": second.source, "date": dates[second.source], **_known(prices)}


def _apart(one: float | None, two: float | None) -> bool:
    return one is not None and two is not None and abs(one - two) > DISAGREE * max(one, two)


def _uplifts(listed: Listing, rules: Rules) -> list[tuple[str, float]]:
    if listed.price_in is None:
        return []
    own = dict(listed.uplifts)
    own.update({rule.region: rule.multiplier for rule in rules.regional if listed.family in rule.families})
    return sorted(own.items())


def _times(price: float | None, factor: float) -> float | None:
    return None if price is None else round(price * factor, 6)


def _row(
    listed: Listing,
    rules: Rules,
    dates: Mapping[str, str],
    *,
    aliases: Sequence[str] = (),
    derived: str | None = None,
    dispute: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One offer as a row of the catalog file: keys in the order of the model, unknowns left out."""
    stated = rules.logging(listed.family)
    capabilities = {
        "context": listed.context,
        "max_output": listed.max_output,
        "supports_tools": listed.tools,
        "supports_vision": listed.vision,
        "supports_json_mode": listed.json_mode,
        "supports_reasoning": listed.reasoning,
    }
    row: dict[str, Any] = {
        "provider": listed.provider,
        "model": listed.family,
        "served_model_id": listed.wire_id,
        "region": listed.region,
        "price_in": listed.price_in,
        "price_out": listed.price_out,
        "capabilities": _known(capabilities),
        "no_log": None if stated is None else stated.value,
        "has_tee": True if rules.tee and fnmatchcase(listed.wire_id, rules.tee) else None,
        "retention_days": None if stated is None else stated.retention_days,
        "base_url": listed.base_url,
        "api_kind": listed.api_kind,
        "request": dict(rules.request.get(listed.region or "", {})) or None,
        "price_note": listed.price_note,
        "derived": derived,
        "currency_uncertain": rules.currency_uncertain or None,
        "price_disagrees": dict(dispute) if dispute else None,
        "aliases": list(aliases) or None,
        "source": listed.source,
        "date": dates[listed.source],
    }
    return _known(row)


def _known(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _order(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return row["provider"], row["model"], row.get("region", "~"), row["served_model_id"]


def _once(rows: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Rows without the later of two that name the same offer (a listed one stands before a derived one)."""
    taken: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["provider"], row["served_model_id"].casefold(), row.get("region", ""))
        if key not in taken or ("derived" in taken[key] and "derived" not in row):
            taken[key] = row
    return taken.values()


def _left_out(counts: Mapping[tuple[str, str], int]) -> Iterable[Finding]:
    for (provider, why), number in sorted(counts.items()):
        yield Finding(f"{number} left out: {why}", "left_out", Place(provider), severity="warning")


def _disputes(rows: Iterable[Mapping[str, Any]]) -> Iterable[Finding]:
    for row in rows:
        other = row.get("price_disagrees")
        if other is not None:
            here, there = (
                f"{row.get('price_in')}/{row.get('price_out')}",
                f"{other.get('price_in')}/{other.get('price_out')}",
            )
            reason = f"{row['source']} says {here}, {other['source']} says {there}"
            yield Finding(
                reason, "price_disagrees", Place(f"{row['provider']}/{row['served_model_id']}"), severity="warning"
            )
