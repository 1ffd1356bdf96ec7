"""A workspace whose catalog and tenants carry what a terminal would obey and what markup would run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from workbench.session.workspace import sample_root

MARK = "PWNED"
SEQUENCES = (
    f"\x1b]52;c;{MARK}\x07", f"\x1b]8;;http://x\x1b\\{MARK}\x1b]8;;\x1b\\", f"\x1b]0;{MARK}\x07",
    "\x1b[2J\x1b[H", "\x9b2J", "\x9d52;c;AAAA\x9c", "a\x07b", "a\rb", "a\x7fb", "a\x00b",
    "a\u202eb", "a\u2066b\u2069", "a\u200bb", "a\u2028b", "\U000e0041x",
)  # fmt: skip
"""Row 38 and 39: OSC 52, OSC 8, OSC 0, CSI, C1, BEL, CR, DEL, NUL, bidi, zero width, line separators, tags."""
MARKUP = (
    "[/",
    "[@click=app.quit]x[/]",
    "[red",
    "[ai/gpt-4]",
    "[bold]",
    "[/red]",
    "]",
    "\\[",
    "[link=http://x]y[/link]",
    "$accent",
)
"""Row 37."""
FORBIDDEN = (
    "\x1b]52;c;PW",
    "\x1b]8;;http",
    "\x1b]0;PW",
    "\x9b",
    "\x9d",
    "\x00",
    "\x7f",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u2028",
    "\U000e0041",
)
"""What may not reach the terminal from data."""


def hostile_workspace(folder: Path) -> Path:
    """The sample with those names in its models, offers and tenants' titles and texts."""
    root = folder / "hostile"
    shutil.copytree(sample_root(), root)
    catalog = json.loads((sample_root().parent / "catalogs" / "2026-11.json").read_text())
    names = [*SEQUENCES, *MARKUP]
    for k, offer in enumerate(catalog["offers"]):
        offer["served_model_id"] = f"{names[k % len(names)]}-{k}"
    renamed = {model["id"]: f"{names[k % len(names)]}{model['id']}" for k, model in enumerate(catalog["models"])}
    for model in catalog["models"]:
        model["id"] = renamed[model["id"]]
    for offer in catalog["offers"]:
        offer["model"] = renamed.get(offer["model"], offer["model"])
    (root / "catalog.json").write_text(json.dumps(catalog))
    settings = (root / "workbench.toml").read_text().replace('catalog = "2026-11"', 'catalog = "catalog.json"')
    (root / "workbench.toml").write_text(settings)
    for k, path in enumerate(sorted((root / "tenants").glob("*.toml"))):
        title = json.dumps(names[k % len(names)] + MARKUP[k % len(MARKUP)]).replace("\x7f", "\\u007f")
        text = path.read_text()
        lines = [line for line in text.splitlines() if not line.startswith("title")]
        path.write_text(f"title = {title}\n" + "\n".join(lines) + "\n")
    (root / "tenants" / "broken.toml").write_text('[facts]\nplan = "\\u001b]52;c;PWNED\\u0007[/"\n')
    return root
