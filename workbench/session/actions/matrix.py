"""What can be done on the matrix of tenants and offers, and the key that opens it."""

from __future__ import annotations

from workbench.session.actions.action import Action

ACTIONS: tuple[Action, ...] = (
    Action("matrix.open", ("m",), "matrix", "every tenant beside every offer: the place, or the rule that says no",
           footer=True, command="matrix"),
    Action("matrix.explain", ("enter",), "explain", "every clause's verdict on the cell", "matrix", footer=True),
    Action("matrix.by", ("b",), "by", "columns by offer, model, provider or region", "matrix", footer=True,
           command="matrix --by model"),
    Action("matrix.differences", ("d",), "differences", "only columns that differ; tenants that are alike share a row",
           "matrix", footer=True, command="matrix --differences"),
    Action("matrix.sort", ("o",), "sort", "sort the tenants by the next result or fact", "matrix", footer=True,
           command="matrix --sort KEY"),
    Action("matrix.columns", ("c",), "columns", "columns by how often they are chosen, in catalog order, by name, "
           "by price", "matrix", command="matrix --order price"),
    Action("matrix.group", ("t",), "together", "put tenants of one plan, region, ... together", "matrix", footer=True,
           command="matrix --group FACT"),
    Action("matrix.take", ("w",), "why not", "go back to the main screen, at this tenant and this offer", "matrix"),
)  # fmt: skip
