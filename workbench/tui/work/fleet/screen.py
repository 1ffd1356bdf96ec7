"""The real tenant base: opened once, then every supposition answered over all of it in a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from textual import on

from workbench.errors import WorkbenchError
from workbench.tui.doing.saving import reason_of
from workbench.tui.screens.dialogs import AskText
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.work.fleet.files import ask_export, ask_sample, ask_source
from workbench.tui.work.fleet.showing import VIEWS, FleetView
from workbench.whatif.fleet.answer import answer
from workbench.whatif.fleet.asked import PolicyRow, policies
from workbench.whatif.fleet.asking import Supposed


class FleetScreen(FleetView):
    """A company's real tenants, grouped by what decides about them, so that a million answer in a moment.

    What is not saved yet counts: edits on the main screen are measured against the files. `e` supposes another text or
    number for a clause, `d` that providers are down, `f` a fact of everyone. `v` goes from segments to changes of
    winner, to who is stranded, to who moved, to rows without a policy. Nothing is written to the source.
    """

    PLACE = "fleet"
    HEADING = "Fleet"

    @on(LineTable.RowOpened)
    def _opened(self) -> None:
        self.do_detail()

    def do_detail(self) -> None:
        """The policies of the segment under the cursor."""
        base, totals = self.kept.base, self.totals
        if base is None or totals is None or self.view != "segments" or self.detail is not None:
            return
        row = self.row()
        segments = {segment for segment, _ in totals.segments()}
        if row is None or row[: len(totals.by)] not in segments:
            self.say("choose one segment", "warn")
            return
        segment = row[: len(totals.by)]
        self.places[self.view] = self.query_one("#fleet-rows", LineTable).cursor
        before, after = self.sides()
        by = totals.by
        self.background.start(
            "looking",
            lambda _: policies(base, segment, after, before, by),
            lambda found: self._detailed(segment, found),
        )

    def _detailed(self, segment: tuple[str, ...], found: Sequence[PolicyRow]) -> None:
        self.detail, self.policies = segment, found
        self.draw()

    def do_view(self) -> None:
        """The next list."""
        totals = self.totals
        if totals is None:
            return
        views = [name for name in VIEWS if totals.compares or name not in ("changes", "moved")]
        self.detail = None
        self.view = views[(views.index(self.view) + 1) % len(views)]
        self.draw()

    def do_clear(self) -> None:
        """Suppose nothing."""
        self.kept.supposed = Supposed()
        self.ask()

    def do_rule(self) -> None:
        """Ask for another text of a clause."""
        text = "CLAUSE=TEXT, or CLAUSE=NUMBER where it compares one. For several put | between them."
        self._ask_words("Suppose a rule", text, "rules", "free-floor=0.4", separator="|")

    def do_down(self) -> None:
        """Ask who is down."""
        text = f"Providers, with blanks between them. {self._cheapest()}"
        self._ask_words("Suppose that providers are down", text, "down", "", separator=" ")

    def do_fact(self) -> None:
        """Ask for a fact of everyone."""
        text = "FACT=VALUE for every tenant. For several put | between them."
        self._ask_words("Suppose a fact", text, "facts", "dpa_signed=true", separator="|")

    def _cheapest(self) -> str:
        """Whom most money goes to, and the cheapest of each region, as a help for who does not know the names."""
        candidates = self.state.catalog.candidates
        found: dict[str, tuple[float, str]] = {}
        for candidate in candidates:
            price_in, price_out = candidate.get("price_in"), candidate.get("price_out")
            if isinstance(price_in, int | float) and isinstance(price_out, int | float):
                pair = (float(price_in + price_out), str(candidate["provider_id"]))
                region = str(candidate.get("region"))
                found[region] = min(found.get(region, pair), pair)
        shown = [f"{region} {found[region][1]}" for region in ("eu", "us", "global") if region in found]
        return f"The cheapest offer is of: {', '.join(shown)}." if shown else ""

    def _ask_words(self, title: str, text: str, name: str, example: str, *, separator: str) -> None:
        if self.kept.base is None:
            self.say("open a source first, with o", "warn")
            return
        now: tuple[str, ...] = getattr(self.kept.supposed, name)
        glue = f" {separator} " if separator != " " else " "
        self.host.push_screen(
            AskText(title, text, glue.join(now) or example), lambda given: self._suppose(name, given, separator)
        )

    def _suppose(self, name: str, given: str | None, separator: str) -> None:
        if given is None:
            return
        words = tuple(word.strip() for word in given.split(separator) if word.strip())
        before = self.kept.supposed
        self.kept.supposed = replace(before, **{name: words})
        try:
            self.sides()
        except WorkbenchError as error:
            self.kept.supposed = before
            self.show_banner(reason_of(error))
            return
        self.ask()

    def do_by(self) -> None:
        """Ask for the fields of a segment."""
        fields = [name for name, known in self.state.rulebook.schema.fields.items() if known.kind != "list"]
        now = self.totals.by if self.totals is not None else self.kept.settings.by
        text = f"Fields with commas between them: {', '.join(fields)}."
        self.host.push_screen(AskText("Segments by", text, ",".join(now)), self._by)

    def _by(self, given: str | None) -> None:
        if given is None:
            return
        by = tuple(name.strip() for name in given.split(",") if name.strip())
        try:
            if self.kept.base is not None:
                replace(self.kept.base.plan, by=by)
        except WorkbenchError as error:
            self.show_banner(reason_of(error))
            return
        self.kept.settings = replace(self.kept.settings, by=by)
        self.places.clear()
        self.ask()

    def do_source(self) -> None:
        """Ask for a source, then read it beside the screen."""
        ask_source(self)

    def do_sample(self) -> None:
        """Ask how many tenants, and where they go."""
        ask_sample(self)

    def do_export(self) -> None:
        """Ask for a file for every tenant, or for a folder for what is shown."""
        ask_export(self)

    # taking along

    def copied(self) -> str:
        row = self.row()
        return "" if row is None else "  ".join(cell for cell in row if cell)

    def exports(self) -> Mapping[str, bytes]:
        if self.totals is None:
            return {}
        return answer(self.totals, source=self.subject()).files("fleet")
