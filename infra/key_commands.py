"""`shenguan keys`: the key with which a principal's own system signs. The private half never leaves its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.options import AsJson, Lang

if TYPE_CHECKING:
    from adapters.crypto.jws import JwsSigner

app = typer.Typer(no_args_is_help=True, help="签名密钥：生成、查看。登记由运维以 key.register 办理。")
File = Annotated[Path, typer.Argument(help="私钥文件（PKCS#8 PEM），只有本人可读")]
Of = Annotated[str, typer.Option("--principal", help="属于哪个接入方")]


@app.command()
def new(file: File, principal: Of, as_json: AsJson = False, lang: Lang = None) -> None:
    """生成一把 Ed25519 私钥，并给出须登记的公钥。文件已存在则不覆盖。"""
    from adapters.crypto.keyfiles import new_key

    zh = _zh(lang)
    try:
        made = new_key(file)
    except FileExistsError:
        typer.echo(f"{file} 已存在" if zh else f"{file} exists already", err=True)
        raise typer.Exit(1) from None
    if not as_json:
        typer.echo(
            f"私钥已写入 {file}，请妥善保管。" if zh else f"The private key is in {file}: keep it safe.", err=True
        )
    _tell(made, principal, as_json, zh)


@app.command()
def show(file: File, principal: Of, as_json: AsJson = False, lang: Lang = None) -> None:
    """一把私钥的指纹，及须登记的公钥。"""
    from adapters.crypto.keyfiles import KeyFileError, read_key

    zh = _zh(lang)
    try:
        found = read_key(file)
    except KeyFileError as problem:
        typer.echo(problem.zh if zh else problem.en, err=True)
        raise typer.Exit(1) from None
    _tell(found, principal, as_json, zh)


def _tell(key: JwsSigner, principal: str, as_json: bool, zh: bool) -> None:
    """The thumbprint by which it is known, and the entry that the operator registers."""
    entry = {"kind": "public_key", "principal": principal, "algorithm": "Ed25519", "public_key": key.public_key}
    if as_json:
        typer.echo(json.dumps({"key": key.thumbprint, "entry": entry}, ensure_ascii=False))
        return
    typer.echo(f"公钥指纹：{key.thumbprint}" if zh else f"Thumbprint: {key.thumbprint}")
    typer.echo(
        "由运维登记（key.register）的 entry：" if zh else "For the operator to register (key.register), `entry`:"
    )
    typer.echo(json.dumps(entry, ensure_ascii=False))


def _zh(lang: str | None) -> bool:
    from infra.settings import load

    return (lang or load().language) != "en"
