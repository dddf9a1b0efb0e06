"""`shenguan evidence` and `evidence-verifier`: a case to be carried away, and what verifies it elsewhere."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer

from infra.options import AsJson, Lang, Number, Organ, asker, begin_store, question

app = typer.Typer()


@question(app)
def evidence(
    ctx: typer.Context,
    number: Number,
    out: Annotated[Path, typer.Option(help="写成此文件（.zip）；已有的不覆盖")],
    organ: Organ = None,
    personal: Annotated[
        Literal["withheld", "included"], typer.Option(help="个人信息：withheld 隐去，included 连同证明公开")
    ] = "withheld",
    size: Annotated[int | None, typer.Option(min=1, help="以哪个检查点为准：其大小；默认最新的")] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """证据包：一个办件的全部事件、当时适用的登记与证明，写成一个文件，不装审管、不联网也能核验。"""
    from infra.evidence import Wanted, bundle, gather
    from infra.evidence_verifier import Wrong, parse_key
    from infra.log_keys import trusted_keys
    from infra.replaying import the_case

    store, shown = begin_store(ctx, lang, as_json, reveal=personal == "included")
    if out.exists():
        raise shown.fail(f"{out} 已存在，不覆盖。", f"{out} is there already and is not written over.")
    found_organ = the_case(store, shown, number, organ)
    with closing(store.connect()) as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        found = gather(conn, Wanted(found_organ, number, personal, size))
    if found is None:
        raise shown.fail(
            "没有含此办件的检查点（由角色 prover 签署）。", "No checkpoint has this case (the role prover signs them)."
        )
    shown.settle(found.rows)
    known = [parse_key(one.text) for one in trusted_keys(store.settings.log_key_file)]
    try:
        made = bundle(found, store, asker(ctx), known or None)
    except Wrong as wrong:
        raise shown.fail(
            f"证据不成立：{wrong.zh}（{wrong.rule}）。", f"This does not hold: {wrong.en}.", rule=wrong.rule
        ) from None
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_bytes(made.data)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    checkpoint, digest = found.made.head.size, made.report.digest
    if as_json:
        counts = {"events": found.rows, "later": made.later, "checkpoint": checkpoint}
        shown.json({"file": str(out), "bytes": len(made.data), "sha256": digest, **counts})
    shown.say(
        f"证据包已写入 {out}：事件 {found.rows} 个，截至大小为 {checkpoint} 的检查点，核验通过。\nSHA-256 {digest}",
        f"Evidence written to {out}: {found.rows} events, by the checkpoint of size {checkpoint}; it verifies.\n"
        f"SHA-256 {digest}",
    )
    if made.later:
        shown.say(
            f"另有 {made.later} 个事件在该检查点之后，未列入。",
            f"{made.later} later events are not in that checkpoint.",
        )


@app.command("evidence-verifier")
def evidence_verifier() -> None:
    """打印核验程序 verify.py，供他人自行留存：随证据包而来的核验程序不足为凭。"""
    from infra import evidence_verifier as verifier

    typer.echo(Path(verifier.__file__).read_text(encoding="utf-8"), nl=False)
