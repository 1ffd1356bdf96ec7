"""The main screen's layout and everything about looking: which tenant, which clause, which offer, which panel.

Owns the cursors and hands one `View` down to all panels. It changes nothing in the session.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

from textual import events, on
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Input

from workbench.session.actions import Where, actions_for
from workbench.session.session import Session
from workbench.session.targets import Scope
from workbench.tui import wording
from workbench.tui.draft import Draft
from workbench.tui.messages import ClauseChosen, OfferChosen, TenantChosen
from workbench.tui.panels.bars import Footer, Header, status_cells
from workbench.tui.panels.clauses import Clauses
from workbench.tui.panels.decision import Decision
from workbench.tui.panels.facts import Facts
from workbench.tui.panels.panel import Panel
from workbench.tui.panels.policy import Policy
from workbench.tui.panels.tenants import Tenants
from workbench.tui.panels.why_not import WhyNot
from workbench.tui.screens.opening import HORIZONTAL, VERTICAL
from workbench.tui.view import Cursors, View, view_of
from workbench.tui.widgets.drawing import Cell, Line, clean
from workbench.tui.widgets.text_block import TextBlock

PanelName = Literal["tenants", "clauses", "decision", "policy"]
PANELS: tuple[PanelName, ...] = ("tenants", "clauses", "decision", "policy")
EDITOR_KEYS = (
    ("", "enter", "done"),
    ("", "esc", "cancel"),
    ("edit.scope", "^t", "rule/tenant"),
    ("", "tab", "complete"),
    ("", "↑↓", "choose"),
)


def host_of(screen: Screen[None]) -> App[int]:
    """The app a screen is in."""
    return cast("App[int]", screen.app)  # pyright: ignore[reportUnknownMemberType]


class Looking(Screen[None]):
    """Tenants, clauses, decision, policy: left to right, as the data goes."""

    HORIZONTAL_BREAKPOINTS = HORIZONTAL
    VERTICAL_BREAKPOINTS = VERTICAL

    view: reactive[View | None] = reactive(None, repaint=False, always_update=True)
    """What every panel shows."""

    def __init__(self, session: Session) -> None:
        super().__init__(classes="main")
        self.session = session
        self.cursors = Cursors(next(iter(session.evaluation.outcomes), None))
        self.draft: Draft | None = None
        self.elapsed_ms: float | None = None
        self.saved_at: str | None = None
        self.scope: Scope = "rule"
        """Whom edits of a rule's clauses are for."""
        self.moved_to: Path | None = None
        """The folder that this sitting's workspace was saved to, where it is not the one that was opened."""
        self.panel: PanelName = "tenants"
        self.said: Line = ()
        """The last thing that was said, until the next key."""
        self.serving = ""
        """Whether there is an endpoint, in two words."""
        self.serving_ill = False

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        with Horizontal(id="body"):
            yield Tenants(id="tenants").data_bind(Looking.view)
            with Vertical(id="middle"):
                yield Clauses(id="clauses").data_bind(Looking.view)
                yield Policy(id="policy").data_bind(Looking.view)
            with Vertical(id="right"):
                yield Decision(id="decision").data_bind(Looking.view)
                yield WhyNot(id="why").data_bind(Looking.view)
            yield Facts(id="facts").data_bind(Looking.view)
        yield TextBlock(id="banner")
        yield Input(id="filter", compact=True, placeholder="filter: type, enter keeps it, esc clears it")
        yield Footer(id="footer")

    def on_mount(self) -> None:
        self.query_one("#filter", Input).cursor_blink = False
        self.refresh_view()
        self.go("tenants")

    # what is shown

    def refresh_view(self) -> None:
        """Show the session as it is now."""
        view = view_of(self.session, self.cursors, self.draft)
        title = wording.path(self.moved_to) if self.moved_to else view.title
        view = replace(view, elapsed_ms=self.elapsed_ms, scope=self.scope, title=title)
        self.show_view(replace(view, serving=self.serving, serving_ill=self.serving_ill))

    def show_view(self, view: View) -> None:
        """Hand a view to every panel."""
        self.cursors = view.cursors
        self.view = view
        self.query_one(Header).show_view(view, narrow=self.is_narrow)
        self.show_footer()

    @property
    def is_narrow(self) -> bool:
        """Whether one panel at a time is shown."""
        return self.size.width < 104

    def show_footer(self) -> None:
        """The keys that are needed here."""
        footer = self.query_one(Footer)
        status = self.said or (status_cells(self.view, self.saved_at) if self.view else ())
        if self.place == "editor":
            footer.show_keys(EDITOR_KEYS, status, keys_first=True)
            return
        here = [action for action in actions_for(self.place) if action.footer]
        here.sort(key=lambda action: action.where == "everywhere")
        titles = {"edit.scope": f"edits: {self.scope}"}
        keys = [(a.id, wording.key_name(a.keys[0]), titles.get(a.id, a.title)) for a in here]
        footer.show_keys(keys, status)

    def say(self, text: str, style: str = "accent") -> None:
        """Say something at the right end of the footer, until the next key."""
        self.said = (Cell(clean(text), style),)
        self.show_footer()

    def on_key(self) -> None:
        self.hush()

    def hush(self) -> None:
        """What was said has been read."""
        if self.said:
            self.said = ()
            self.show_footer()

    @property
    def place(self) -> Where:
        """Where a person is: what help, footer and keys go by."""
        return "editor" if self.draft is not None else self.panel

    # going places

    def go(self, panel: PanelName) -> None:
        """Put the focus into a panel; on narrow terminals, show it alone."""
        self._settle(panel)
        target = self.query_one(f"#{panel}", Panel).target
        if target is not None:
            self.set_focus(target)

    def _settle(self, panel: PanelName) -> None:
        self.panel = panel
        for name in PANELS:
            self.set_class(name == panel, f"at-{name}")
        self.show_footer()

    def action_next_panel(self, by: int) -> None:
        """Go to the panel after, or before, this one."""
        self.go(PANELS[(PANELS.index(self.panel) + by) % len(PANELS)])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for panel in PANELS:
            if any(node.id == panel for node in event.widget.ancestors) and panel != self.panel:
                self._settle(panel)

    def on_resize(self) -> None:
        if self.view is not None:
            self.call_after_refresh(self.refresh_view)

    # cursors

    @on(TenantChosen)
    @on(ClauseChosen)
    @on(OfferChosen)
    def _heard(self, event: Message) -> None:
        self.hear(event)

    def hear_all(self) -> None:
        """Catch up with cursors that moved and whose message is still on its way: the key at hand is about them."""
        for panel in self.query(Panel):
            if panel.said is not None:
                self.hear(panel.said)

    def hear(self, message: Message) -> None:
        """A cursor is on another tenant, clause or offer; heard once."""
        panel = next((panel for panel in self.query(Panel) if panel.said is message), None)
        if panel is None or self.view is None:
            return
        panel.said = None
        self.hush()
        if isinstance(message, OfferChosen):
            self.choose_offer(message.index, pinned=False)
        elif self.draft is not None:
            self.show_view(self.view)
        elif isinstance(message, ClauseChosen):
            self.show_view(self.view.at(clause_id=message.clause_id))
        elif isinstance(message, TenantChosen):
            offer = self.cursors.offer if self.cursors.pinned else None
            self.cursors = replace(self.cursors, tenant_id=message.tenant_id, offer=offer)
            self.refresh_view()

    def choose_offer(self, index: int | None, *, pinned: bool) -> None:
        """Ask why about an offer; None follows the winner."""
        if self.view is not None:
            self.show_view(self.view.at(offer=index, pinned=pinned))
