"""Mutants of a solution: its source, changed in one place at a time.

Each constant moved, each operator, comparison and keyword changed, each statement and each
argument left out. What survives a check must be equivalent, or the check has a hole.
"""

import ast
import copy
import textwrap

SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
         ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.Pow: ast.Mult,
         ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Eq: ast.NotEq,
         ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And}
OPPOSITES = {ast.Gt: ast.Lt, ast.GtE: ast.Lt, ast.Lt: ast.Gt, ast.LtE: ast.Gt}
NAMES = {"min": "max", "max": "min", "amax": "amin", "amin": "amax", "GC_FGD": "GC_BGD",
         "GC_BGD": "GC_FGD", "GC_PR_FGD": "GC_PR_BGD", "GC_PR_BGD": "GC_PR_FGD",
         "COLOR_RGB2LAB": "COLOR_BGR2LAB"}


def mutants(source: str):
    """(description, source of the mutant) for every change of one place."""
    tree = ast.parse(textwrap.dedent(source))
    for number, node in enumerate(list(ast.walk(tree))):
        for words, change in changes(node):
            twin = copy.deepcopy(tree)
            place = list(ast.walk(twin))[number]
            parent = parent_of(twin, place)
            if change(place, parent) is not False:
                ast.fix_missing_locations(twin)
                line = getattr(node, "lineno", 0)
                yield f"line {line}: {words}", ast.unparse(twin)


def parent_of(tree, child):
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if value is child:
                return node, name, None
            if isinstance(value, list):
                for index, item in enumerate(value):
                    if item is child:
                        return node, name, index
    return None


def replace(parent, new):
    node, name, index = parent
    if index is None:
        setattr(node, name, new)
    else:
        getattr(node, name)[index] = new


def changes(node):
    """(words, function of the node and its parent) for each way to change this node."""
    text = ast.unparse(node) if isinstance(node, (ast.expr, ast.stmt, ast.keyword)) else ""
    if isinstance(node, ast.Constant):
        for value in moved(node.value):
            yield f"{node.value!r} -> {value!r}", lambda n, _, v=value: setattr(n, "value", v)
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in SWAPS:
        yield f"operator of {text}", lambda n, _: setattr(n, "op", SWAPS[type(n.op)]())
    if isinstance(node, ast.Compare):
        for table in (SWAPS, OPPOSITES):
            if type(node.ops[0]) in table:
                new = table[type(node.ops[0])]
                yield (f"{text} by {new.__name__}",
                       lambda n, _, new=new: setattr(n, "ops", [new(), *n.ops[1:]]))
    if isinstance(node, ast.UnaryOp):
        yield f"{text} without its sign", lambda n, parent: replace(parent, n.operand)
    if isinstance(node, ast.keyword) and node.arg:
        yield f"keyword {text} left out", lambda n, parent: parent[0].keywords.remove(n)
        if node.arg in NAMES:
            yield f"keyword {text} renamed", lambda n, _: setattr(n, "arg", NAMES[n.arg])
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield f"{text} -> {NAMES[node.attr]}", lambda n, _: setattr(n, "attr", NAMES[n.attr])
    if isinstance(node, ast.Call):
        for index, argument in enumerate(node.args):
            yield (f"argument {ast.unparse(argument)} of {text} left out",
                   lambda n, _, index=index: n.args.pop(index) and None)
        if isinstance(node.func, ast.Attribute):
            yield f"{text} without .{node.func.attr}()", without_call
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr, ast.Return)) and not is_text(node):
        yield f"{text} left out", lambda n, parent: replace(parent, ast.Pass())
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        yield f"{text} in the opposite order", lambda n, _: n.elts.reverse()


def without_call(node, parent):
    if isinstance(node.func.value, ast.Name) and node.func.value.id in ("torch", "cv2", "np", "F"):
        return False  # a module is no value
    return replace(parent, node.func.value)


def is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def moved(value):
    """Where a constant may be moved to."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value * 1.25, value * 0.75] if value else [0.5]
    return []
