"""Plots of the tables, as SVG: the same bytes from the same figures, legible on a light page and on a dark one."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from benchmarks.tables import Table

GREY: Final = "#808890"
"""Far enough from white and from black for words and axes."""
COLOURS: Final = ("#2f8f8b", "#c26a1b", "#8a63d2")
SETTINGS: Final = {
    "svg.hashsalt": "policy-workbench",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": GREY,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


def growth(table: Table, path: Path) -> None:
    """Time over offers, a line for each number of clauses; broken lines where every clause is worked out again."""
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("svg")
    pyplot: Any = import_module("matplotlib.pyplot")
    with pyplot.rc_context(SETTINGS):
        figure, axes = pyplot.subplots(figsize=(7.2, 4.2), layout="constrained")
        offers = [row[0] for row in table.rows]
        for column in range(1, len(table.head)):
            label = table.head[column].removesuffix(" µs")
            forgotten = "forgotten" in label
            axes.plot(
                offers,
                [row[column] for row in table.rows],
                color=COLOURS[(column - 1) // 2 % len(COLOURS)],
                linestyle="--" if forgotten else "-",
                marker="o",
                markersize=4,
                linewidth=1.6,
                label=label,
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(offers, [f"{offer:,.0f}" for offer in offers])
        axes.set_yticks([10, 100, 1_000, 10_000], ["10 µs", "100 µs", "1 ms", "10 ms"])
        axes.set_ylim(10, 60_000)
        axes.minorticks_off()
        axes.set_xlabel("offers")
        axes.set_title("One decision: order, scores and every reason", fontsize=12)
        _bare(axes)
        _save(figure, path)
        pyplot.close(figure)


def peers(tables: Sequence[Table], path: Path) -> None:
    """Time over offers, ours and theirs; one panel for each policy."""
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("svg")
    pyplot: Any = import_module("matplotlib.pyplot")
    colours = {"columnar": COLOURS[0], "reference": GREY, "Cedar": COLOURS[1], "CEL": COLOURS[2], "LiteLLM": "#b8475d"}
    with pyplot.rc_context(SETTINGS):
        figure, panels = pyplot.subplots(
            1, len(tables), figsize=(9.2, 4.2), sharey=True, layout="constrained", squeeze=False
        )
        for axes, table in zip(panels[0], tables, strict=True):
            for name, colour in colours.items():
                if f"{name} µs" in table.head:
                    column = table.head.index(f"{name} µs")
                    points = [(row[0], row[column]) for row in table.rows if row[column] is not None]
                    axes.plot(*zip(*points, strict=True), color=colour, marker="o", markersize=4, label=name)
            axes.set_xscale("log")
            axes.set_yscale("log")
            offers = [row[0] for row in table.rows]
            axes.set_xticks(offers, [f"{offer:,.0f}" for offer in offers])
            axes.set_yticks([10, 1_000, 100_000], ["10 µs", "1 ms", "100 ms"])
            axes.minorticks_off()
            axes.set_xlabel("offers")
            axes.set_title(table.title.removeprefix("One decision, uncached, ").replace("`", ""), fontsize=12)
            _bare(axes)
        _save(figure, path)
        pyplot.close(figure)


def _bare(axes: Any) -> None:
    axes.grid(visible=True, color=GREY, alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, labelcolor=GREY, fontsize=9.5)


def _save(figure: Any, path: Path) -> None:
    """Without a date and without a ground, so that the page shows through."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")
