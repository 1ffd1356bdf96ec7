"""What selections, failure plans and transforms in clause text mean: one small function per form of the grammar."""

from __future__ import annotations

from typing import Any, Final, cast

from lark import Token, Tree

from workbench.language.clause_text.read_ranking import SCORER_ACTIONS
from workbench.language.clause_text.reader import (
    Action,
    Reader,
    at,
    column_of,
    did_you_mean,
    fault,
    number,
    text,
    wrong_binding,
)
from workbench.language.clause_text.spelling import UNITS
from workbench.language.signature import FAIL_REASONS

Node = Tree[Token]

# ---- selections: each means (selector, scorer or None)


def _best_first(_reader: Reader, _node: Node, _parts: list[Any]) -> Any:
    return ["argmax"], None


def _keep_order(_reader: Reader, _node: Node, _parts: list[Any]) -> Any:
    return ["ordered"], None


def _sampled(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["sample", reader.number(parts[1])], None


def _chained(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["chain", parts[1:]], None


def _joined_link(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    (token,) = parts
    provider, slash, model = str(token).partition("/")
    if not slash:
        raise fault(
            f"`{token}` names a provider and no model", at(token) + len(token), "syntax",
            hint=f"write `{token}/MODEL`", expected=("PROVIDER/MODEL",),
        )  # fmt: skip
    return {"provider": provider, "model": model}


def _split_link(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return {"provider": text(parts[0]), "model": text(parts[1])}


def _record_link(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return parts[0]


def _count(reader: Reader, token: Token) -> float | int:
    value = reader.number(token)
    if value < 1 or value != int(value):
        wrong_binding(token, value, "a whole number from 1 on")
    return value


def _top(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["top_k", _count(reader, parts[1]), ["argmax"]], None


def _top_by(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["top_k", _count(reader, parts[1]), ["argmax"]], parts[2]


def _top_of(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    selector, scorer = parts[2]
    return ["top_k", _count(reader, parts[1]), selector], scorer


def _ranked_by(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    (selector, _), scorer = parts
    return selector, scorer


def _preferred(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    _keyword, predicate, (selector, scorer) = parts
    return ["prefer", predicate, selector], scorer


# ---- failure plans

_VERBS: Final = {
    "NEXT": "next_candidate",
    "STOP": "abort",
    "DISABLE_PROVIDER": "disable_provider",
    "SAME_MODEL_ELSEWHERE": "next_provider_same_model",
    "RETRY": "retry_same",
}
_DEFAULT: Final = "next_candidate"
"""What happens on a failure that the text says nothing of."""


def _fallback(_reader: Reader, node: Node, parts: list[Any]) -> Any:
    base: dict[str, Any] | None = None
    handled: dict[str, dict[str, Any]] = {}
    for entry, (reasons, action) in zip(node.children, parts, strict=True):
        if not reasons:
            if base is not None:
                raise fault("`otherwise` stands twice", column_of(entry), "duplicate")
            base = action
        for reason in reasons:
            name = text(reason)
            if name in handled:
                raise fault(f"`{name}` is handled twice", at(reason), "duplicate")
            handled[name] = action
    plan: list[Any] = ["always", base or {"action": _DEFAULT}]
    for name, action in handled.items():
        plan = ["override", plan, name, dict(action)]
    return plan


def _on(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    reasons: list[Token] = parts[1:-1]
    for reason in reasons:
        if reason.type == "REASON" and reason not in FAIL_REASONS:
            raise fault(
                f"unknown failure reason `{reason}`", at(reason), "unknown_value",
                hint=did_you_mean(reason, FAIL_REASONS) or f'write "{reason}" in quotes if a host has one of that name',
                expected=FAIL_REASONS,
            )  # fmt: skip
    return reasons, parts[-1]


def _otherwise(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return [], parts[1]


def _verb(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    action: dict[str, Any] = {"action": _VERBS[parts[0].type]}
    if len(parts) == 2:
        action["attempts"] = reader.number(parts[1])
    return action


def _duration(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    value = reader.number(parts[0]) * UNITS[str(parts[1])]
    if value in (float("inf"), float("-inf")):
        raise fault("the wait is too long", at(parts[0]), "wrong_sort")
    return value


def _tail(name: str) -> Action:
    """A part of an action after its verb: its kind, its value, its column."""

    def mean(_reader: Reader, node: Node, parts: list[Any]) -> Any:
        return name, parts[-1], column_of(node)

    return mean


def _after_list(_reader: Reader, node: Node, parts: list[Any]) -> Any:
    return "after_list", parts[1:], column_of(node)


def _then_verb(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return _VERBS[parts[0].type]


def _knob(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return text(parts[0]), reader.number(parts[1])


def _put(action: dict[str, Any], key: str, value: Any, column: int) -> None:
    if key in action:
        raise fault(f"`{key}` is said twice", column, "duplicate")
    action[key] = value


_KEYS: Final = {
    "after": "backoff_ms",
    "after_list": "backoff_ms",
    "open_breaker": "open_breaker_ms",
    "then": "then_action",
}


def _action(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    """A verb and what follows it. A bare wait goes on the list after `after`, a bare `key = number` after `with`."""
    action: dict[str, Any] = parts[0]
    last = ""
    for kind, value, column in parts[1:]:
        if kind == "after_more":
            if last not in ("after", "after_more"):
                raise fault("a wait stands after `after`", column, "syntax", expected=("after",))
            waits: Any = action["backoff_ms"]
            listed = cast("list[Any]", waits) if isinstance(waits, list) else [waits]
            action["backoff_ms"] = [*listed, value]
        elif kind in ("with_knob", "more_knob"):
            if kind == "more_knob" and last not in ("with_knob", "more_knob"):
                raise fault("`with` stands before the first of these", column, "syntax", expected=("with",))
            key, amount = value
            if key in ("action", "then_action", "backoff_ms"):
                raise fault(f"`{key}` has words of its own", column, "syntax")
            _put(action, key, amount, column)
        else:
            _put(action, _KEYS[kind], value, column)
        last = kind
    return action


# ---- transforms


def _transform(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else ["seq", *parts]


def _set_param(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    _keyword, name, token = parts
    value = reader.scalar(token)
    if token.type == "VALUE" and value in ("true", "false"):
        value = value == "true"
    if not isinstance(value, bool | int | float | str):
        wrong_binding(token, value, "a number, a name, true or false")
    return ["set_param", text(name), value]


def _clamp_param(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    _keyword, name, low, high = parts
    return ["clamp_param", text(name), reader.number(low), reader.number(high)]


def _inject_seed(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["inject_seed", text(parts[1])]


def _jitter(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["jitter", text(parts[1]), reader.number(parts[2])]


def _filter_text(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["filter_text", parts[1]]


def _filter_image(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["filter_image", parts[1]]


def _custom(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["custom", text(parts[1])]


def _when(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["when", parts[1], parts[2]]


def _unchanged(_reader: Reader, _node: Node, _parts: list[Any]) -> Any:
    return ["id"]


def _recipe(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return [text(part) if isinstance(part, Token) else part for part in parts]


def _record(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    record: dict[str, Any] = {}
    for key, value, column in parts:
        _put(record, key, value, column)
    return record


def _pair(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    key, value = parts
    return text(key), number(value) if value.type == "NUMBER" else text(value), at(key)


ACTIONS: Final[dict[str, Action]] = {
    **SCORER_ACTIONS,
    "best_first": _best_first,
    "keep_order": _keep_order,
    "sampled": _sampled,
    "chained": _chained,
    "joined_link": _joined_link,
    "split_link": _split_link,
    "record_link": _record_link,
    "top": _top,
    "top_by": _top_by,
    "top_of": _top_of,
    "ranked_by": _ranked_by,
    "preferred": _preferred,
    "fallback": _fallback,
    "on": _on,
    "otherwise": _otherwise,
    "action": _action,
    "verb": _verb,
    "duration": _duration,
    "after": _tail("after"),
    "after_list": _after_list,
    "after_more": _tail("after_more"),
    "open_breaker": _tail("open_breaker"),
    "then": _tail("then"),
    "then_verb": _then_verb,
    "with_knob": _tail("with_knob"),
    "more_knob": _tail("more_knob"),
    "knob": _knob,
    "transform": _transform,
    "set_param": _set_param,
    "clamp_param": _clamp_param,
    "inject_seed": _inject_seed,
    "jitter": _jitter,
    "filter_text": _filter_text,
    "filter_image": _filter_image,
    "custom": _custom,
    "when": _when,
    "unchanged": _unchanged,
    "recipe": _recipe,
    "record": _record,
    "pair": _pair,
}
