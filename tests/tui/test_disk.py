"""Files that change on disk: read again where nothing is lost, a banner where something would be."""

from __future__ import annotations

from pathlib import Path

from tests.tui.driving import go_to_clause, go_to_tenant, main_screen, screen_text, shown
from workbench.session.saving import disk_changes
from workbench.session.session import Session
from workbench.tui.app import WorkbenchApp
from workbench.tui.messages import DiskChanged


async def _look(app: WorkbenchApp, session: Session) -> None:
    """What the watch does every second, now."""
    main_screen(app).post_message(DiskChanged(disk_changes(session.workspace)))


async def test_a_changed_rulebook_is_read_again(session: Session, root: Path) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        path = root / "rulebook.toml"
        path.write_text(path.read_text().replace("bench_intelligence >= 0.6", "bench_intelligence >= 0.99"))
        await _look(app, session)
        await pilot.pause()
        assert shown(app).evaluation.outcomes["lumenor-vip"].winner is None
        assert "read again" in screen_text(app)


async def test_never_over_unsaved_work(session: Session, root: Path) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await go_to_clause(pilot, "vip-floor")
        await pilot.press("space")
        await pilot.pause()
        edited = session.state
        path = root / "rulebook.toml"
        path.write_text(path.read_text() + "\n# by another hand\n")
        await _look(app, session)
        await pilot.pause()
        assert session.state is edited
        assert "changed on disk: rulebook.toml" in screen_text(app)


async def test_a_rulebook_cut_in_the_middle_keeps_the_last_good_state(session: Session, root: Path) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        good = session.state
        path = root / "rulebook.toml"
        path.write_text(path.read_text()[:1500] + '\nwhen = "')
        await _look(app, session)
        await pilot.pause()
        assert session.state is good
        assert "showing the last good state" in screen_text(app)
        assert "lumenor-vip" in screen_text(app)
