"""What `shenguan verify` found, at the terminal: in words, or as JSON in the last line."""

from __future__ import annotations

import json
from collections.abc import Sequence

import typer

from domain.recheck import Problem
from infra.verify import Verdict


def tell(verdict: Verdict, remarks: Sequence[tuple[str, str]], english: bool, as_json: bool) -> None:
    """`remarks`, in Chinese and English, are no problems."""
    for problem in [*verdict.problems, *verdict.doubts]:
        words = problem.en if english else problem.zh
        typer.echo(f"[{problem.check}] {problem.position} {problem.stream}: {words}")
    if verdict.behind:
        words = "behind, in positions: " if english else "尚未跟上（落后的位置数）："
        typer.echo(words + ", ".join(f"{name} {by}" for name, by in verdict.behind.items()))
    for remark in remarks:
        typer.echo(remark[english])
    if unread := verdict.signatures.get("unread", 0):
        typer.echo(
            f"signatures whose bytes were not checked, for want of the master key: {unread}"
            if english
            else f"缺主密钥，未核对原文的签名 {unread} 件"
        )
    if as_json:
        typer.echo(json.dumps(_found(verdict, remarks), ensure_ascii=False))
        return
    wrong = len(verdict.problems)
    sums = verdict.events, verdict.notices, verdict.submissions
    typer.echo(
        "events {}, notices {}, submissions {}: ".format(*sums) + (f"{wrong} wrong" if wrong else "all agree")
        if english
        else "事件 {}，告知 {}，提交 {}，".format(*sums) + (f"不符 {wrong} 处" if wrong else "全部相符")
    )


def _found(verdict: Verdict, remarks: Sequence[tuple[str, str]]) -> dict[str, object]:
    return {
        "events": verdict.events,
        "notices": verdict.notices,
        "submissions": verdict.submissions,
        "head": verdict.head,
        "behind": verdict.behind,
        "signatures": verdict.signatures,
        "remarks": [zh for zh, _ in remarks],
        "doubts": [_told(one) for one in verdict.doubts],
        "problems": [_told(one) for one in verdict.problems],
    }


def _told(problem: Problem) -> dict[str, object]:
    return {
        "position": problem.position,
        "stream": problem.stream,
        "check": problem.check,
        "message": problem.zh,
    }
