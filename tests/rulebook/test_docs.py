"""The page on rulebooks says what the code does."""

from __future__ import annotations

import re

from tests.rulebook.books import book, compiled, filters, raw_tenant, tenant
from tests.rulebook.sample import HERE
from workbench.rulebook.report import MAX_CLAUSE
from workbench.rulebook.rule import MAX_CLAUSES, MAX_RULES
from workbench.rulebook.rulebook import FALLBACKS
from workbench.rulebook.schema import MAX_FIELDS, MAX_VALUES
from workbench.rulebook.tenant import MAX_OVERRIDES

PAGE = (HERE / "docs" / "rulebooks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_compiles_to_what_the_page_says() -> None:
    rulebook = book("", fields=BLOCKS[0])
    shown = filters(compiled(rulebook, raw_tenant(rulebook, BLOCKS[1])))
    assert shown["eu-residency"] == "region = eu"
    assert shown["approved"] == "provider in [azure, mistral]"


def test_the_four_spellings_on_the_page_are_read() -> None:
    for line in BLOCKS[2].splitlines():
        book(f'[[rule]]\nid = "r"\n{line}')


def test_the_defaults_and_limits_on_the_page_are_those_of_the_code() -> None:
    for clause in FALLBACKS:
        assert f"`{clause.text}`" in PAGE
    limits = f"{MAX_RULES:,} rules, {MAX_CLAUSES} clauses a rule, {MAX_FIELDS} fields, {MAX_VALUES:,} entries a list"
    assert limits in PAGE
    assert f"{MAX_OVERRIDES} overrides a tenant, {MAX_CLAUSE:,} characters a clause" in PAGE.replace("\n", " ")


def test_the_message_on_the_page_is_the_message() -> None:
    rulebook = book('[[rule]]\nid = "eu-residency"\nwhen = "region = eu"\nfilter = "region = eu"')
    try:
        compiled(rulebook, tenant(rulebook, ""))
    except Exception as error:  # noqa: BLE001 - its words are what is looked at
        told = str(error).splitlines()[1].strip()
    else:
        told = ""
    assert told
    assert told in re.sub(r"\s+", " ", PAGE)
