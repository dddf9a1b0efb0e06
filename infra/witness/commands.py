"""`shenguan witness`: a witness of a supervisor or an inspector, on a machine of their own."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.options import AsJson, Lang

if TYPE_CHECKING:
    from infra.witness.keeping import Witness
    from infra.witness.logs import Logs
    from infra.witness.looking import Doors

app = typer.Typer(no_args_is_help=True, help="见证：由监管部门或纪检监察在自己的机器上运行，不需数据库与 Kafka。")
Key = Annotated[Path, typer.Option("--key", help="见证私钥文件（shenguan witness new 所生成）")]
Directory = Annotated[Path, typer.Option("--dir", help="见证方自己的目录：已见证的检查点、分叉的证据")]
Known = Annotated[Path, typer.Option("--logs", help="认识的日志：每行为日志名称、空格、日志公钥；须另行取得")]
UNREACHED = 2
TOKEN = "SHENGUAN_TOKEN"
Say = Callable[[str, str], str]


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="私钥文件，只有本人可读")],
    name: Annotated[str, typer.Option(help="见证方的名称，如 witness.example/jw")],
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """生成见证密钥，并给出公钥：交日志运维登记，交读者核对。文件已存在则不覆盖。"""
    from domain.note_keys import NoteError
    from infra.unproven_words import english
    from infra.witness.logs import new_key

    say = _saying(lang)
    try:
        made = new_key(file, name)
    except FileExistsError:
        raise _failed(say(f"{file} 已存在", f"{file} exists already")) from None
    except NoteError as error:
        raise _failed(say(f"{error.message}（{error.rule}）", f"{english(error)} ({error.rule})")) from None
    if as_json:
        typer.echo(json.dumps({"verifier": made.text, "file": str(file)}, ensure_ascii=False))
        return
    typer.echo(say(f"私钥已写入 {file}，请妥善保管。公钥：", f"The private key is in {file}: keep it safe."), err=True)
    typer.echo(made.text)


@app.command()
def show(file: Annotated[Path, typer.Argument(help="私钥文件")], lang: Lang = None) -> None:
    """一把见证私钥的公钥。"""
    from adapters.crypto.notes import verifier_key
    from infra.witness.logs import WitnessError, read_key

    say = _saying(lang)
    try:
        typer.echo(verifier_key(read_key(file)).text)
    except WitnessError as problem:
        raise _failed(say(problem.zh, problem.en)) from None


@app.command()
def look(
    key: Key,
    directory: Directory,
    logs: Known,
    url: Annotated[str | None, typer.Option(help="日志的地址，如 https://shenguan.example")] = None,
    file: Annotated[Path | None, typer.Option(help="检查点取自此文件，如他人保管的存储上的")] = None,
    origin: Annotated[str | None, typer.Option(help="看哪个日志；--logs 中只有一个时可不写")] = None,
    token_file: Annotated[Path | None, typer.Option(help=f"访问令牌所在文件；默认取环境变量 {TOKEN}")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="所信任的证书颁发机构；默认用系统的")] = None,
    every: Annotated[float | None, typer.Option(min=0.1, help="每隔多少秒再看一次；默认只看一次")] = None,
    private: Annotated[bool, typer.Option("--private", help="不把见证签名交回日志")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """看日志最新的检查点，确为上次见证的延续则见证，并交回签名；被退回或分叉则留证，以 1 结束；无法访问以 2 结束。"""
    from infra.witness.logs import WitnessError
    from infra.witness.looking import Doors

    say = _saying(lang)
    try:
        witness, known = _witness(key, directory, logs)
        wanted = _only(known, origin)
        token = _token(token_file)
        doors = Doors(url, token, ca_file) if url is not None else None
    except WitnessError as problem:
        raise _failed(say(problem.zh, problem.en), UNREACHED) from None
    while True:
        code = _look_once(witness, wanted, doors, file, not private, as_json, say)
        if every is None or code == 1:
            raise typer.Exit(code)
        time.sleep(every)


@app.command()
def serve(
    key: Key,
    directory: Directory,
    logs: Known,
    host: Annotated[str, typer.Option(help="监听的地址")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口；0 为任一空闲端口")] = 8310,
    cert: Annotated[Path | None, typer.Option(help="TLS 证书（PEM）")] = None,
    cert_key: Annotated[Path | None, typer.Option(help="TLS 证书的私钥（PEM）")] = None,
    lang: Lang = None,
) -> None:
    """以 C2SP tlog-witness 接口见证（POST /add-checkpoint）：由日志送来检查点与证明。"""
    import uvicorn

    from infra.witness.logs import WitnessError
    from infra.witness.serving import create_app

    say = _saying(lang)
    try:
        witness, _ = _witness(key, directory, logs)
    except WitnessError as problem:
        raise _failed(say(problem.zh, problem.en), UNREACHED) from None
    typer.echo(witness.verifier_key.text)
    sys.stdout.flush()
    uvicorn.run(
        create_app(witness),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        ssl_certfile=cert,
        ssl_keyfile=str(cert_key) if cert_key is not None else None,
    )


def _look_once(
    witness: Witness, origin: str, doors: Doors | None, file: Path | None, back: bool, as_json: bool, say: Say
) -> int:
    """Says what came of it. 0: cosigned; 1: refused; 2: somebody could not be reached."""
    from domain.unproven import Unproven
    from infra.unproven_words import english
    from infra.witness.logs import WitnessError
    from infra.witness.looking import look as look_at

    try:
        found = look_at(witness, origin, doors, file)
    except Unproven as error:
        en = english(error)
        _tell(as_json, {"cosigned": False, "rule": error.rule, "zh": error.message, "en": en})
        typer.echo(say(f"不予见证：{error.message}（{error.rule}）", f"Refused: {en} ({error.rule})"), err=True)
        return 1
    except WitnessError as problem:
        typer.echo(say(problem.zh, problem.en), err=True)
        return UNREACHED
    except OSError as error:  # such as a full disk: nothing was cosigned
        typer.echo(say(f"无法写入：{error}", f"cannot be written: {error}"), err=True)
        return UNREACHED
    size = found.checkpoint.size
    _tell(
        as_json, {"cosigned": True, "origin": origin, "size": size, "since": found.since, "line": found.signature.line}
    )
    if not as_json:
        typer.echo(
            say(
                f"已见证日志 {origin} 大小为 {size} 的检查点，是上次见证的大小 {found.since} 的延续。",
                f"Cosigned: size {size} of the log {origin}, which goes on from size {found.since}.",
            )
        )
        typer.echo(found.signature.line, nl=False)
    if back and doors is not None:
        try:
            doors.hand_back(size, found.signature)
        except WitnessError as problem:
            zh, en = f"见证签名未能交回：{problem.zh}", f"the cosignature was not handed back: {problem.en}"
            typer.echo(say(zh, en), err=True)
            return UNREACHED
    return 0


def _tell(as_json: bool, value: dict[str, object]) -> None:
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False))
        sys.stdout.flush()


def _witness(key: Path, directory: Path, logs: Path) -> tuple[Witness, Logs]:
    from infra.witness.keeping import Witness
    from infra.witness.logs import read_key, read_logs

    known = read_logs(logs)
    return Witness(directory, read_key(key), known), known


def _only(known: Logs, origin: str | None) -> str:
    from infra.witness.logs import WitnessError

    if origin is None and len(known) > 1:
        raise WitnessError("--logs 中不止一个日志，须以 --origin 指明", "--logs names several logs: say --origin")
    return origin if origin is not None else next(iter(known))


def _token(file: Path | None) -> str | None:
    from infra.witness.logs import WitnessError

    if file is None:
        return os.environ.get(TOKEN) or None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = type(error).__name__
        raise WitnessError(f"{file}：无法读取（{why}）", f"{file}: cannot be read ({why})") from None


def _failed(text: str, code: int = 1) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(code)


def _saying(lang: str | None) -> Say:
    from infra.settings import load

    zh = (lang or load().language) != "en"
    return lambda one, other: one if zh else other
