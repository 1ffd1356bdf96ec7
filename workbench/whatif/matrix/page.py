"""A sheet as one page of HTML that needs nothing but a browser: it fetches nothing, and works from a disk.

A heading sorts, a field filters, the first column and the headings stay in sight. Every name goes through the sanitiser
and is escaped; the page's own policy forbids it any address.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from workbench.boundary.sanitiser import one_line
from workbench.errors import Finding, UsageError
from workbench.whatif.matrix.exports import body, header
from workbench.whatif.matrix.grid import rule_titles
from workbench.whatif.matrix.sheet import Sheet

MOST_CELLS: Final = 600_000
"""A browser needs some seconds for as many; more of them it may not show at all."""

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --away: #777; --good: #0a7d33; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 1rem; }
h1 { font-size: 1.2rem; margin: 0 0 .3rem; }
p { margin: .3rem 0; }
input { font: inherit; padding: .2rem .4rem; min-width: 18rem; }
.sheet { overflow: auto; max-height: 80vh; border: 1px solid var(--line); margin: .6rem 0; }
table { border-collapse: separate; border-spacing: 0; }
th, td { padding: .15rem .5rem; border-bottom: 1px solid var(--line); border-right: 1px solid var(--line);
  white-space: nowrap; text-align: left; }
thead th { position: sticky; top: 0; background: Canvas; z-index: 1; vertical-align: bottom; }
thead button { font: inherit; font-weight: bold; border: 0; background: none; color: inherit; cursor: pointer;
  white-space: normal; overflow-wrap: anywhere; text-align: left; max-width: 12rem; padding: 0; }
thead th[aria-sort=ascending] button::after { content: " \\25B4"; }
thead th[aria-sort=descending] button::after { content: " \\25BE"; }
tbody th { position: sticky; left: 0; background: Canvas; }
thead th:first-child { left: 0; z-index: 2; }
td { color: var(--away); }
td.r { color: inherit; text-align: right; }
td.w { color: var(--good); font-weight: bold; text-align: right; }
dt { font-weight: bold; float: left; clear: left; margin-right: .6rem; }
"""

_SCRIPT: Final = """
"use strict";
const table = document.querySelector("table"), rows = Array.from(table.tBodies[0].rows);
const said = (row, at) => row.cells[at].textContent;
const order = (a, b) => {
  const x = Number(a), y = Number(b), p = a !== "" && !isNaN(x), q = b !== "" && !isNaN(y);
  return p && q ? x - y : p !== q ? (p ? -1 : 1) : a < b ? -1 : a > b ? 1 : 0;
};
table.tHead.addEventListener("click", event => {
  const head = event.target.closest("th");
  if (!head) return;
  const at = head.cellIndex, down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  rows.sort((a, b) => (down ? -1 : 1) * order(said(a, at), said(b, at)));
  table.tBodies[0].append(...rows);
});
document.querySelector("input").addEventListener("input", event => {
  const words = event.target.value.toLowerCase().split(/\\s+/);
  for (const row of rows) {
    const text = row.cells[0].textContent.toLowerCase();
    row.hidden = !words.every(word => text.includes(word));
  }
});
"""


def as_html(sheet: Sheet, title: str) -> str:
    """The page, UTF-8. Raises `UsageError` for a sheet that no browser would show."""
    count = len(sheet.rows) * len(sheet.columns)
    if count > MOST_CELLS:
        hint = "narrow it: --by provider, --by model, --tenant, --offer or --differences; --csv takes any size"
        reason = f"{count:,} cells are more than a page of {MOST_CELLS:,}"
        raise UsageError("the page would be too large", [Finding(reason, "too_large", hint=hint)])
    return "".join(_parts(sheet, title))


def _parts(sheet: Sheet, title: str) -> Iterator[str]:
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{_text(title)}</h1>\n"
    yield from (f"<p>{_text(line)}</p>\n" for line in about(sheet))
    yield '<p><input type="search" placeholder="only tenants that contain …" aria-label="filter"></p>\n'
    yield '<div class="sheet"><table>\n<thead><tr>'
    yield from (f'<th scope="col"><button>{_text(name)}</button></th>' for name in header(sheet))
    yield "</tr></thead>\n<tbody>\n"
    yield from _rows(sheet)
    yield "</tbody>\n</table></div>\n<dl>\n"
    yield from (
        f"<dt>{_text(name)}</dt><dd>{_text(words)}</dd>\n"
        for name, words in rule_titles(sheet.matrix.evaluation).items()
    )
    yield f"</dl>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"


def about(sheet: Sheet) -> Iterator[str]:
    """What the sheet shows, in words."""
    catalog = sheet.matrix.state.catalog
    shown = f"{len(sheet.rows)} of {len(sheet.matrix.tenants)} tenants, {len(sheet.columns)} of "
    yield f"{shown}{len(sheet.matrix.axis.names)} columns by {sheet.matrix.axis.by}"
    yield f"catalog {catalog.name} of {catalog.date}, {len(catalog)} offers, sha256 {catalog.sha256}"
    yield "a number is the place in the tenant's order, 1 the winner; a word is the rule that turns the offer away"
    if sheet.asked.differences:
        yield f"only differences: {sheet.hidden} columns say the same for every tenant, tenants alike share a row"


def _rows(sheet: Sheet) -> Iterator[str]:
    fixed = len(header(sheet)) - len(sheet.columns)
    known = {"1": '<td class="w">1</td>'}
    for row in body(sheet):
        cells = [f'<th scope="row">{_text(row[0])}</th>', *(f"<td>{_text(text)}</td>" for text in row[1:fixed])]
        for text in row[fixed:]:
            cell = known.get(text)
            if cell is None:
                start = '<td class="r">' if text.isdecimal() else "<td>"
                cell = known[text] = f"{start}{_text(text)}</td>"
            cells.append(cell)
        yield f"<tr>{''.join(cells)}</tr>\n"


def _text(text: str) -> str:
    return escape(one_line(text), quote=True)
