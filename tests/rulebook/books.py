"""Rulebooks and tenants made from TOML, over a small vocabulary, for the tests beside this file."""

from __future__ import annotations

from workbench.boundary import guarded_toml
from workbench.errors import Finding, WorkbenchError
from workbench.language.vocabulary import CORE, Category, Field
from workbench.rulebook.compile import Compiled, compile_policy
from workbench.rulebook.rulebook import Rulebook, parse_rulebook
from workbench.rulebook.tenant import Tenant, parse_tenant

NAMES = CORE.extend(
    [
        Field("bench_intelligence", "Num", 0.0, "index", "a benchmark figure"),
        Field("trains_on_data", "Bool", True, "", "prompts may be trained on"),
        Field("dpa", "Bool", False, "", "a data processing agreement is offered"),
    ],
    [Category("region", ("eu", "us", "cn", "global", "unknown"), "where it is served")],
)

FIELDS = """
[tenant.plan]
kind = "choice"
values = ["free", "enterprise", "vip"]
[tenant.region]
kind = "choice"
values = ["eu", "us", "global"]
[tenant.dpa_signed]
kind = "flag"
[tenant.seats]
kind = "number"
min = 0
max = 10000
[tenant.contact]
kind = "text"
[tenant.approved_providers]
kind = "list"
of = "provider"
[tenant.blocked_providers]
kind = "list"
of = "provider"
"""


def book(rules: str, *, fields: str = FIELDS, head: str = "") -> Rulebook:
    """The rulebook of these rules over the usual fields."""
    text = f"{head}\n{fields}\n{rules}"
    document = guarded_toml.loads(text.encode(), source="rulebook.toml")
    return parse_rulebook(document, source="rulebook.toml", text=text, vocabulary=NAMES)


def tenant(rulebook: Rulebook, facts: str, rest: str = "", *, head: str = "") -> Tenant:
    """A tenant with these facts, `no_log = false` unless they say otherwise."""
    stated = facts if "no_log" in facts else f"no_log = false\n{facts}"
    return raw_tenant(rulebook, f"{head}\n[facts]\n{stated}\n{rest}")


def raw_tenant(rulebook: Rulebook, text: str) -> Tenant:
    """The tenant that this file is."""
    document = guarded_toml.loads(text.encode(), source="acme.toml")
    return parse_tenant(document, source="acme.toml", text=text, schema=rulebook.schema, file_id="acme")


def compiled(rulebook: Rulebook, who: Tenant) -> Compiled:
    """The tenant's policy."""
    return compile_policy(who, rulebook, NAMES)


def only(error: WorkbenchError, code: str) -> Finding:
    """The one finding of that code."""
    found = [finding for finding in error.findings if finding.code == code]
    assert len(found) == 1, str(error)
    return found[0]


def filters(result: Compiled) -> dict[str, str]:
    """The filter clauses in force by id, as shown."""
    return {clause.id: clause.shown for clause in result.clauses if clause.enabled}
