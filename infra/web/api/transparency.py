"""The transparency log, by C2SP tlog-tiles: its checkpoint, tiles and keys.

Hashes say nothing of a case, so whoever has signed in may have them; entry bundles are the events themselves, for
inspectors, each read on record.
"""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from adapters.http.problems import Fault, Problem, of_status, responses
from adapters.postgres.checkpoints import keys_in_use
from adapters.postgres.cosignatures import heard
from adapters.postgres.trees import LOG, tile_content
from domain.access import Caller
from domain.log_proofs import EventProof, GrowthProof
from domain.tiles import ENTRIES, Tile, TileError, parse_tile
from domain.unproven import Unproven
from infra import proofs
from infra.cosigning import read_witnesses, take
from infra.log_keys import trusted_keys
from infra.store import Store
from infra.web.identity import reads
from infra.web.reading import Readers
from infra.witness.logs import WitnessError

router = APIRouter(prefix="/log", tags=["proofs"])
MayWatch = Annotated[Caller, Depends(reads("transparency"))]
MayInspect = Annotated[Caller, Depends(reads("entries"))]
FOR_EVER = "private, max-age=31536000, immutable"
Size = Annotated[int | None, Query(ge=1, lt=2**63, description="以哪个检查点为准：其大小；默认最新的")]
SizePath = Annotated[int, Path(ge=1, lt=2**63, description="检查点的大小：其中事件数")]
Position = Annotated[int, Path(ge=1, lt=2**63, description="事件在日志中的位置")]
TilePath = Annotated[str, Path(max_length=100, description="如 0/x001/234 或 0/x001/234.p/17（C2SP tlog-tiles）")]
BundlePath = Annotated[str, Path(max_length=100, description="如 x001/234、000.p/17（C2SP tlog-tiles）")]


def _content(kind: str, *statuses: int) -> dict[int | str, dict[str, Any]]:
    schema = {"type": "string"} if kind == "text/plain" else {"type": "string", "format": "binary"}
    return {200: {"content": {kind: {"schema": schema}}}, **responses(*statuses)}


_NOTE = _content("text/plain", 401, 403, 404, 422)
_TILE = _content("application/octet-stream", 401, 403, 404, 422)


class Key(BaseModel):
    """A verifier key as C2SP signed-note writes it, since when and until when checkpoints were signed with it."""

    verifier: str
    since: datetime
    until: datetime | None


class Keys(BaseModel):
    """`origin`: the log's name, the first line of its checkpoints. Keep them: a key is worth what its source is."""

    origin: str
    items: list[Key]


class Cosignature(BaseModel):
    """A witness's signature line for the checkpoint of a size, without its newline."""

    model_config = ConfigDict(extra="forbid")

    size: int = Field(ge=1, lt=2**63)
    signature: str = Field(max_length=1000)


class Taken(BaseModel):
    witness: str
    size: int


class Witness(BaseModel):
    """A witness that has cosigned, by its verifier key; `size`: the largest that it did, `at`: when that came."""

    name: str
    verifier: str
    since: datetime
    size: int
    at: datetime


class Witnesses(BaseModel):
    """Keep their keys: a key is worth what its source is."""

    items: list[Witness]


@router.get("/checkpoint", response_class=Response, responses=_NOTE)
def checkpoint(
    request: Request,
    _: MayWatch,
    witnesses: Annotated[int, Query(ge=0, le=100, description="至少有几个见证方的见证签名")] = 0,
) -> Response:
    """最新检查点：日志的大小、根、各部门编号簿之根，经签名，连同已有的见证签名。"""
    return _note(request, None, witnesses)


@router.get("/checkpoint/{size}", response_class=Response, responses=_NOTE)
def checkpoint_of_size(request: Request, _: MayWatch, size: SizePath) -> Response:
    """曾签署的检查点，按大小。"""
    return _note(request, size)


@router.get("/keys", responses=responses(401, 403, 422))
def keys(request: Request, _: MayWatch) -> Keys:
    """日志公钥：先后用于签署检查点的各把，起止时间；密钥文件在此的，只列其中所有的。"""
    store: Store = request.app.state.store
    trusted = {one.text for one in trusted_keys(store.settings.log_key_file)}
    with _log(request) as conn:
        used = [one for one in keys_in_use(conn) if not trusted or one.verifier in trusted]
    found = [Key(verifier=one.verifier, since=one.since, until=one.until) for one in used]
    return Keys(origin=store.settings.log_name, items=found)


@router.get("/witnesses", responses=responses(401, 403, 422))
def witnesses(request: Request, _: MayWatch) -> Witnesses:
    """见证方：公钥，各自见证到的大小与时间。"""
    with _log(request) as conn:
        found = heard(conn)
    return Witnesses(
        items=[
            Witness(name=one.name, verifier=one.verifier, since=one.since, size=one.size, at=one.at) for one in found
        ]
    )


@router.post("/cosignatures", responses=responses(401, 403, 404, 422, 503))
def cosignatures(request: Request, _: MayWatch, given: Cosignature) -> Taken:
    """交回见证签名：由此日志登记的见证方所签，核对后与检查点一并给出。"""
    store: Store = request.app.state.store
    try:
        known = read_witnesses(store.settings.witness_file)
    except WitnessError:
        raise of_status(503) from None
    try:
        with closing(store.connect()) as conn:
            witness = take(conn, known, given.size, given.signature)
    except Unproven as error:
        fault = Fault(field="signature", rule=error.rule, message=error.message)
        raise Problem(422, "见证签名不成立", "the cosignature does not hold", rule=error.rule, faults=[fault]) from None
    if witness is None:
        raise of_status(404)
    return Taken(witness=witness, size=given.size)


# Before the tiles of hashes: paths are tried in this order.
@router.get("/tile/entries/{path:path}", response_class=Response, responses=_TILE)
def entries(request: Request, caller: MayInspect, path: BundlePath) -> Response:
    """条目束：256个事件的原样，供纪检监察核对全部日志；逐次留痕。"""
    tile = _tile(f"entries/{path}")
    with _log(request) as conn:
        found = proofs.entry_bundle(conn, tile)
    if found is not None:
        request.app.state.recorder.read(caller, "log-entries", {"path": path}, tile.width)
    return _answer(found, tile)


@router.get("/tile/{path:path}", response_class=Response, responses=_TILE)
def hashes(request: Request, _: MayWatch, path: TilePath) -> Response:
    """散列瓦片：日志的默克尔树。"""
    tile = _tile(path)
    if tile.level == ENTRIES:
        raise of_status(404)
    with _log(request) as conn:
        return _answer(tile_content(conn, LOG, tile), tile)


@router.get("/events/{position}", responses=responses(401, 403, 404, 422))
def event(
    request: Request,
    _: MayWatch,
    position: Position,
    size: Size = None,
    earliest: Annotated[bool, Query(description="以最早含有该事件的检查点为准")] = False,
) -> EventProof:
    """包含证明：某位置的事件在日志中。"""
    with _log(request) as conn:
        found = proofs.prove_event(conn, position, size, earliest)
    if found is None:
        raise of_status(404)
    return found


@router.get("/growth", responses=responses(401, 403, 404, 422))
def growth(
    request: Request,
    _: MayWatch,
    first: Annotated[int, Query(ge=1, lt=2**63, description="较早检查点的大小")],
    second: Annotated[int | None, Query(ge=1, lt=2**63, description="较晚检查点的大小；默认最新的")] = None,
) -> GrowthProof:
    """一致性证明：较早的日志是较晚的日志的开头，未改未删。"""
    with _log(request) as conn:
        found = proofs.prove_growth(conn, first, second)
    if found is None:
        raise of_status(404)
    return found


def _log(request: Request) -> Any:
    readers: Readers = request.app.state.readers
    return readers.log()


def _note(request: Request, size: int | None, witnesses: int = 0) -> Response:
    with _log(request) as conn:
        made = proofs.checkpoint(conn, size, witnesses)
    if made is None:
        raise of_status(404)
    return Response(made.note, media_type="text/plain; charset=utf-8")


def _tile(path: str) -> Tile:
    try:
        return parse_tile(f"tile/{path}")
    except TileError:
        raise of_status(404) from None


def _answer(content: bytes | None, tile: Tile) -> Response:
    if content is None:
        raise of_status(404)
    headers = {"Cache-Control": FOR_EVER} if not tile.partial else {}
    return Response(content, media_type="application/octet-stream", headers=headers)
