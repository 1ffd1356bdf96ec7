"""What a request asks of a decision: its requirements, a pin, and what of it has an effect under the policy at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from workbench.catalog import Catalog
from workbench.engine.context import Context
from workbench.language.admission import Admitted
from workbench.server.x.refusal import refused, shapeless

REQUIREMENTS: Final = (
    "needs", "model_family", "tier", "privacy", "min_quality", "min_tok_s", "min_context", "context", "pin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pin:
    """The one pair that a request wants; filter and envelope hold for it all the same."""

    provider: str
    model: str

    def json(self) -> dict[str, str]:
        """As the wire has it."""
        return {"provider": self.provider, "model": self.model}

    def places(self, catalog: Catalog) -> frozenset[int]:
        """The offers it means, by model family or by served id."""
        return frozenset(
            index
            for index, row in enumerate(catalog.candidates)
            if row["provider_id"] == self.provider and self.model in (row["model_family"], row["served_model_id"])
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a decision sees it."""

    context: Context
    pin: Pin | None
    warnings: tuple[str, ...]


def asked_of(body: Mapping[str, Any], policy: Admitted, state: Mapping[str, Any]) -> Asked:
    """The context of a request. Raises `Refused` for requirements that are no object, and for a malformed pin.

    `requirements`, where it says anything, replaces `{"context": ...}`. `context` by itself has no effect, as on the
    public host; `"enforce_context": true` makes `min_context` of it. Requirements act through `meets_req` alone: where
    the policy has none, a warning says so.
    """
    wanted = _requirements(body)
    warnings: list[str] = []
    size = _context(body)
    if size is not None and body.get("enforce_context") is True:
        wanted = {**wanted, "min_context": size}
        warnings.append(f"`context` was read as `min_context` {size:g}, because `enforce_context` is true")
    elif size is not None and "min_context" not in wanted:
        warnings.append("`context` has no effect; send `requirements.min_context`, or `enforce_context`: true")
    acting = sorted(set(wanted) - {"context", "pin"})
    if acting and "meets_req" not in _operations(policy.normal):
        warnings.append(f"the policy has no `meets_req`, so nothing reads {', '.join(f'`{name}`' for name in acting)}")
    request: dict[str, Any] = {"requirements": wanted}
    if "scope" in body:
        request["scope"] = body["scope"]
    return Asked(Context(request, state, body.get("seed")), _pin(wanted.get("pin")), tuple(warnings))


def _requirements(body: Mapping[str, Any]) -> dict[str, Any]:
    value = body.get("requirements")
    if value is not None and not isinstance(value, dict):
        raise shapeless(("dict_type", ("body", "requirements"), "Input should be a valid dictionary", None))
    top = {name: body[name] for name in REQUIREMENTS if name in body and name != "context"}
    given = cast("dict[str, Any]", value or {})
    unknown = sorted(set(given) - set(REQUIREMENTS))
    if unknown:
        known = ", ".join(REQUIREMENTS)
        raise refused(400, "invalid_request", f"unknown requirement(s): {', '.join(unknown)}; known: {known}")
    return {**top, **given}


def _context(body: Mapping[str, Any]) -> float | None:
    value = body.get("context")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise shapeless(("int_type", ("body", "context"), "Input should be a valid integer", None))
    return value


def _pin(value: object) -> Pin | None:
    if value is None:
        return None
    if isinstance(value, dict):
        pin = cast("dict[str, Any]", value)
        provider, model = pin.get("provider", pin.get("provider_id")), pin.get("model", pin.get("model_family"))
        if isinstance(provider, str) and isinstance(model, str) and provider and model:
            return Pin(provider, model)
    raise refused(400, "invalid_request", 'a pin is {"provider": PROVIDER, "model": MODEL_FAMILY}')


def _operations(term: list[Any]) -> set[str]:
    found = {term[0]} if term and isinstance(term[0], str) else set[str]()
    for item in term[1:]:
        if isinstance(item, list):
            found |= _operations(cast("list[Any]", item))
    return found
