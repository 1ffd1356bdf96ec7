"""One tenant's call on the screen: how it stands, the plan, the answer."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from workbench.gateway.dispatch import monotonic_ms
from workbench.session.calls.watch import Watch
from workbench.tui.widgets.drawing import Cell, Line
from workbench.tui.widgets.reader import Reader
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.call.flow import Flow
from workbench.tui.work.call.lines import SIGNS, head_line, hint_lines, plan_lines


class Lane(Vertical):
    """Shows a `Watch`; told when to look at it again."""

    def __init__(self, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, classes="lane")
        self.seen: Watch | None = None
        self.flow = Flow()

    def compose(self) -> ComposeResult:
        yield TextBlock(classes="lane-head")
        with Vertical(classes="lane-parts"):
            yield PlanReader()
            yield AnswerReader()

    def show_watch(self, watch: Watch | None) -> None:
        """Show another call, or none."""
        self.seen = watch
        self.flow = Flow()
        answer = self.query_one(AnswerReader)
        answer.top = 0
        answer.show_rows(self.flow)

    def look(self, now: float) -> None:
        """Draw what has changed. `now` in milliseconds of the clock that the watch is told of."""
        watch = self.seen
        self.query_one(".lane-head", TextBlock).show(lambda width: [head_line(watch, now, width)])
        plan = self.query_one(PlanReader)
        if watch is None:
            plan.show_rows(ListedRows([(None, line) for line in hint_lines(plan.draw_width)]))
            return
        lines = plan_lines(watch, now, plan.draw_width)
        plan.show_rows(ListedRows([(None, line) for line in lines]))
        if watch.phase == "running":
            _reveal(plan, lines)
        answer = self.query_one(AnswerReader)
        answer.display = watch.phase != "quoted" and not watch.prepared.nobody
        if not answer.size.width:
            return  # it has no place yet; `_resized` draws it there, and the plan beside it
        following = answer.top + answer.visible_lines >= len(self.flow)
        self.flow.feed(watch.take_text(), answer.draw_width)
        rows = self.flow if len(self.flow) or watch.called is None else ListedRows(_tools(watch))
        answer.show_rows(rows)
        if following and watch.phase == "running":
            answer.scroll_lines(len(self.flow))

    @on(Reader.Resized)
    def _resized(self) -> None:
        if self.seen is not None:
            self.look(monotonic_ms())

    def finish(self) -> None:
        """The call is over: an answer that did not come in pieces is shown now."""
        watch = self.seen
        if watch is not None and watch.called is not None and not watch.prepared.question.stream:
            watch.pieces.append(watch.called.text)


class PlanReader(Reader):
    """The quote and the plan."""


class AnswerReader(Reader):
    """The text."""


def _reveal(plan: PlanReader, lines: list[Line]) -> None:
    """Bring what is being tried into view."""
    signs = (SIGNS["trying"][0], SIGNS["waiting"][0])
    at = next((k for k, line in enumerate(lines) if len(line) > 1 and line[1].text.startswith(signs)), None)
    if at is not None and not plan.top <= at < plan.top + plan.visible_lines - 3:
        plan.scroll_lines(max(0, at - plan.visible_lines // 2))


def _tools(watch: Watch) -> list[tuple[int | None, Line]]:
    """The tool calls of an answer that has no text."""
    called = watch.called
    calls = () if called is None else called.tool_calls
    return [(None, [Cell(f"tool {call.name}: ", "keyword"), Cell(call.arguments)]) for call in calls]
