"""What can be done with a call that is over: copy it as curl, export the answer, open its trace."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.errors import WorkbenchError
from workbench.tui.screens.speaking import Speaking
from workbench.tui.work.call.lane import Lane


class Afterwards(Speaking):
    """The end of a call screen."""

    @property
    def lanes(self) -> list[Lane]:
        """One for each tenant."""
        return []

    def do_edit(self) -> None:
        """Go to the prompt."""

    def copied(self) -> str:
        """The call as curl: of the offer that answered, else of the first."""
        watch = self.lanes[0].seen
        if watch is None or watch.prepared.nobody:
            return ""
        answered = watch.called.answer.index if watch.called is not None else None
        try:
            return watch.prepared.curl(watch.prepared.cascade.order[0] if answered is None else answered)
        except WorkbenchError as error:
            self.failed(error)
            return ""

    def exports(self) -> Mapping[str, bytes]:
        """The answers as text; nothing of a tenant whose text is not kept."""
        found: dict[str, bytes] = {}
        for lane in self.lanes:
            watch = lane.seen
            if watch is not None and watch.called is not None and watch.called.text and not watch.prepared.quiet:
                found[f"answer-{watch.prepared.tenant}.txt"] = watch.called.text.encode("utf-8", "replace")
        return found

    def do_trace(self) -> None:
        """Open the trace of the first call; before there is one, go to the prompt."""
        watch = self.lanes[0].seen
        if watch is None or watch.called is None:
            self.do_edit()
            return
        if watch.called.lost:
            self.say("its trace could not be written", "warn")
            return
        from workbench.tui.work.call.tracing import OneTrace  # noqa: PLC0415 - when it is asked for

        self.host.push_screen(OneTrace(self.session, self.cursors, watch.called.trace_id))
