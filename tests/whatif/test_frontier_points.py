"""The line of the best is exact, ties are told, and what is unknown is named and never drawn."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.whatif.worlds import sample
from workbench.errors import UsageError
from workbench.session.evaluation import Evaluator, Outcome
from workbench.whatif.frontier.axes import AxisOf, axes, axis_of, values
from workbench.whatif.frontier.plot import Mark, figure, plot
from workbench.whatif.frontier.points import Frontier, frontier, unbeaten
from workbench.whatif.frontier.report import frontier_report, text_plot

FIGURES = st.sampled_from([0.0, 0.1, 0.1 + 0.2, 0.3, 1.0, 2.0, 2.0000000000000004, 1e9, -1.0])


def outcome_of(tenant: str) -> Outcome:
    return Evaluator().outcome(sample(), sample().tenant(tenant))


def beats(one: tuple[float, float], other: tuple[float, float], x: AxisOf, y: AxisOf) -> bool:
    """Whether `one` is at least as good in both figures and better in one."""
    a = [(one[k] <= other[k]) if axis.less else (one[k] >= other[k]) for k, axis in enumerate((x, y))]
    return all(a) and one != other


@given(st.lists(st.tuples(FIGURES, FIGURES), max_size=25), st.booleans(), st.booleans(), st.data())
def test_the_line_is_what_brute_force_finds(
    pairs: list[tuple[float, float]], less_x: bool, less_y: bool, data: st.DataObject
) -> None:
    x, y = AxisOf("x", "", less_x, False), AxisOf("y", "", less_y, False)
    xs, ys = (np.array([pair[k] for pair in pairs], dtype=float) for k in (0, 1))
    among = sorted(data.draw(st.sets(st.integers(0, len(pairs) - 1)))) if pairs else []
    found = unbeaten(xs, ys, np.array(among, dtype=np.intp), x, y)
    wanted = [k for k in among if not any(beats(pairs[other], pairs[k], x, y) for other in among)]
    assert sorted(found) == wanted


@pytest.mark.parametrize("tenant", ["acme-eu", "ladle-free", "alba-clinic", "lumenor-vip"])
@pytest.mark.parametrize(("x", "y"), [("price", "quality"), ("context", "price_out"), ("latency", "speed")])
def test_every_offer_is_plotted_or_named_and_the_line_holds(tenant: str, x: str, y: str) -> None:
    outcome = outcome_of(tenant)
    found = frontier(sample(), outcome, x, y)
    places = [point.index for point in found.points] + [index for index, _ in found.unplotted]
    assert sorted(places) == list(range(len(sample().pool)))
    assert all(math.isfinite(point.x) and math.isfinite(point.y) for point in found.points)
    assert all(names for _, names in found.unplotted)
    assert outcome.decision is not None
    passed = set(outcome.decision.survivor_indices)
    survivors = [point for point in found.points if point.index in passed]
    line = [
        p for p in survivors
        if not any(beats((o.x, o.y), (p.x, p.y), found.x, found.y) for o in survivors)
    ]  # fmt: skip
    assert sorted(p.index for p in found.line) == [p.index for p in line]
    assert {point.kind for point in found.points if point.index not in passed} <= {"rejected"}
    tied = {point.index for group in found.ties for point in group}
    assert tied == {p.index for p in line if sum((q.x, q.y) == (p.x, p.y) for q in line) > 1}


def test_the_price_is_of_one_run_and_unknown_where_one_price_is() -> None:
    workload = replace(sample().tenant("acme-eu").workload, tokens_in=3000.0, tokens_out=7.0)
    column = values(sample(), axis_of(sample(), "price"), workload)
    for index, row in enumerate(sample().catalog.candidates):
        if "price_in" in row and "price_out" in row:
            assert math.isclose(column[index], (3000 * row["price_in"] + 7 * row["price_out"]) / 1e6)
        else:
            assert math.isnan(column[index])


def test_axes_know_their_better_end_and_unknown_ones_are_refused() -> None:
    assert axis_of(sample(), "latency").less
    assert axis_of(sample(), "bench_coding_rank").less
    assert not axis_of(sample(), "context").less
    assert set(axes(sample())) >= {"price", "price_in", "bench_intelligence", "released"}
    with pytest.raises(UsageError) as refused:
        axis_of(sample(), "qualty")
    assert "did you mean `quality`" in (refused.value.findings[0].hint or "")


MARKS = st.lists(
    st.builds(Mark, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(0, 3), st.booleans()),
    min_size=1,
    max_size=40,
)


@given(MARKS, st.integers(2, 80), st.integers(2, 40), st.booleans())
def test_every_mark_has_a_cell_inside_and_better_is_never_drawn_lower(
    marks: list[Mark], width: int, height: int, log: bool
) -> None:
    drawn = plot(marks, width, height, log_x=log)
    for k in range(len(marks)):
        row, column = drawn.where(k)
        assert 0 <= row < height
        assert 0 <= column < width
        assert k in drawn.cells[row, column]
    for (row, column), here in drawn.cells.items():
        assert 0 <= row < height
        assert 0 <= column < width
        assert marks[here[0]].rank == max(marks[k].rank for k in here)
    for one in range(len(marks)):
        for other in range(one):
            if marks[one].x <= marks[other].x:
                assert drawn.where(one)[1] <= drawn.where(other)[1]
            if marks[one].y <= marks[other].y:
                assert drawn.where(one)[0] >= drawn.where(other)[0]
    assert all(0 <= row < height and 0 <= column < width for row, column in drawn.line)
    assert all(0 <= at < width for at, _ in drawn.across.ticks(8))


def test_what_has_no_logarithm_stands_before_the_others() -> None:
    drawn = plot([Mark(0.0, 1.0, 1), Mark(0.001, 1.0, 1), Mark(10.0, 1.0, 1)], 40, 5, log_x=True)
    assert [drawn.where(k)[1] for k in range(3)] == [0, 2, 39]


def test_the_text_names_the_ties_and_what_is_not_plotted() -> None:
    found = frontier(sample(), outcome_of("acme-eu"))
    report = frontier_report(sample(), found, (90, 18), log_x=True)
    text = report.text()
    assert found.ties
    assert f"one of {len(found.ties[0])} that are equal" in text
    assert f"Not plotted: {len(found.unplotted)} offers" in text
    assert len(report.document["not_plotted"]) == len(found.unplotted)
    assert all(point["x"] is not None for point in report.document["points"])
    assert report.csv().count("\n") == 1 + len(sample().pool)


@pytest.mark.parametrize("width", [30, 80, 200])
def test_a_text_plot_keeps_its_width(width: int) -> None:
    lines = text_plot(frontier(sample(), outcome_of("ladle-free")), width, 12, log_x=True)
    assert all(len(line) <= width for line in lines[1:-2])


def test_nothing_known_is_said_and_not_drawn() -> None:
    found: Frontier = frontier(sample(), outcome_of("acme-eu"), "latency", "speed")
    assert not found.points
    assert text_plot(found, 80, 10, log_x=True) == ["no offer has both figures"]


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (0.0021, "0.0021"), (0.5, "0.5"), (200_000, "200k"), (1e6, "1M"), (0.00001, "1e-5")]
)
def test_figures_beside_an_axis_are_short(value: float, said: str) -> None:
    assert figure(value) == said


def test_two_cells_are_room_for_what_has_no_logarithm() -> None:
    drawn = plot([Mark(0.0, 0.0, 0), Mark(1.0, 0.0, 0)], 2, 2, log_x=True)
    assert [drawn.where(k)[1] for k in range(2)] == [0, 1]
