"""`shenguan log-keys`: the keys that sign the transparency log's checkpoints, and a new one in time."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.options import AsJson, Lang, begin_store
from infra.presentation import columns

if TYPE_CHECKING:
    from infra.store import Store

app = typer.Typer(no_args_is_help=True, help="签署检查点的密钥。")
KEY = columns("""
    verifier | 公钥 | verifier key
    since | 启用 | since
    until | 停用 | until
    here | 私钥在此 | private key here
""")


@app.command("list")
def list_(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="把公钥写入此文件，每行一把，供他人核对；密钥文件所无的不写")] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """已公布的公钥，起止时间；私钥是否在本机。"""
    from adapters.postgres.checkpoints import keys_in_use
    from infra.log_keys import read_keys

    store, shown = begin_store(ctx, lang, as_json)
    with closing(store.connect()) as conn:
        published = keys_in_use(conn)
    if out is not None:
        _write(out, store, [one.verifier for one in published], shown.zh)
    here = {one.public.text for one in read_keys(store.settings.log_key_file) if one.secret is not None}
    rows = [
        {"verifier": one.verifier, "since": one.since, "until": one.until, "here": one.verifier in here}
        for one in published
    ]
    if as_json:
        shown.json({"origin": store.settings.log_name, "keys": rows})
    else:
        shown.table(("签署密钥", "Keys of the log"), KEY, rows)


def _write(out: Path, store: Store, published: list[str], zh: bool) -> None:
    """Those that the store's key file has: whoever may write to the database may enter others there."""
    from infra.log_keys import trusted_keys
    from infra.whole_files import PUBLIC, replace_file

    file = store.settings.log_key_file
    known = [one.text for one in trusted_keys(file)]
    replace_file(out, "".join(f"{one}\n" for one in published if not known or one in known), PUBLIC)
    if not known:
        words = (
            f"{file} 不在此处，所写公钥只以数据库所载为据，请另行核实",
            f"{file} is not at hand: the keys written are what the database says, to be checked elsewhere",
        )
        typer.echo(words[0 if zh else 1], err=True)
    for one in published if known else ():
        if one not in known:
            words = f"只见于数据库、未写入：{one}", f"only in the database, not written: {one}"
            typer.echo(words[0 if zh else 1], err=True)


@app.command("rotate")
def rotate(
    ctx: typer.Context,
    overlap_days: Annotated[int, typer.Option(min=0, max=3650, help="旧密钥与新密钥一并签署多少日")] = 90,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """启用新的签署密钥；在 prover 所用的密钥文件上执行，下一个检查点起由新旧两把一并签署。"""
    from infra.log_keys import rotate_keys

    store, shown = begin_store(ctx, lang, as_json)
    settings = store.settings
    overlap = timedelta(days=overlap_days)
    new = rotate_keys(settings.log_key_file, settings.log_name, datetime.now(UTC), overlap)
    if as_json:
        shown.json({"verifier": new.public.text, "since": new.since, "file": str(settings.log_key_file)})
        return
    shown.say(
        f"新密钥已写入 {settings.log_key_file}，旧密钥再签署 {overlap_days} 日；请另行备份，并把新公钥告知各部门：",
        f"The new key is in {settings.log_key_file}, the old ones sign for {overlap_days} days more; keep a copy"
        " elsewhere, and let departments know the verifier key:",
    )
    shown.say(new.public.text, new.public.text)
