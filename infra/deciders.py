"""What a submission's decider may refuse, reject and wait for, read from its source and that of what it calls."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, Final

from domain.catalogue import DECIDERS, PAYLOADS
from domain.departments import OperatorPayload
from domain.rules import RULES
from domain.world import World

_STREAMS: Final = {
    "department_stream": "department/<code>",
    "matter_stream": "matter/<code>",
    "mapping_stream": "mapping/<organ's USCC>",
    "principal_stream": "principal/<principal>",
    "notice_stream": "notice/<notice id>",
    "department/": "department/<code>",
    "case.stream": "case/<organ>/<number>",
    "old.stream": "case/<organ>/<number>",
    "entry_stream": "entry/<list>/<key>",
    "blanks_stream": "blanks/<department>/<series>",
    "tasks_stream": "tasks/<organ>/<number>",
    "entry/work_capability/": "entry/<list>/<key>",
    "circular_stream": "circular/<sender>/<number>",
    "consultation_stream": "consultation/<asker>/<number>",
    "review_stream": "review/<submitter>/<number>",
    "handover_stream": "handover/<giver>/<number>",
    "_stream(payload.clock)": "notice/<notice id>, or what else has the clock",
    "inspection_stream": "inspection/<department>/<number>",
    "letter_stream": "letter/<organ>/<year>",
}
"""What the expression in a `Waiting` says → the stream, for people."""


@dataclass(slots=True)
class Findings:
    """Rule codes, streams and roles, in the order in which they are looked at."""

    refusals: dict[str, None] = field(default_factory=dict)
    rejections: dict[str, None] = field(default_factory=dict)
    waits: dict[str, None] = field(default_factory=dict)
    roles: dict[str, None] = field(default_factory=dict)


def findings(type_: str) -> Findings:
    """What may become of a submission of this type, beside being accepted."""
    found = Findings()
    payload = PAYLOADS[type_]
    found.refusals["classified"] = None
    seen: set[Any] = set()
    _read(World.require_mandate, found, seen)
    _read(DECIDERS[payload], found, seen)
    if issubclass(payload, OperatorPayload):
        found.refusals.pop("mandate.principal", None)
        found.roles = {"OPERATOR": None}
    return found


def _read(function: Callable[..., Any], found: Findings, seen: set[Any]) -> None:
    if function in seen or not isinstance(function, FunctionType):
        return
    seen.add(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for call in _calls(tree):
        name = ast.unparse(call.func)
        if name == "Refusal":
            codes = [str(one.value) for one in ast.walk(call) if isinstance(one, ast.Constant)]
            if unknown := [code for code in codes if code not in RULES]:
                raise LookupError(f"{function.__name__} refuses by a rule that there is not: {unknown}")
            found.refusals.update(dict.fromkeys(codes))
        elif name == "rejection":
            found.rejections.update(dict.fromkeys(_codes(call)))
        elif name == "Waiting":
            found.waits[_stream(ast.unparse(call.args[0]), function)] = None
        if name == "world.require_role":
            roles = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            found.roles.update(dict.fromkeys(roles))
        owner, _, method = name.rpartition(".")
        called = getattr(World, method, None) if owner in ("world", "self") else function.__globals__.get(name)
        if inspect.isfunction(called) and called.__module__.startswith("domain."):
            _read(called, found, seen)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    """In the order in which they stand."""
    for child in ast.iter_child_nodes(tree):
        yield from _calls(child)
    if isinstance(tree, ast.Call):
        yield tree


def _codes(call: ast.Call) -> list[str]:
    return [
        one.value
        for one in ast.walk(call)
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value in RULES
    ]


def _stream(expression: str, function: Callable[..., Any]) -> str:
    if expression == "state.stream":
        return "feedback/<department>/<number>" if "feedback" in function.__name__ else "case/<organ>/<number>"
    return next(stream for text, stream in _STREAMS.items() if text in expression)
