"""Sources opened and results written from the fleet's screen, beside it, with progress."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from workbench.boundary.files import expanded
from workbench.errors import WorkbenchError
from workbench.tui.background import Progress
from workbench.tui.doing.saving import here
from workbench.tui.screens.dialogs import Ask, AskText, Choice
from workbench.tui.work.exporting import ask_where_to
from workbench.tui.work.fleet.showing import VIEWS, FleetView
from workbench.tui.work.fleet.words import read_source
from workbench.whatif.fleet.asking import Supposed, open_fleet, plan_for
from workbench.whatif.fleet.loaded import Base, load
from workbench.whatif.fleet.run import FleetResult, Work, run
from workbench.whatif.fleet.sample import write_sample
from workbench.whatif.fleet.sources.base import Source

_FILES: Final = (".parquet", ".csv")
_NAMED: Final = "[fleet]"
"""Stands for the source that workbench.toml names; an address may hold a password and is never shown."""


def ask_source(screen: FleetView) -> None:
    """Ask for a source, then read it beside the screen."""
    text = (
        "A path, or postgresql://USER@HOST/DATABASE; behind it --table, --query, --id, --map, --ignore, --lists, --by. "
        f"{_NAMED} is what workbench.toml names."
    )
    known = screen.kept.text if "://" not in screen.kept.text else ""
    named = screen.session.workspace.settings.fleet.source
    value = known or (_NAMED if named is not None else "")
    screen.host.push_screen(AskText("Open tenants", text, value), lambda given: _open(screen, given))


def _open(screen: FleetView, given: str | None) -> None:
    if given is None:
        return
    screen.kept.text = given
    workspace, state = screen.session.workspace, screen.state

    def work(progress: Progress) -> tuple[Source, Base, tuple[str, ...]]:
        settings = workspace.settings.fleet
        if given == _NAMED:
            source = open_fleet(settings, None)
        else:
            typed = read_source(given, replace(settings, table=None, query=None))
            settings = typed.settings
            place = str(expanded(typed.place)) if "://" not in typed.place else typed.place
            source = open_fleet(settings, place, typed.kind)
        plan = plan_for(source, workspace, settings, Supposed(), state)
        base = load(source, plan, progress=lambda rows, share: progress.report(share, f"{rows:,} tenants"))
        return source, base, settings.by

    screen.background.start("reading", work, lambda found: _loaded(screen, *found))


def _loaded(screen: FleetView, source: Source, base: Base, by: tuple[str, ...]) -> None:
    kept = screen.kept
    kept.source, kept.base = source, base
    kept.settings = replace(screen.session.workspace.settings.fleet, by=by)
    screen.view, screen.detail = VIEWS[0], None
    screen.places.clear()
    screen.ask()


def ask_sample(screen: FleetView) -> None:
    """Ask how many tenants, and where they go."""
    text = "How many made-up tenants, and the file they go to: .parquet, .csv or .jsonl."
    value = f"1000000 {here() / 'tenants.parquet'}"
    screen.host.push_screen(AskText("A made-up base", text, value), lambda given: _write_sample(screen, given))


def _write_sample(screen: FleetView, given: str | None) -> None:
    if given is None:
        return
    number, _, name = given.partition(" ")
    count = number.replace(",", "").replace("_", "")
    path = _place(screen, name.strip())
    if path is None:
        return
    if (
        not count.isdecimal()
        or len(count) > 10
        or not 0 < int(count) <= 10**9
        or path.suffix not in (*_FILES, ".jsonl")
    ):
        screen.show_banner("write a number and a file, `1000000 tenants.parquet`")
        return
    if os.path.lexists(path):
        screen.show_banner(f"`{path}` exists already; name another file, or open it with o")
        return
    state = screen.state

    def work(progress: Progress) -> str:
        try:
            write_sample(
                state, int(count), path, told=lambda rows: progress.report(rows / int(count), f"{rows:,} tenants")
            )
        except BaseException:
            path.unlink(missing_ok=True)  # part of a base is none
            raise
        lists = " --lists ;" if path.suffix == ".csv" else ""
        return f"'{path}'{lists}"

    screen.background.start("writing", work, lambda text: _open(screen, text))


def _place(screen: FleetView, text: str) -> Path | None:
    """The path that was written; None, and why in the banner, where it is none."""
    try:
        return expanded(text)
    except WorkbenchError as error:
        screen.failed(error)
        return None


def ask_export(screen: FleetView) -> None:
    """Ask for a file for every tenant, or for a folder for what is shown."""
    if screen.totals is None:
        screen.say("there is nothing to write here", "warn")
        return
    text = "A file that ends in .parquet or .csv gets every tenant; a folder gets what is shown, as text, CSV and JSON."
    ask = AskText("Export: Fleet", text, str(here() / "fleet.parquet"))
    screen.host.push_screen(ask, lambda given: _export(screen, given))


def _export(screen: FleetView, given: str | None, *, force: bool = False) -> None:
    if given is None:
        return
    path = _place(screen, given)
    if path is None:
        return
    if path.suffix not in _FILES:
        ask_where_to(screen, screen.exports())
        return
    if os.path.lexists(path) and not force:
        question = Ask("Write over it?", f"There already: {path.name}.", [Choice("o", "overwrite", "yes")])
        screen.host.push_screen(question, lambda yes: _export(screen, given, force=True) if yes else None)
        return
    source, base = screen.kept.source, screen.kept.base
    if source is None or base is None:
        return
    before, after = screen.sides()
    plan = replace(base.plan, before=before, after=after, by=screen.kept.settings.by or base.plan.by)

    def work(progress: Progress) -> FleetResult:
        job = Work(plan, path, path.with_name(f"{path.stem}.errors.csv"))
        return run(source, job, progress=lambda rows, share: progress.report(share, f"{rows:,} tenants"))

    def done(result: FleetResult) -> None:
        screen.say(f"wrote {result.totals.rows:,} tenants to {path.name}")

    screen.background.start("writing", work, done)
