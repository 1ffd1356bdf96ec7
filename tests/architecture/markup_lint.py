"""A lint for the screens: text reaches a widget as a literal, as `Content` or `Text`, or with `markup=False`.

A bare string given to Textual is parsed as markup, so that a model named `[@click=app.quit]x[/]` would become a button
(RELIABILITY R31). And what goes into `Content` or `Text` has passed the sanitiser (R30). The lint follows names within
one function; what it cannot follow counts as a bare string.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SINKS = {
    "Static": (0, "content", "renderable"),
    "Label": (0, "content", "renderable"),
    "Button": (0, "label"),
    "Checkbox": (0, "label"),
    "RadioButton": (0, "label"),
    "Link": (0, "text"),
    "Collapsible": ("title",),
    "TabPane": (0, "title"),
    "Tab": (0, "label"),
    "Option": (0, "prompt"),
    "Selection": (0, "prompt"),
    "Tree": (0, "label"),
    "update": (0, "content", "renderable"),
    "notify": (0, "message", "title"),
    "add_row": ("*", "label"),
    "add_column": (0, "label"),
    "add_columns": ("*",),
    "add_option": (0,),
    "add_leaf": (0, "label"),
    "set_label": (0, "label"),
    "update_cell": (2, "value"),
    "update_cell_at": (1, "value"),
}
"""Calls that show text: positions (`*` for all) and keywords of the text."""
SHOWN_ATTRIBUTES = {"border_title", "border_subtitle", "tooltip", "label"}
TEXT_TYPES = {"Content", "Text", "Strip", "Visual", "RichVisual", "Syntax", "int", "float", "bool"}
"""Types and constructors whose values are drawn as they are."""
MARKUP = {"from_markup", "render_str", "render_markup"}
"""Calls that parse markup, whatever they are given."""
CLEANERS = {"clean", "one_line", "visible"}
"""Calls that make control characters visible; text for `Content` and `Text` passes one of them."""
COLLECTIONS = {"dict", "set", "Counter", "defaultdict", "sha256", "OrderedDict"}
"""Constructors of what has an `update` of its own."""
NUMBER_FORMATS = "bcdeEfFgGnoxX%"


@dataclass(frozen=True, slots=True)
class Offence:
    """A place where markup could come from data."""

    line: int
    call: str


def offences(source: str, *, makers: Iterable[str] = ()) -> list[Offence]:
    """What `source` shows as a bare string. `makers` are functions elsewhere that return `Content` or `Text`."""
    tree = ast.parse(source)
    lint = _Lint(frozenset(makers) | frozenset(text_makers(tree)))
    lint.visit(tree)
    return sorted(lint.found, key=lambda offence: offence.line)


def text_makers(tree: ast.Module) -> Iterator[str]:
    """Names of the functions whose return annotation is one of the text types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_text_type(node.returns):
            yield node.name


def _is_text_type(annotation: ast.expr | None) -> bool:
    if isinstance(annotation, ast.BinOp):
        return all(_is_text_type(side) or _is_none(side) for side in (annotation.left, annotation.right))
    return annotation is not None and _last_name(annotation) in TEXT_TYPES


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


class _Lint(ast.NodeVisitor):
    def __init__(self, makers: frozenset[str]) -> None:
        self.makers = makers
        self.found: list[Offence] = []
        self.values: dict[str, list[ast.expr]] = {}
        self.typed: dict[str, bool] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer = self.values, self.typed
        self.values, self.typed = dict(self.values), dict(self.typed)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        self.typed.update({argument.arg: _is_text_type(argument.annotation) for argument in arguments})
        for argument in arguments:
            self.values.pop(argument.arg, None)
        for inner in ast.walk(node):
            self._remember(inner)
        self.generic_visit(node)
        self.values, self.typed = outer

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name that ast calls

    def visit_Module(self, node: ast.Module) -> None:
        for statement in node.body:
            self._remember(statement)
        self.generic_visit(node)

    def _remember(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            pairs = [(node.target, node.value)]
        else:
            return
        for target, value in pairs:
            if isinstance(target, ast.Name):
                self.values.setdefault(target.id, []).append(value)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Attribute) and target.attr in SHOWN_ATTRIBUTES and not self._safe(node.value):
                self.found.append(Offence(node.lineno, target.attr))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _last_name(node.func)
        if name in MARKUP or not all(self._safe(text) for text in self._shown(name, node)):
            self.found.append(Offence(node.lineno, name))
        if name in {"Content", "Text"} and not all(self._cleaned(text) for text in node.args[:1]):
            self.found.append(Offence(node.lineno, f"{name} of text that is not clean"))
        self.generic_visit(node)

    def _shown(self, name: str, node: ast.Call) -> list[ast.expr]:
        """What this call would show as markup if it were a string."""
        if name == "setattr":
            return node.args[2:]
        if name not in SINKS or self._plain(node) or self._of_a_collection(node):
            return []
        return list(_texts(node, SINKS[name]))

    def _plain(self, node: ast.Call) -> bool:
        return any(
            word.arg == "markup" and isinstance(word.value, ast.Constant) and word.value.value is False
            for word in node.keywords
        )

    def _of_a_collection(self, node: ast.Call) -> bool:
        """Whether this is the `update` of a mapping or a set that the function made itself."""
        if not isinstance(node.func, ast.Attribute) or not isinstance(node.func.value, ast.Name):
            return False
        made = self.values.get(node.func.value.id, [])
        return bool(made) and all(
            isinstance(value, ast.Dict | ast.Set | ast.DictComp | ast.SetComp)
            or (isinstance(value, ast.Call) and _last_name(value.func) in COLLECTIONS)
            for value in made
        )

    def _safe(self, node: ast.expr, depth: int = 0) -> bool:
        if depth > 8:
            return False
        parts = _parts(node)
        if parts is not None:
            return all(self._safe(part, depth + 1) for part in parts)
        if isinstance(node, ast.Call):
            return self._makes_text(node)
        return self._safe_name(node, depth)

    def _cleaned(self, node: ast.expr, depth: int = 0) -> bool:
        """Whether this text is ours or has passed the sanitiser."""
        parts = _parts(node)
        if parts is None and isinstance(node, ast.Name) and node.id in self.values:
            parts = self.values[node.id]
        if parts is not None:
            return depth < 8 and all(self._cleaned(part, depth + 1) for part in parts)
        if isinstance(node, ast.Call):
            return _last_name(node.func) in CLEANERS | {"len"}
        return _last_name(node).isupper()

    def _makes_text(self, node: ast.Call) -> bool:
        name = _last_name(node.func)
        owner = _last_name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        return (
            name in TEXT_TYPES or name in self.makers or owner in TEXT_TYPES or name == "len"
        ) and name not in MARKUP

    def _safe_name(self, node: ast.expr, depth: int) -> bool:
        name = _last_name(node)
        if name.isupper():
            return True  # a constant of ours
        if not isinstance(node, ast.Name):
            return False
        if name in self.values:
            return all(self._safe(value, depth + 1) for value in self.values[name])
        return self.typed.get(name, False)


def _parts(node: ast.expr) -> list[ast.expr] | None:
    """The expressions that a composed one takes its text from; None where it is not composed."""
    match node:
        case ast.Constant():
            return []
        case ast.JoinedStr(values=parts) | ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            return parts
        case ast.FormattedValue():
            return [] if _formats_a_number(node) else [node.value]
        case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, right=second):
            return [first, second]
        case ast.Starred(value=inner) | ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner):
            return [inner]
        case _:
            return None


def _formats_a_number(node: ast.FormattedValue) -> bool:
    spec = node.format_spec
    last = spec.values[-1] if isinstance(spec, ast.JoinedStr) and spec.values else None
    if not isinstance(last, ast.Constant) or not isinstance(last.value, str):
        return False
    return last.value[-1:] in NUMBER_FORMATS or "," in last.value


def _texts(node: ast.Call, places: tuple[int | str, ...]) -> Iterator[ast.expr]:
    if "*" in places:
        yield from node.args
    for place in places:
        if isinstance(place, int) and place < len(node.args):
            yield node.args[place]
    yield from (word.value for word in node.keywords if word.arg in places)
