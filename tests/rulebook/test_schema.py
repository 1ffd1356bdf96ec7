"""The tenant schema and the facts: what a document may say, and what is refused with its place and a way out."""

from __future__ import annotations

import pytest

from tests.rulebook.books import FIELDS, book, only, raw_tenant, tenant
from workbench.errors import RulebookError, TenantError

EMPTY = book("")


def line_of(text: str, needle: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if needle in line)


@pytest.mark.parametrize(
    ("fields", "code", "needle", "hint"),
    [
        ('[tenant.plan]\nkind = "chioce"\nvalues = ["a"]', "kind", "kind", "choice"),
        ("[tenant.plan]\nmeaning = 'x'", "kind", "[tenant.plan]", "one of choice, flag, number, text, list"),
        ('[tenant.plan]\nkind = "choice"', "values", "[tenant.plan]", "values ="),
        ('[tenant.plan]\nkind = "choice"\nvalues = ["a", "a"]', "values", "values", None),
        ('[tenant.plan]\nkind = "choice"\nvalues = ["A B"]', "values", "values", "small letters"),
        ('[tenant.plan]\nkind = "choice"\nvalues = "free"', "values", "values", None),
        ('[tenant.plan]\nkind = "flag"\nvalues = ["a"]', "values", "values", None),
        ('[tenant.plan]\nkind = "flag"\nvalue = ["a"]', "unknown_key", "value", "values"),
        ('[tenant.Plan]\nkind = "flag"', "name", "[tenant.Plan]", "small letters"),
        ('[tenant.tokens_in]\nkind = "number"', "name", "[tenant.tokens_in]", "another name"),
        ('[tenant.seats]\nkind = "flag"\nmin = 1', "limits", "min", None),
        ('[tenant.seats]\nkind = "number"\nmin = "1"', "type", "min", None),
        ('[tenant.seats]\nkind = "number"\nmax = 5\ndefault = 6', "default", "default", None),
        ('[tenant.no_log]\nkind = "number"', "kind", "kind", "flag"),
        ('[tenant.no_log]\nkind = "flag"\ndefault = false', "default", "default", "leave it out"),
        ('[tenant.a]\nkind = "flag"\n[tenant.b]\nkind = 3', "kind", "kind = 3", "one of"),
        ("tenant = 5", "type", "tenant", None),
    ],
)
def test_a_broken_field_is_refused_at_its_line(fields: str, code: str, needle: str, hint: str | None) -> None:
    with pytest.raises(RulebookError) as caught:
        book("", fields=fields)
    finding = only(caught.value, code)
    assert finding.place.source == "rulebook.toml"
    assert finding.place.line == line_of(f"\n{fields}", needle)
    assert hint is None or (finding.hint is not None and hint in finding.hint)


def test_two_fields_that_when_could_not_tell_apart_are_refused() -> None:
    fields = '[tenant.plan]\nkind = "choice"\nvalues = ["free"]\n[tenant.plan_free]\nkind = "flag"'
    with pytest.raises(RulebookError) as caught:
        book("", fields=fields)
    assert "plan_free" in only(caught.value, "duplicate").reason


def test_every_problem_of_a_rulebook_is_told_at_once() -> None:
    with pytest.raises(RulebookError) as caught:
        book(
            '[[rule]]\nid = "a"\nwhen = "plam = free"\nfilter = "no_lgo"\n[[rule]]\nid = "b"',
            fields=FIELDS + '[tenant.x]\nkind = "flga"',
        )
    assert {finding.code for finding in caught.value.findings} >= {"kind", "empty_rule"}
    assert len(caught.value.findings) == 4


@pytest.mark.parametrize(
    ("facts", "reason", "hint"),
    [
        ('plan = "fere"', "`plan` cannot be `fere`", "free"),
        ("plan = 3", "must be a text, found a number", "one of free, enterprise, vip"),
        ('dpa_signed = "true"', "must be true or false, found a text", None),
        ("dpa_signed = 1", "must be true or false, found a number", None),
        ("seats = true", "must be a number, found true or false", None),
        ('seats = "3"', "must be a number, found a text", None),
        ("seats = -1", "it must be at least 0 and at most 10000", None),
        ("seats = 1e300", "finite number", None),
        ('approved_providers = "openai"', "must be a list of texts, found a text", None),
        ("approved_providers = [1]", "must hold texts only", None),
        ('approved_providers = ["a", "a"]', "names `a` twice", None),
        ('approved_providers = [""]', "empty text", None),
        ("contact = 2026-11-22", "must be a text, found a date", None),
        (f'contact = "{"x" * 300}"', "more than 256 bytes", None),
    ],
)
def test_a_fact_that_does_not_fit_its_field_is_refused(facts: str, reason: str, hint: str | None) -> None:
    with pytest.raises(TenantError) as caught:
        tenant(EMPTY, facts)
    finding = only(caught.value, "fact")
    assert reason in finding.reason
    assert finding.place.line == 4
    assert finding.place.path == f"facts.{facts.partition(' ')[0]}"
    assert hint is None or (finding.hint is not None and hint in finding.hint)


def test_a_list_beyond_its_limit_is_refused() -> None:
    many = ", ".join(f'"p{n}"' for n in range(1_001))
    with pytest.raises(TenantError, match="the most is 1000"):
        tenant(EMPTY, f"approved_providers = [{many}]")


@pytest.mark.parametrize(
    ("text", "code", "line", "hint"),
    [
        ("[facts]\nno_log = false\nregoin = 'eu'", "unknown_field", 3, "region"),
        ("plan = 'free'\n[facts]\nno_log = false", "misplaced", 1, "[facts]"),
        ("titel = 'x'\n[facts]\nno_log = false", "unknown_key", 1, "title"),
        ("title = 5\n[facts]\nno_log = false", "type", 1, None),
        ("facts = 5", "type", 1, None),
        ("[facts]\nno_log = false\n[workload]\ntokens_in = '5'", "type", 4, None),
        ("[facts]\nno_log = false\n[workload]\ntokens_in = -5", "limits", 4, None),
        ("[facts]\nno_log = false\n[workload]\ntoken_in = 5", "unknown_key", 4, "tokens_in"),
        ("override = 3\n[facts]\nno_log = false", "type", 1, "[[override]]"),
        ("[facts]\nno_log = false\n[[override]]\nrule = 'x'", "empty_override", 3, "off = true"),
        ("[facts]\nno_log = false\n[[override]]\noff = true", "empty_override", 3, 'text = "..."'),
        ("[facts]\nno_log = false\n[[override]]\ntext = 'no_log'\nslot = 'filtre'", "slot", 5, "filter"),
        ("[facts]\nno_log = false\n[[override]]\nfilter = 'no_log'\nrank = 'price_in'", "both", 3, "[[override]]"),
        ("[facts]\nno_log = false\n[[override]]\ntext = 'no_log'\nindex = 0", "type", 5, None),
        ("[facts]\nno_log = false\n[[override]]\ntext = 'no_log'\nid = 'Own 1'", "id", 5, "small letters"),
        ("[facts]\nno_log = false\n[[override]]\ntext = 'no_log'\nrulle = 'x'", "unknown_key", 5, "rule"),
    ],
)
def test_a_tenant_file_that_says_something_else_is_refused(text: str, code: str, line: int, hint: str | None) -> None:
    with pytest.raises(TenantError) as caught:
        raw_tenant(EMPTY, text)
    found = [finding for finding in caught.value.findings if finding.code == code]
    assert found, str(caught.value)
    assert found[0].place.line == line
    assert hint is None or (found[0].hint is not None and hint in found[0].hint)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/x", "a\\u0000b", "x" * 300, ".hidden", "-rf", "a.", "Ünal"])
def test_an_id_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(TenantError) as caught:
        raw_tenant(EMPTY, f'id = "{name}"\n[facts]\nno_log = false')
    (finding,) = caught.value.findings
    assert finding.place.path == "id"
    assert finding.place.line == 1


def test_what_a_tenant_leaves_out_is_the_default_or_unknown() -> None:
    rulebook = book("", fields=FIELDS + '[tenant.tier]\nkind = "choice"\nvalues = ["a", "b"]\ndefault = "b"')
    who = tenant(rulebook, "")
    assert who.facts["tier"] == "b"
    assert "plan" not in who.facts
    assert who.id == who.title == "acme"


def test_control_characters_in_a_name_do_not_reach_the_message() -> None:
    with pytest.raises(TenantError) as caught:
        tenant(EMPTY, '"evil\\u001b]52;c;x\\u0007" = 1')
    assert str(caught.value).replace("\n", "").isprintable()
