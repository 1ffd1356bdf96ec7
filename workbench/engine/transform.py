"""The transform slot: what a policy does to the request before an attempt (LANGUAGE.md 6.6).

Works on a copy and returns it. Whether a policy may touch a parameter here is `runnable`'s verdict, not this module's;
the directives of `filter_text` and `filter_image` are attached for the host and not run.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final, cast

from workbench.boundary.sealed import sealed
from workbench.engine.context import EXACT, Context
from workbench.engine.minstd import MODULUS, Minstd, fold
from workbench.engine.reference.fields import Candidate, Scene
from workbench.engine.reference.predicates import verdict
from workbench.engine.values import number, record
from workbench.errors import Finding, NotRunnable, UsageError
from workbench.language.admission import Admitted, Term
from workbench.language.vocabulary import Vocabulary

Request = dict[str, Any]
Custom = Callable[[Request, Context], Request]
"""A transform that a host registered by name: takes its own copy of the request, gives the next one."""

FROM_CONTEXT: Final = "from_ctx"
"""The value of `set_param` that stands for the seed."""


@sealed
class _Attempt:
    """All that a transform may look at beside the request."""

    candidate: Candidate
    scene: Scene
    registered: Mapping[str, Custom] = field(default_factory=dict[str, Custom])

    @property
    def seed(self) -> float | None:
        return self.scene.context.seed


def transform(
    request: Mapping[str, Any],
    policy: Admitted,
    candidate: Candidate,
    context: Context,
    vocabulary: Vocabulary,
    registered: Mapping[str, Custom] | None = None,
) -> Request:
    """The request as the policy (or bare Xform) sends it to this candidate.

    The predicates of `when` see `context.request`, the request as it came. Raises `NotRunnable` for a `custom` whose
    name is not registered, `UsageError` for a term of another sort.
    """
    if policy.sort not in {"Policy", "Xform"}:
        raise UsageError(f"a {policy.sort} transforms nothing; give a policy or a transform")
    step = policy.slot("transform") if policy.sort == "Policy" else policy
    if step.normal[0] == "id":
        return {**request}  # nothing is touched, so nothing below it needs a copy of its own
    attempt = _Attempt(candidate, Scene(vocabulary, policy.version, context), registered or {})
    return _apply(step.normal, {name: _copied(value) for name, value in request.items()}, attempt)


def _copied(value: Any) -> Any:
    """A copy of its own of what JSON can hold, as `deepcopy` makes it and a good deal sooner."""
    kind = cast("object", type(value))
    if kind is str or value is None or kind is int or kind is float or kind is bool:
        return value
    if kind is dict:
        return {name: _copied(inner) for name, inner in value.items()}
    if kind is list:
        return [_copied(inner) for inner in value]
    return copy.deepcopy(value)


def _apply(term: Term, request: Request, attempt: _Attempt) -> Request:
    return _STEPS[term[0]](term, request, attempt)


def _id(_term: Term, request: Request, _attempt: _Attempt) -> Request:
    return request


def _seq(term: Term, request: Request, attempt: _Attempt) -> Request:
    for step in term[1:]:
        request = _apply(step, request, attempt)
    return request


def _set_param(term: Term, request: Request, attempt: _Attempt) -> Request:
    if term[2] == FROM_CONTEXT:
        return _inject_seed(term, request, attempt)
    request[term[1]] = term[2]
    return request


def _inject_seed(term: Term, request: Request, attempt: _Attempt) -> Request:
    if attempt.seed is None:
        request.pop(term[1], None)
    else:
        request[term[1]] = attempt.seed
    return request


def _clamp_param(term: Term, request: Request, _attempt: _Attempt) -> Request:
    _, name, low, high = term
    value = number(request.get(name))
    if value is None:
        return request
    if value < low:
        request[name] = low
    elif value > high:
        request[name] = high
    return request


def _jitter(term: Term, request: Request, attempt: _Attempt) -> Request:
    _, name, amount = term
    if attempt.seed is None:
        return request
    # Beyond 2**53 a number is a double, and so is the sum.
    seed = attempt.seed if abs(attempt.seed) <= EXACT else float(attempt.seed)
    draw = Minstd((seed + fold(f"jitter:{name}".encode())) % MODULUS).draw()
    request[name] = (number(request.get(name)) or 0.0) + (2.0 * draw - 1.0) * float(amount)
    return request


def _filter(kind: str) -> Callable[[Term, Request, _Attempt], Request]:
    def attach(term: Term, request: Request, attempt: _Attempt) -> Request:
        directive: Request = {"recipe": copy.deepcopy(term[1])}
        if attempt.seed is not None:
            directive["seed"] = attempt.seed % MODULUS
        request["_filters"] = {**record(request.get("_filters")), kind: directive}
        return request

    return attach


def _when(term: Term, request: Request, attempt: _Attempt) -> Request:
    if verdict(term[1], attempt.candidate, attempt.scene) is not None:
        return request
    return _apply(term[2], request, attempt)


def _custom(term: Term, request: Request, attempt: _Attempt) -> Request:
    function = attempt.registered.get(term[1])
    if function is None:
        finding = Finding(f"transform `{term[1]}` is not registered by this host", "unregistered_custom")
        raise NotRunnable("the policy cannot run here", [finding])
    return function(request, attempt.scene.context)


_STEPS: Final[dict[str, Callable[[Term, Request, _Attempt], Request]]] = {
    "id": _id,
    "seq": _seq,
    "set_param": _set_param,
    "inject_seed": _inject_seed,
    "clamp_param": _clamp_param,
    "jitter": _jitter,
    "filter_text": _filter("text"),
    "filter_image": _filter("image"),
    "custom": _custom,
    "when": _when,
}
