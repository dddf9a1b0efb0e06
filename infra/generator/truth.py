"""The truth beside a generated year: what must become of every submission and every notice.

`truth.jsonl` holds one JSON array a line, `["disposition", principal, source, id, disposition, rule]` or
`["notice", id, addressee, about, root, case, final]`, and as its last line `["totals", {...}]`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.notices import PRESSING

FILE = "truth.jsonl"
BY_TIME: frozenset[str] = PRESSING | {"expiry"}


@dataclass(slots=True)
class Truth:
    """`dispositions`: (principal, source, id, disposition, rule or None), in the order of the files.

    `notices`: (id, addressee, about, root, case stream, final). `totals` as `Summary` of the year.
    """

    dispositions: list[tuple[str, str, str, str, str | None]] = field(default_factory=list)
    notices: list[tuple[str, str, str, str, str, str]] = field(default_factory=list)
    totals: dict[str, Any] = field(default_factory=dict)


def load(out: Path) -> Truth:
    """Reads the truth file of a generated year."""
    truth = Truth()
    with (out / FILE).open(encoding="utf-8") as lines:
        for line in lines:
            match json.loads(line):
                case ["disposition", principal, source, id_, disposition, rule]:
                    truth.dispositions.append((principal, source, id_, disposition, rule))
                case ["notice", id_, addressee, about, root, case, final]:
                    truth.notices.append((id_, addressee, about, root, case, final))
                case ["totals", totals]:
                    truth.totals = totals
                case other:
                    raise ValueError(f"{FILE}: unknown line {other!r:.80}")
    return truth


def compare(
    truth: Truth,
    dispositions: Iterable[tuple[str, str, str, str]],
    notices: Iterable[tuple[str, str, str, str]],
) -> list[str]:
    """What differs, in words; empty where all is as expected.

    Args:
        truth: what `load` gave.
        dispositions: (principal, source, id, current disposition) of every record taken in, duplicates too; source and
            id empty where the record could not be read as a CloudEvent.
        notices: (id, addressee, about, outstanding | received | taken | moved) of every notice owed. Those that time
            alone brings about are left out: they depend on the day on which the year is fed.
    """
    notices = [one for one in notices if one[2] not in BY_TIME]
    return [
        *_dispositions((found[:4] for found in truth.dispositions), dispositions),
        *_notices(truth, notices),
    ]


def _dispositions(wanted: Iterable[tuple[str, ...]], found: Iterable[tuple[str, ...]]) -> list[str]:
    expected, actual = _grouped(wanted), _grouped(found)
    different = []
    for principal, source, id_ in sorted(expected.keys() | actual.keys()):
        want, have = expected[principal, source, id_], actual[principal, source, id_]
        if want != have:
            name = f"{source}/{id_}" if id_ else "无法读取的信息"
            different.append(f"{principal} {name}：应为 {_words(want)}，实为 {_words(have)}")
    return different


def _grouped(rows: Iterable[tuple[str, ...]]) -> defaultdict[tuple[str, str, str], Counter[str]]:
    grouped: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for principal, source, id_, disposition in rows:
        grouped[principal, source, id_][disposition] += 1
    return grouped


def _words(counts: Counter[str]) -> str:
    if not counts:
        return "无"
    return "、".join(f"{name}×{count}" if count > 1 else name for name, count in sorted(counts.items()))


def _notices(truth: Truth, found: Iterable[tuple[str, str, str, str]]) -> list[str]:
    expected = {id_: (addressee, about, final) for id_, addressee, about, _, _, final in truth.notices}
    actual: dict[str, tuple[str, str, str]] = {}
    different = []
    for id_, *rest in found:
        if id_ in actual:
            different.append(f"告知 {id_}：重复")
        actual[id_] = (rest[0], rest[1], rest[2])
    for id_ in sorted(expected.keys() | actual.keys()):
        want, have = expected.get(id_), actual.get(id_)
        if want != have:
            different.append(f"告知 {id_}：应为 {_notice(want)}，实为 {_notice(have)}")
    return different


def _notice(row: tuple[str, str, str] | None) -> str:
    return "无" if row is None else " ".join(row)
