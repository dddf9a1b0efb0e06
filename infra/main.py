"""The command `shenguan`. Sub-commands import what they need when they run, so that `--help` is quick."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra import (
    channels,
    erase_command,
    key_commands,
    letter_commands,
    log_key_commands,
    proof_commands,
    queries,
    sessions,
    statement_commands,
    submitting,
    subscribe,
)
from infra.bench.command import bench
from infra.logging import configure
from infra.witness import commands as witness_commands

if TYPE_CHECKING:
    from infra.store import Store

app = typer.Typer(
    no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False, help="审管：审管衔接，双向告知。"
)
topics_app = typer.Typer(no_args_is_help=True, help="Kafka 主题与访问规则。")
projections_app = typer.Typer(no_args_is_help=True, help="读模型。")
import_app = typer.Typer(no_args_is_help=True, help="导入外部数据。")
app.add_typer(queries.app)
app.command()(submitting.submit)
app.command()(subscribe.subscribe)
app.add_typer(letter_commands.app, name="letters")
app.add_typer(key_commands.app, name="keys")
app.add_typer(topics_app, name="topics")
app.add_typer(channels.app, name="channels")
app.add_typer(sessions.app, name="sessions")
app.add_typer(projections_app, name="projections")
app.add_typer(import_app, name="import")
app.command()(proof_commands.checkpoint)
app.command()(erase_command.erase)
app.command()(proof_commands.stores)
app.add_typer(proof_commands.prove_app, name="prove")
app.add_typer(log_key_commands.app, name="log-keys")
app.add_typer(witness_commands.app, name="witness")
app.add_typer(statement_commands.app, name="statement")


@contextmanager
def _store(*, kafka: bool = True, http: bool = False) -> Iterator[Store]:
    from infra.addresses import with_port
    from infra.settings import load
    from infra.store import open_store

    settings = load()
    with open_store(with_port(settings) if http else settings, kafka=kafka) as store:
        yield store


@app.command()
def migrate() -> None:
    """建立或升级数据库结构；可重复执行，可多个进程同时执行。"""
    from infra.founding import ONE_ROLE, one_role, prepare

    with _store(kafka=False) as store:
        for name in prepare(store):
            typer.echo(name)
        if one_role(store):
            typer.echo(ONE_ROLE[store.language == "en"], err=True)


@app.command()
def found(file: Annotated[Path, typer.Argument(help="founding.json：审改部门与首批接入方")]) -> None:
    """建库：写入审改部门与首批接入方；已建则不变。"""
    from infra.founding import found as begin
    from infra.founding import prepare, read

    with _store(kafka=False) as store:
        if (master := store.settings.registers_from) is not None:
            en = f"the registers are {master}'s: the role registrar founds this store"
            raise typer.BadParameter(en if store.language == "en" else f"登记簿跟随 {master}，由角色 registrar 建库")
        prepare(store)
        written = begin(store, read(file))
        typer.echo(f"{written} events written" if store.language == "en" else f"写入 {written} 个事件")


@topics_app.command("apply")
def topics_apply() -> None:
    """按登记簿建立主题与访问规则。"""
    from infra.topics import apply_topics

    with _store() as store:
        created = apply_topics(store)
        typer.echo(f"{len(created)} topics created" if store.language == "en" else f"新建主题 {len(created)} 个")


@topics_app.command("accept")
def topics_accept(topic: Annotated[str, typer.Argument(help="被重建的提交主题全名")]) -> None:
    """接受被删除重建的提交主题：从头读新主题；旧主题中未读的已不可得。"""
    from infra.accepting import NothingToAccept, accept

    with _store() as store:
        try:
            typer.echo(f"{topic}：第 {accept(store, topic)} 期")
        except NothingToAccept as nothing:
            raise typer.BadParameter(nothing.en if store.language == "en" else nothing.zh) from None


@app.command()
def role(
    names: Annotated[
        list[str], typer.Argument(help="intake outlet projector publisher prover clock registrar region api")
    ],
) -> None:
    """运行一个或几个角色，直到收到终止信号。"""
    from infra.roles.supervisor import run_roles

    with _store() as store:
        run_roles(store, names)


@app.command()
def up(
    sample: Annotated[int, typer.Option(help="库中尚无内容时，先送入这么多办件的模拟数据；只用于内置服务器")] = 0,
) -> None:
    """建库（如需要）并运行全部角色，直到收到终止信号。"""
    from infra import sample as sampling
    from infra.addresses import web_address
    from infra.founding import prepare
    from infra.roles.catalogue import needed
    from infra.roles.supervisor import run_roles
    from infra.topics import apply_topics

    with _store(http=True) as store:
        prepare(store)
        if sample and store.settings.sign_in == "demo":
            sampling.begin(store, sample, lambda text: typer.echo(text, err=True))
        apply_topics(store)
        typer.echo(
            f"Kafka {store.kafka_options['bootstrap_servers']}，数据目录 {store.settings.data_dir}，按 Ctrl-C 结束"
        )
        typer.echo(f"网页 {web_address(store.settings)}")
        run_roles(store, needed(store.settings), apart=True)


@app.command()
def generate(
    cases: Annotated[int, typer.Option(help="办件数")] = 1000,
    seed: Annotated[int, typer.Option(help="随机种子")] = 1,
    out: Annotated[Path, typer.Option(help="输出目录")] = Path("generated"),
) -> None:
    """生成内蒙古一年的模拟数据及其真值文件。"""
    from infra.generator.year import generate as make

    summary = make(cases, seed, out)
    typer.echo(json.dumps(asdict(summary), ensure_ascii=False))


@app.command()
def feed(out: Annotated[Path, typer.Argument(help="generate 的输出目录")]) -> None:
    """把生成的一年经 Kafka 送入（摄取须在运行）。"""
    from infra.feeding import feed_year

    with _store() as store:
        typer.echo(f"共 {feed_year(store, out, typer.echo)} 条")


@app.command()
def truth(out: Annotated[Path, typer.Argument(help="generate 的输出目录")]) -> None:
    """把库与真值文件逐件比对；有不符则以 1 结束。"""
    from infra.feeding import mismatches, uncarried

    with _store(kafka=False) as store:
        if left := uncarried(store):
            typer.echo(f"尚有 {left} 项机构承接或订阅补发未办完（由 clock 角色办理），办完后再比对")
        found = mismatches(store, out)
        for line in found[:50]:
            typer.echo(line)
        typer.echo(f"与真值不符 {len(found)} 处")
        if found:
            raise typer.Exit(1)


@app.command()
def retry(place: Annotated[str, typer.Argument(help="死信的位置，见 deadletters")]) -> None:
    """让一件死信以原提交者的名义、原样再裁定一次。"""
    from infra.operating import retry_dead_letter

    with _store() as store:
        try:
            name = retry_dead_letter(store, place)
        except ValueError:
            raise typer.BadParameter("位置须为 主题id/分区/偏移 (topic id/partition/offset)") from None
        english = f"handed in: {name}; what becomes of it: deadletters, status"
        typer.echo(english if store.language == "en" else f"已提交 {name}；结果见 deadletters 与 status")


@import_app.command("shuanggongshi")
def import_shuanggongshi(
    file: Annotated[Path, typer.Argument(help="CSV（UTF-8 或 GB18030）、XLSX 或 JSON")],
    principal: Annotated[str | None, typer.Option(help="以哪个接入方提交")] = None,
    department: Annotated[str | None, typer.Option(help="代表哪个部门")] = None,
    report: Annotated[Path | None, typer.Option(help="错误报告；默认 <文件名>.report.csv")] = None,
    legacy: Annotated[bool, typer.Option("--legacy", help="系统上线前的存量：不产生告知")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只校验，不提交")] = False,
    lang: Annotated[str | None, typer.Option(help="zh 或 en")] = None,
) -> None:
    """导入双公示行政许可数据；坏行写入报告，可重复导入。"""
    from infra.importer import ImportProblem, import_permits

    with _store() as store:
        language = lang or store.language
        try:
            summary = import_permits(
                store,
                file,
                principal=principal,
                department=department,
                legacy=legacy,
                report=report,
                dry_run=dry_run,
                progress=lambda rows: _progress(rows, rows + 1),
            )
        except ImportProblem as problem:
            typer.echo(problem.en if language == "en" else problem.zh, err=True)
            raise typer.Exit(1) from None
        for line in summary.lines(language):
            typer.echo(line)


@app.command()
def verify(
    as_json: Annotated[bool, typer.Option("--json", help="最后一行输出 JSON")] = False,
    most: Annotated[int, typer.Option(help="最多列出几处")] = 20,
    kept: Annotated[
        list[Path] | None, typer.Option("--kept", exists=True, dir_okay=False, help="他处留存的检查点，可多次给出")
    ] = None,
) -> None:
    """核对日志、日志树与检查点、告知、编号簿、处理结果与读模型，指出第一处不符；有不符则以 1 结束。"""
    from infra import store_lists
    from infra.cosigning import read_witnesses
    from infra.log_keys import trusted_keys
    from infra.verify import verify as check
    from infra.verify_report import tell

    with _store(kafka=False) as store:
        filed = store.settings.checkpoint_file
        files = [*(kept or ()), *([filed] if filed is not None and filed.exists() else ())]
        notes = [one.read_text(encoding="utf-8") for one in files]
        witnesses = [one.key for one in read_witnesses(store.settings.witness_file)]
        verdict = check(store, _progress, most, trusted_keys(store.settings.log_key_file), store, notes, witnesses)
        # of a record that is wrong there may be no registers to fold
        remarks = [] if verdict.problems else store_lists.remarks(store)
        tell(verdict, remarks, store.language == "en", as_json)
        if verdict.problems:
            raise typer.Exit(1)


@app.command()
def rewind(reason: Annotated[str, typer.Argument(help="缘由，记入日志")]) -> None:
    """让摄取从头重读全部提交主题：只增加重复计数，不产生事实与告知。"""
    from infra.rewinding import rewind as again

    with _store() as store:
        typer.echo(f"重读主题 {again(store, reason)} 个")


@projections_app.command("rebuild")
def projections_rebuild(
    name: Annotated[str | None, typer.Argument(help="读模型名；不给则全部")] = None,
) -> None:
    """并排重建读模型，追上后切换；不重发任何告知。"""
    from infra.rebuilding import rebuild_all

    with _store(kafka=False) as store:
        rebuild_all(store, name, _progress)


app.command()(bench)


@app.command()
def demo(
    cases: Annotated[int, typer.Option(help="办件数")] = 300,
    seed: Annotated[int, typer.Option(help="随机种子")] = 2020,
    as_json: Annotated[bool, typer.Option("--json", help="最后一行输出 JSON")] = False,
) -> None:
    """在内置服务器上跑一遍主线：生成、提交、裁定、告知、签收、反馈，并核对真值。"""
    from infra.demo import run
    from infra.settings import load

    if run(load(), cases, seed, as_json):
        raise typer.Exit(1)


@app.command()
def clauses(
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON 列表")] = False,
    check: Annotated[bool, typer.Option("--check", help="已完成的能力缺少证明则以 1 结束")] = False,
    as_table: Annotated[bool, typer.Option("--table", help="输出 docs/reference/coverage.md")] = False,
    lang: Annotated[str | None, typer.Option(help="zh 或 en")] = None,
) -> None:
    """通知各条款的能力：由哪些测试证明其可用、证明其滥用被拒，最近一次是否通过。在源码目录中运行。"""
    from infra.clauses import NoTests, known, lines, table
    from infra.settings import load

    language = lang or load().language
    try:
        found = known()
    except NoTests:
        words = (
            "no tests here: run it in the source's directory"
            if language == "en"
            else "此处没有测试：请在源码目录中运行"
        )
        typer.echo(words, err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in found], ensure_ascii=False))
    else:
        for line in table(found) if as_table else lines(found, language):
            typer.echo(line)
    if check and any(one.wanting for one in found):
        raise typer.Exit(1)


@app.command()
def schemas() -> None:
    """重新生成 docs/reference：JSON Schema、AsyncAPI、提交与规则一览。"""
    from infra.schemas import main as write_all

    write_all()


def _progress(done: int, total: int) -> None:
    """A bar on a terminal, nothing into a pipe."""
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r{done}/{total}", end=end, file=sys.stderr, flush=True)  # noqa: T201


def main() -> None:
    """Runs the command; what a person can mend ends in one clear message, not in a traceback."""
    configure()
    try:
        app()
    except Exception as error:
        from infra.settings import SettingsProblem

        if isinstance(error, SettingsProblem):
            for line in error.lines:
                print(line, file=sys.stderr)  # noqa: T201
            sys.exit(2)
        if not isinstance(error, _mendable()):
            raise
        print(f"{type(error).__name__}：{str(error).strip() or '—'}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


def _mendable() -> tuple[type[Exception], ...]:
    """What a person can mend; imported only when something has failed."""
    import psycopg

    from adapters.channels.sms import GatewayProblem
    from adapters.crypto.sealer import MasterKeyError
    from adapters.kafka.clients import BrokerError
    from adapters.kafka.topics import TopicError
    from adapters.postgres.migrate import MigrationError
    from adapters.postgres.rebuild import RebuildRunning, SwapRefused
    from adapters.postgres.trees import TreeMismatch
    from infra.log_keys import LogKeyError
    from infra.servers.child import ServerError
    from infra.witness.logs import WitnessError

    ours = (ServerError, MasterKeyError, MigrationError, TopicError, BrokerError, RebuildRunning, SwapRefused)
    return (*ours, GatewayProblem, LogKeyError, WitnessError, TreeMismatch, psycopg.OperationalError, OSError)


if __name__ == "__main__":
    main()
