"""`/x/policy/normalize`, `/x/policy/build`, `/x/flow/normalize`: a term's normal form and its name, no decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from workbench.catalog import Catalog
from workbench.errors import AdmissionError
from workbench.language.admission import Term, find
from workbench.language.flow import FLOW_VERSION
from workbench.language.lowering import lower
from workbench.language.signature import FAIL_REASONS
from workbench.language.vocabulary import Vocabulary
from workbench.server.errors import Refused, finding_json, said
from workbench.server.x.admitting import admit_flow, admit_term
from workbench.server.x.loose import Normalized, normalized
from workbench.server.x.refusal import refused
from workbench.server.x.templates.known import meant, names_in, unheard

NEXT: Final = {"action": "next_candidate"}
_SPEC: Final = ("filter", "selector", "selector_opts", "mutate", "retry_table", "weights", "scorer", "rank")


def normalize(term: object, vocabulary: Vocabulary, *, admit: bool = False) -> dict[str, Any]:
    """`policy_ir` in normal form, `fingerprint`, `version`, and whether it would be admitted here.

    With `admit` a term that is not admitted is refused instead. Raises `Refused` (400 `invalid_policy`).
    """
    if admit:
        admitted = admit_term(term, vocabulary)
        return _named(Normalized(admitted.normal, admitted.fingerprint, admitted.version), ())
    return _named(normalized(term, vocabulary), _refusals(term, vocabulary))


def _named(form: Normalized, errors: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {
        "policy_ir": form.term,
        "fingerprint": form.fingerprint,
        "version": form.version,
        "admission": {"ok": not errors, "errors": list(errors)},
    }


def _refusals(term: object, vocabulary: Vocabulary) -> tuple[dict[str, Any], ...]:
    """What keeps the term from being admitted as a policy."""
    try:
        found = find(lower(term, vocabulary), vocabulary, sort="Policy")
    except AdmissionError as error:
        found = error.findings
    return tuple(finding_json(finding) for finding in found)


def normalize_flow(term: object, vocabulary: Vocabulary) -> dict[str, Any]:
    """`flow_ir` in normal form, its encoding, `fingerprint`, `version`; `warnings` of keys that are no part of a node.

    Raises `Refused` (400 `invalid_flow`).
    """
    flow = admit_flow(term, vocabulary)
    warnings = {"warnings": [said(word) for word in flow.unread]} if flow.unread else {}
    return {
        "flow_ir": flow.normal,
        "encoded": flow.encoding,
        "fingerprint": flow.fingerprint,
        "version": FLOW_VERSION,
        **warnings,
    }


def build(spec: Mapping[str, Any], catalog: Catalog) -> dict[str, Any]:
    """A policy from its parts: `filter`, `rank` (a scorer), `selector` with `selector_opts`, `mutate`, `retry_table`.

    What is missing is as in a policy that says nothing: who meets the request and is not disabled, score 0, best first,
    the request as it is, on to the next candidate. `weights` belongs to an older language; it is named in `warnings`
    and has no effect; so is what no offer of the catalog has. Raises `Refused` (400 `invalid_policy_spec`).
    """
    unknown = [name for name in spec if name not in _SPEC]
    if unknown:
        raise _odd(f"unknown key(s): {', '.join(sorted(unknown))}; {meant(sorted(unknown), _SPEC)}")
    if "rank" in spec and "scorer" in spec:
        raise _odd("`rank` and `scorer` are one thing; give one")
    term: Term = [
        "policy",
        _term(spec, "filter", ["and", ["meets_req"], ["not", ["is", "disabled"]]]),
        _term(spec, "rank" if "rank" in spec else "scorer", ["zero"]),
        _selector(spec),
        _mutate(spec.get("mutate")),
        _plan(spec.get("retry_table")),
    ]
    try:
        made = normalize(term, catalog.vocabulary)
    except Refused as refusal:
        raise _odd(refusal.message, **(refusal.more or {})) from None
    warnings = unheard(names_in(made["policy_ir"]), catalog.values) if made["admission"]["ok"] else []
    select = made["policy_ir"][3]
    if select[0] == "sample" and select[1] < 0:
        warnings.append(f"`sample` takes a temperature of 0 or more; {select[1]:g} is read as 0, which is `argmax`")
    if spec.get("weights"):
        warnings.append("`weights` has no effect: a v2 policy ranks by its scorer, give one as `rank`")
    return {**made, "warnings": warnings} if warnings else made


def _odd(message: str, **more: Any) -> Refused:
    return refused(400, "invalid_policy_spec", message, **more)


def _term(spec: Mapping[str, Any], key: str, default: Term) -> Term:
    value = spec.get(key)
    if value is None:
        return default
    if not isinstance(value, list) or not value:
        raise _odd(f"`{key}` must be a term [op, ...]")
    return cast("Term", value)


def _selector(spec: Mapping[str, Any]) -> Term:
    value = spec.get("selector")
    if value is None:
        value = "argmax"
    options: Any = {} if spec.get("selector_opts") is None else spec["selector_opts"]
    if options == []:
        options = {}  # how an empty table may be written
    if not isinstance(options, dict):
        raise _odd("`selector_opts` must be an object")
    if isinstance(value, list) and value:
        if options:
            raise _odd("`selector_opts` has no effect on a selector that is a term; write them into the term")
        return cast("Term", value)
    if not isinstance(value, str) or value not in _SELECTORS:
        hint = meant([value] if isinstance(value, str) else [], tuple(_SELECTORS))
        raise _odd(f"unknown selector; {hint}, or a term")
    known, make = _SELECTORS[value]
    found = cast("dict[str, Any]", options)
    strange = sorted(set(found) - set(known))
    if strange:
        raise _odd(f"`selector_opts` of {value}: unknown option(s): {', '.join(strange)}; {meant(strange, known)}")
    return make(found)


def _top_k(options: Mapping[str, Any]) -> Term:
    count = options.get("k")
    if isinstance(count, bool) or not isinstance(count, int | float) or count < 1 or count != int(count):
        raise _odd("`selector_opts.k` must be a positive integer")
    return ["top_k", int(count), ["argmax"]]


def _sample(options: Mapping[str, Any]) -> Term:
    if "temp" in options and options.get("temperature", options["temp"]) != options["temp"]:
        raise _odd("`selector_opts.temp` and `selector_opts.temperature` are one thing, and differ; give one")
    heat = options.get("temp", options.get("temperature", 1.0))
    if isinstance(heat, bool) or not isinstance(heat, int | float):
        raise _odd("`selector_opts.temp` must be a number")
    return ["sample", heat]


def _chain(options: Mapping[str, Any]) -> Term:
    chain = options.get("chain")
    if not isinstance(chain, list):
        raise _odd("`selector_opts.chain` must be a list of {provider, model}")
    return ["chain", chain]


_SELECTORS: Final[dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Term]]]] = {
    "argmax": ((), lambda _options: ["argmax"]),
    "ordered": ((), lambda _options: ["ordered"]),
    "top_k": (("k",), _top_k),
    "sample": (("temp", "temperature"), _sample),
    "softmax_sample": (("temp", "temperature"), _sample),
    "chain": (("chain",), _chain),
}
"""By name: its options, and the term it means."""


def _mutate(value: object) -> Term:
    if value is None or value == "identity":
        return ["id"]
    if not isinstance(value, list) or not value:
        raise _odd("`mutate` must be a transform [op, ...]")
    return cast("Term", value)


def _plan(table: object) -> Term:
    """Reason by reason in order of name; `unknown` is what holds for all others."""
    if table is None or table == []:  # how an empty table may be written
        table = {}
    if isinstance(table, list):
        return cast("Term", table)
    if not isinstance(table, dict):
        raise _odd("`retry_table` must be an object: failure reason to action")
    rows = cast("dict[str, Any]", table)
    strange = sorted(set(rows) - set(FAIL_REASONS))
    if strange:
        raise _odd(f"`retry_table`: unknown reason(s): {', '.join(strange)}; {meant(strange, FAIL_REASONS)}")
    plan: Term = ["always", rows.get("unknown", NEXT)]
    for reason in sorted(rows):
        if reason != "unknown":
            plan = ["override", plan, reason, rows[reason]]
    return plan
