"""`shenguan checkpoint` and `prove`: what the transparency log has signed, and proofs, checked as a stranger would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.options import AsJson, Lang, begin_store

if TYPE_CHECKING:
    from psycopg import Connection

    from adapters.crypto.notes import NoteVerifier
    from infra.presentation import Shown
    from infra.store import Store

prove_app = typer.Typer(no_args_is_help=True, help="证明：事件在日志中、告知某部门的无一遗漏；并当场核对。")
Size = Annotated[int | None, typer.Option(min=1, help="以哪个检查点为准：其大小；默认最新的")]


def checkpoint(
    ctx: typer.Context,
    size: Size = None,
    witnesses: Annotated[int, typer.Option(min=0, help="至少有几个见证方的见证签名；默认不论")] = 0,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """最新检查点：日志的大小、根、各部门编号簿之根与签名，核对后显示；交他人留存，日后可凭以核对。"""
    from domain.armour import armoured
    from infra import proofs

    with _begun(ctx, lang, as_json) as (store, shown, conn):
        made = proofs.checkpoint(conn, size, witnesses)
        if made is None:
            raise _nothing(shown)
        with _checked(shown):
            origin, cosigned = _opened(conn, store, made.note, witnesses)
    if as_json:
        shown.json(
            {
                "origin": origin,
                "size": made.head.size,
                "root": armoured(made.head.root),
                "position": made.position,
                "ledgers": made.ledgers.size,
                "ledgers_root": armoured(made.ledgers.root),
                "made_at": made.made_at,
                "witnesses": cosigned,
                "checkpoint": made.note,
            }
        )
        return
    at = shown.text("made_at", made.made_at)
    shown.say(
        f"日志 {origin} 的检查点：事件 {made.head.size} 个（至位置 {made.position}），"
        f"部门编号簿 {made.ledgers.size} 个，{at} 签署；签名相符。",
        f"Checkpoint of the log {origin}: {made.head.size} events (up to position {made.position}),"
        f" {made.ledgers.size} ledgers, signed {at}; its signature holds.",
    )
    if cosigned:
        names = "、".join(cosigned)
        shown.say(f"经 {names} 见证；见证签名相符。", f"Cosigned by {names}; the cosignatures hold.")
    typer.echo(made.note, nl=False)


def stores(ctx: typer.Context, size: Size = None, as_json: AsJson = False, lang: Lang = None) -> None:
    """信息库清单：有哪些库、各自的日志名与公钥，连同检查点的证明，核对后显示；--json 可交他人核对。"""
    from domain.store_list_proofs import check_stores
    from infra import proofs
    from infra.presentation import columns
    from infra.registers import day
    from infra.store_lists import proven_list

    with _begun(ctx, lang, as_json) as (store, shown, conn):
        made = proofs.checkpoint(conn, size)
        found = None if made is None else proven_list(conn, made, day(None))
        if found is None:
            raise shown.fail("检查点中没有信息库清单。", "No checkpoint has a list of stores.")
        with _checked(shown):
            listed, since = check_stores(found, _trusted(conn, store))
    if as_json:
        rows = [one.model_dump(mode="json") for one in listed.stores]
        shown.json({"stores": rows, "valid_from": since, "proven": found.model_dump()})
        return
    shape = columns("store | 库 | store\nname | 名称 | name\nlog | 日志 | log\nkeys | 公钥 | keys\n"
                    "since | 启用 | since\nuntil | 停用 | until")  # fmt: skip
    shown.table(
        (f"信息库清单，自 {since} 起，已证明", f"Stores, from {since} on, proven"),
        shape,
        [one.model_dump() | {"keys": list(one.keys)} for one in listed.stores],
    )


@prove_app.command("event")
def prove_event(
    ctx: typer.Context,
    position: Annotated[int, typer.Argument(min=1, help="事件在日志中的位置")],
    size: Size = None,
    earliest: Annotated[bool, typer.Option("--earliest", help="以最早含有该事件的检查点为准")] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """证明某位置的事件在日志中，未经更改；--json 给出可交他人核对的证明。"""
    from domain.log_proofs import check_event, opened
    from infra import proofs

    with _begun(ctx, lang, as_json) as (store, shown, conn):
        found = proofs.prove_event(conn, position, size, earliest)
        leaf = proofs.leaf_at(conn, position)
        if found is None or leaf is None:
            raise shown.fail(
                f"检查点中没有位置 {position} 的事件。", f"No checkpoint has an event at position {position}."
            )
        with _checked(shown):
            keys = _trusted(conn, store)
            event = check_event(found, keys, leaf)
            by = opened(found.checkpoint, keys).size
    assert event is not None
    if as_json:
        shown.json(found.model_dump())
        return
    at = shown.text("recorded_at", event.at)
    shown.say(
        f"位置 {position} 的事件（{event.stream} 第 {event.version} 版，{event.topic}，{at} 记录）"
        f"是日志第 {found.index} 号叶，在大小为 {by} 的检查点之内：内容、路径、签名均相符。",
        f"The event at position {position} ({event.stream} version {event.version}, {event.topic}, recorded {at}) is"
        f" leaf {found.index} of the log, by the checkpoint of size {by}: content, path and signature hold.",
    )


@prove_app.command("ledger")
def prove_ledger(
    ctx: typer.Context,
    department: Annotated[str, typer.Argument(help="部门代码")],
    size: Size = None,
    kept: Annotated[
        Path | None,
        typer.Option(
            "--kept", help="部门自存的文件：与上次留存的核对，相符则以此次所证替换，--size 不得小于它；没有则新建"
        ),
    ] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """证明告知某部门的第 1 至 n 号无缺无添：逐件重算，与检查点所承诺的编号簿之根核对。"""
    from domain.armour import armoured
    from domain.log_proofs import check_complete, check_ledger, opened
    from domain.merkle import leaf_hashes
    from infra import proofs
    from infra.kept_ledgers import Kept, keep, size_kept

    with _begun(ctx, lang, as_json) as (store, shown, conn):
        found = proofs.prove_ledger(conn, department, size)
        if found is None:
            raise _nothing(shown)
        with _checked(shown):
            keys = _trusted(conn, store)
            head = check_ledger(found, keys)
            entries = [one.leaf for one in proofs.ledger_entries(conn, department, up_to=head.size)]
            check_complete(department, entries, head)
            by = opened(found.checkpoint, keys).size
            if size is not None and kept is not None and by < size_kept(kept, keys):
                raise typer.BadParameter(
                    "小于留存的检查点，无从核对 (smaller than the checkpoint that was kept: not to be compared)",
                    param_hint="--size",
                )
            hashes = [armoured(one) for one in leaf_hashes(entries)]
            now = Kept(department=department, leaf_hashes=hashes, checkpoint=found.checkpoint)
            try:
                before = keep(conn, kept, now, keys)
            except OSError as error:
                raise shown.fail(f"{kept}：{error.strerror}", f"{kept}: {error.strerror}") from None
    if as_json:
        shown.json({"entries": head.size, "complete": True, "leaf_hashes": hashes, "proof": found.model_dump()})
    elif not head.size:
        shown.say(
            f"截至大小为 {by} 的检查点，没有告知过部门 {department}：已证明其编号簿不存在。",
            f"By the checkpoint of size {by} nothing was addressed to {department}: that it has no ledger is proven.",
        )
    else:
        shown.say(
            f"部门 {department} 的编号簿第 1 至 {head.size} 号共 {head.size} 件，与大小为 {by} 的检查点所承诺的相符："
            "无一缺少，无一添加。",
            f"The ledger of {department}, 1 to {head.size}, is what the checkpoint of size {by} commits to:"
            " none is missing, none was added.",
        )
    if before is not None and not as_json:
        shown.say(
            f"与留存相符：当时的 {len(before.leaf_hashes)} 号仍是当时的内容，日志是当时的延续。",
            f"As kept: the {len(before.leaf_hashes)} entries of then are what they were, and the log has only grown.",
        )


@contextmanager
def _begun(ctx: typer.Context, lang: str | None, as_json: bool) -> Iterator[tuple[Store, Shown, Connection[Any]]]:
    """With a connection, for as long as a proof is made and checked."""
    store, shown = begin_store(ctx, lang, as_json)
    with closing(store.connect()) as conn:
        yield store, shown, conn


@contextmanager
def _checked(shown: Shown) -> Iterator[None]:
    """What does not hold is said, and ends the command."""
    from domain.unproven import Unproven

    try:
        yield
    except Unproven as error:
        from infra.unproven_words import english

        raise shown.fail(
            f"证明不成立：{error.message}（{error.rule}）。",
            f"This does not hold: {english(error)} ({error.rule}).",
            rule=error.rule,
        ) from None


def _trusted(conn: Connection[Any], store: Store) -> list[NoteVerifier]:
    """The keys in the file where it is at hand: what the database says of keys is only as good as the database."""
    from adapters.postgres.checkpoints import keys_in_use
    from domain.note_keys import parse_verifier_key
    from infra.log_keys import trusted_keys, verifiers

    mine = trusted_keys(store.settings.log_key_file)
    return verifiers(mine or [parse_verifier_key(one.verifier) for one in keys_in_use(conn)])


def _opened(conn: Connection[Any], store: Store, note: str, least: int) -> tuple[str, list[str]]:
    """The log's name, and those of the witnesses that have cosigned. Raises Unproven."""
    from adapters.postgres.cosignatures import heard
    from domain.log_proofs import Policy, cosigners, opened
    from domain.note_keys import parse_verifier_key
    from infra.cosigning import read_witnesses
    from infra.log_keys import verifiers

    mine = [one.key for one in read_witnesses(store.settings.witness_file)]
    known = verifiers(mine or [parse_verifier_key(one.verifier) for one in heard(conn)])
    found = opened(note, _trusted(conn, store), policy=Policy(tuple(known), least))
    return found.origin, sorted(cosigners(note.encode(), known))


def _nothing(shown: Shown) -> typer.Exit:
    return shown.fail(
        "没有这样的检查点（由角色 prover 签署）。", "There is no such checkpoint (the role prover signs them)."
    )
