"""`GET /x/policy/templates` and `POST /x/policy/templates/{id}`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from workbench.catalog import Catalog
from workbench.server.x.policies import normalize
from workbench.server.x.refusal import refused
from workbench.server.x.templates.known import meant, unheard
from workbench.server.x.templates.options import OptionError
from workbench.server.x.templates.ours import OURS
from workbench.server.x.templates.public import PUBLIC

TEMPLATES: Final = {template.id: template for template in (*PUBLIC, *OURS)}
_PREFER: Final = "the policy uses `prefer`, which the public engine does not know and refuses"


def listing() -> dict[str, Any]:
    """Every template: id, description, what has to be given, and the defaults of the rest."""
    rows = [
        {
            "id": template.id,
            "description": template.description,
            "required": template.required,
            "defaults": template.defaults,
            "public": template.public,
        }
        for template in TEMPLATES.values()
    ]
    return {"templates": rows}


def filled(template_id: str, given: Mapping[str, Any], catalog: Catalog) -> dict[str, Any]:
    """The policy of a template: as `normalize` answers, and `intent`, what was understood.

    A name that no offer of the catalog has stands in `warnings`.

    Raises `Refused` (400 `invalid_policy_template`).
    """
    template = TEMPLATES.get(template_id)
    if template is None:
        words = f"unknown policy template '{template_id[:128]}'; expected one of {', '.join(TEMPLATES)}"
        words += (
            f"; {meant([template_id], tuple(TEMPLATES))}" if get_close_matches(template_id[:128], TEMPLATES) else ""
        )
        raise refused(400, "invalid_policy_template", words)
    try:
        values = template.read(given)
    except OptionError as error:
        raise refused(400, "invalid_policy_template", str(error)) from None
    made = normalize(template.emit(values), catalog.vocabulary)
    warnings = [*unheard(template.named(given, values), catalog.values), _PREFER]
    return {**made, "intent": {"template": template.id, **values}, "warnings": warnings}
