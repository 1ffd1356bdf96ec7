"""The second verdict: may this host run a well-formed policy? (RELIABILITY R7, R8)

Owns the host's bounds and the closed list of request parameters that a transform may touch. Identity and admission know
nothing of it. It looks at the normal form, so that policies with one identity have one verdict, and its places are
paths in the normal form. An error keeps a policy from running; a warning says what the host will do differently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, cast, get_args

from workbench.boundary.sanitiser import one_line
from workbench.errors import Finding, NotRunnable, Place, Severity
from workbench.language.admission import Admitted, Term
from workbench.language.refusal import did_you_mean, kind_of, shown
from workbench.language.signature import FAIL_REASONS, OPS, SORTS, Version

Code = Literal["attempts", "backoff", "breaker", "control", "custom", "hidden", "knob", "parameter", "reason", "value"]
CODES: Final[tuple[str, ...]] = get_args(Code)
"""Every code that a finding of this module can carry."""

FROM_CONTEXT: Final = "from_ctx"
"""The value by which `set_param` sets the context's seed."""

_PENALTY: Final = (-2.0, 2.0)
_MAX_TOKENS: Final = 1_000_000.0
_DEADLINE_MS: Final = 50_000.0

REQUEST_PARAMETERS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "temperature": (0.0, 2.0),
        "top_p": (0.0, 1.0),
        "top_k": (0.0, 1000.0),
        "seed": (-(2.0**53), 2.0**53),
        "max_tokens": (1.0, _MAX_TOKENS),
        "presence_penalty": _PENALTY,
        "frequency_penalty": _PENALTY,
        "repetition_penalty": (0.0, 2.0),
        "timeout_ms": (1.0, _DEADLINE_MS),
        "first_token_timeout_ms": (1.0, _DEADLINE_MS),
    }
)
"""What a transform may touch, with lower and upper bounds. Never the address, the key, the provider, the model."""


@dataclass(frozen=True)
class Host:
    """The bounds of one host."""

    parameters: Mapping[str, tuple[float, float]] = field(default_factory=lambda: REQUEST_PARAMETERS)
    custom: frozenset[str] = frozenset()
    """Names of the registered `custom` transforms."""
    max_attempts: int = 5
    """Most retries that one action may ask for."""
    max_backoff_ms: float = 30_000.0
    """Longest single wait."""
    max_breaker_ms: float = 300_000.0
    """Longest time that a policy can open a breaker for."""
    max_calls: int = 12
    """Most attempts per request, whatever the plan says."""
    deadline_ms: float = _DEADLINE_MS
    """Longest a request may take, waits included."""

    def clamp(self, parameter: str, value: float) -> float:
        """A number held inside this host's bounds for a parameter; `KeyError` if it may not be set at all."""
        low, high = self.parameters[parameter]
        return min(max(value, low), high)


DEFAULT_HOST: Final = Host()

_NAMES: Final = frozenset((
    "Family", "Provider", "ServedBy", "Capability", "ParamName", "Sym", "Provenance", "FailReason", "Tier",
))  # fmt: skip
_TOUCHING: Final = frozenset(("set_param", "inject_seed", "clamp_param", "jitter"))
_KNOWN_KNOBS: Final = frozenset(("action", "then_action", "attempts", "open_breaker_ms", "backoff_ms"))


def runnable(admitted: Admitted, host: Host = DEFAULT_HOST) -> tuple[Finding, ...]:
    """What keeps a term from running on this host (errors), and what the host will do differently (warnings)."""
    look = _Look(host)
    look.term(admitted.normal, admitted.version, "$")
    look.hidden(admitted.source, "$")
    return tuple(look.found)


def require_runnable(admitted: Admitted, host: Host = DEFAULT_HOST) -> tuple[Finding, ...]:
    """The warnings alone; raises `NotRunnable` with all findings where one of them is an error."""
    found = runnable(admitted, host)
    if any(finding.severity == "error" for finding in found):
        raise NotRunnable("well-formed, but not runnable here", found)
    return found


class _Look:
    """One pass over one normal form, at most 64 levels deep."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.found: list[Finding] = []

    def say(self, path: str, code: Code, reason: str, hint: str | None = None, severity: Severity = "error") -> None:
        self.found.append(Finding(reason, code, Place(path=path), hint, severity))

    def term(self, term: Term, version: Version, path: str) -> None:
        op = OPS[term[0]]
        kinds = op.args * (len(term) - 1) if op.variadic else op.arguments(version)
        for index, (kind, arg) in enumerate(zip(kinds, term[1:], strict=True), 1):
            place = f"{path}.{op.name}[{index}]"
            if kind in SORTS:
                self.term(arg, version, place)
            elif kind == "Action":
                self.action(arg, place)
            elif kind in _NAMES or kind in {"Chain", "Recipe"}:
                self.names(arg, place)
        if op.name in _TOUCHING:
            self.touches(op.name, term[1], term[2:], path)
        elif op.name == "custom" and term[1] not in self.host.custom:
            hint = did_you_mean(term[1], sorted(self.host.custom)) or "this host registers it, or it goes"
            self.say(f"{path}.custom[1]", "custom", f"no transform {shown(term[1])} is registered here", hint)
        elif op.name == "override" and term[2] not in FAIL_REASONS:
            hint = did_you_mean(term[2], FAIL_REASONS)
            self.say(f"{path}.override[2]", "reason", f"no failure has the reason {shown(term[2])}", hint, "warning")

    def names(self, value: Any, path: str) -> None:
        """No name holds a control character, here or inside a chain or a recipe."""
        for place, name in _strings(value, path):
            if one_line(name) != name:
                self.say(place, "control", f"{shown(name)} holds a control or invisible character", "remove it")

    def touches(self, op: str, parameter: str, values: list[Any], path: str) -> None:
        """The parameter is on the list; numbers outside the bounds will be clamped."""
        bounds = self.host.parameters.get(parameter)
        if bounds is None:
            hint = did_you_mean(parameter, self.host.parameters) or f"one of {', '.join(self.host.parameters)}"
            self.say(f"{path}.{op}[1]", "parameter", f"a policy may not touch the parameter {shown(parameter)}", hint)
            return
        for index, value in enumerate(values, 2):
            place = f"{path}.{op}[{index}]"
            if op == "set_param" and value == FROM_CONTEXT:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                self.say(place, "value", f"{parameter} takes a number, got {kind_of(value)}")
            elif op != "jitter" and self.host.clamp(parameter, value) != value:
                low, high = bounds
                self.say(place, "value", f"{parameter} {value:g} is held between {low:g} and {high:g}", None, "warning")

    def action(self, action: dict[str, Any], path: str) -> None:
        """Attempts and waits within bounds; keys that nothing reads are named."""
        attempts = action.get("attempts", 1)
        if not _within(attempts, 0, self.host.max_attempts) or attempts != int(attempts):
            reason = f"attempts {attempts:g} is no whole number from 0 to {self.host.max_attempts}"
            self.say(f"{path}.attempts", "attempts", reason)
        self.backoff(action.get("backoff_ms", 0), f"{path}.backoff_ms")
        breaker = action.get("open_breaker_ms", 0)
        if not _within(breaker, 0, self.host.max_breaker_ms):
            reason = f"open_breaker_ms {breaker:g} is held between 0 and {self.host.max_breaker_ms:g}"
            self.say(f"{path}.open_breaker_ms", "breaker", reason, None, "warning")
        for key in sorted(action.keys() - _KNOWN_KNOBS):
            place = f"{path}.{one_line(key, limit=40)}"
            self.names(key, place)
            self.say(
                place, "knob", f"nothing here reads {shown(key)}", did_you_mean(key, sorted(_KNOWN_KNOBS)), "warning"
            )

    def backoff(self, backoff: Any, path: str) -> None:
        waits = cast("list[float]", backoff) if isinstance(backoff, list) else [cast("float", backoff)]
        if not waits:
            self.say(path, "backoff", "backoff_ms is an empty list", "write 0, or leave it out")
        for index, wait in enumerate(waits, 1):
            if not _within(wait, 0, self.host.max_backoff_ms):
                place = f"{path}[{index}]" if isinstance(backoff, list) else path
                self.say(place, "backoff", f"backoff_ms {wait:g} is not from 0 to {self.host.max_backoff_ms:g}")

    def hidden(self, source: Term, path: str) -> None:
        """Overrides in the source for a reason that one further out already has."""
        if source[0] == "policy":
            self.hidden(source[-1], f"{path}.policy[{len(source) - 1}]")
            return
        seen: set[str] = set()
        while source[0] == "override":
            if source[2] in seen:
                reason = f"the override for {shown(source[2])} has no effect: one further out wins"
                self.say(f"{path}.override[2]", "hidden", reason, "remove one of them", "warning")
            seen.add(source[2])
            source, path = source[1], f"{path}.override[1]"


def _within(value: float, low: float, high: float) -> bool:
    return low <= value <= high


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every string in a parameter, keys of records included, with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value), 1):
            yield from _strings(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, entry in cast("dict[str, Any]", value).items():
            place = f"{path}.{one_line(key, limit=40)}"
            yield place, key
            yield from _strings(entry, place)
