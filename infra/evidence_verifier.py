"""Verifies an evidence bundle 证据包 where the product is not: Python 3.11 or later and the package `cryptography`, no
network, nothing else. 核验证据包：只需 Python 3.11 以上与 cryptography，不联网，不装审管。

    python verify.py BUNDLE.zip --keys KEYS [--witness VKEY]... [--openings FILE] [--list] [--lang en]

The exit code is 0 where everything holds; 1 where something does not, and the first wrong thing is named; 2 where it
was called wrongly. A verifier that came with the bundle proves nothing to who does not trust the sender: keep a copy of
your own, and get the log's keys from somebody you believe. The format is described in docs/reference/evidence.md.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "shenguan-evidence/1"
ALWAYS = (
    "README.txt",
    "summary.pdf",
    "summary.json",
    "events.jsonl",
    "checkpoint.txt",
    "keys.json",
    "submissions.json",
)
OPENINGS, VERIFIER, MANIFEST, SEAL = "openings.json", "verify.py", "manifest.json", "manifest.sha256"
LARGEST = 512 * 1024 * 1024
"""Bytes of a bundle; nothing in it is compressed, so that no more than this is ever held."""
HIDDEN = "（已隐去）"
"""Stands in `summary.json` for a personal value without its opening."""
REGISTERS = ("department", "principal", "matter", "mapping", "entry", "calendar", "registers")
SALT = 16
LONGEST_JWS = 4096
CHINA = timezone(timedelta(hours=8))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,63}")
_SIZE = re.compile(r"[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_LEAF = struct.Struct(">BQq")
_LONGEST_LEAF = 65535
_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
_FIRST_DAY = 33  # 1980-01-01, as ZIP has dates
_FILE = 0o100644 << 16
Files = dict[str, bytes]


RULES = {
    "bundle.packed": (
        "不是证据包，或已被改动、截短、重新压缩",
        "no evidence bundle, or one that was altered, cut short or packed anew",
    ),
    "manifest.digest": ("清单与其散列不符", "the manifest does not have its digest"),
    "manifest.format": ("不支持的格式", "not a format that this verifier knows"),
    "manifest.files": ("文件与清单所列不符", "the files are not those that the manifest lists"),
    "key.shape": ("不是公钥：{}", "no verifier key: {}"),
    "key.id": ("公钥编号与公钥不符：{}", "the key has not this id: {}"),
    "note.shape": ("检查点不是签名文本", "the checkpoint is no signed note"),
    "checkpoint.other": ("检查点不是清单所说的", "it is not the checkpoint that the manifest names"),
    "checkpoint.shape": ("检查点的大小或根不合理", "the checkpoint's size or root cannot be"),
    "note.unsigned": ("检查点没有所给公钥的签名", "none of the given keys signed the checkpoint"),
    "event.path": ("{} 不在检查点之内", "{} is not in the checkpoint's tree"),
    "leaf.shape": ("叶不合格式", "a leaf is malformed"),
    "leaf.state": ("叶旁所附的内容不是叶所说的", "the state beside a leaf is not the one that it has a digest of"),
    "events.shape": ("events.jsonl 为空或被截短", "events.jsonl is empty or cut short"),
    "stream.case": ("缺办件本身的流 {}", "the case's own stream {} is missing"),
    "submission.other": ("{} 的签名或原文缺失、不符", "{}: its signature, or what was signed, is missing or another"),
    "bundle.large": ("证据包超过 {} 字节", "the bundle has more than {} bytes"),
    "summary.other": ("summary.json 所列事件与叶不符", "the events in summary.json are not the leaves'"),
    "bundle.name": ("不允许的文件名 {}", "a file name that is not allowed: {}"),
    "bundle.twice": ("文件 {} 出现两次", "the file {} is there twice"),
    "file.digest": ("{} 与清单不符", "{} is not as the manifest has it"),
    "note.unwitnessed": ("检查点没有见证 {} 的签名", "{} did not witness the checkpoint"),
    "note.forged": ("{} 的签名不正确", "the signature of {} is forged"),
    "leaf.other": ("{} 的叶是别的事件", "the leaf of {} is another event's"),
    "events.order": ("{} 次序不对或重复", "{} is out of order, or there twice"),
    "stream.gap": ("流 {} 自第 1 版起有缺", "the stream {} has a gap from version 1 on"),
    "signature.wrong": ("JWS 签名不正确", "a JWS does not verify"),
    "submission.key": ("{} 的签名公钥当日不是该接入方的", "{}: not its principal's key"),
    "receipt.other": ("{} 所签的不是这件告知", "{}: signed for another notice"),
    "receipt.key": ("{} 的签名不是该部门的", "{}: not signed by its department"),
    "opening.wrong": ("个人信息与承诺 {} 不符", "a value is not that of {}"),
    "opening.other": ("包内没有承诺 {}", "no event has the commitment {}"),
    "bundle.shape": ("内容不合格式（{}）", "something in it is malformed ({})"),
}
"""What a rule's breach is called; `{}` is what it was found at."""


HELD = (
    ("证据包：办件 {organ} {number}，日志 {log}", "Bundle: case {organ} {number}, log {log}"),
    ("整包 SHA-256：{digest}", "SHA-256 of the bundle: {digest}"),
    ("检查点：事件 {size} 个，根 {root}", "Checkpoint: {size} events, root {root}"),
    ("签署：{keys}，相符；见证：{seen}", "Signed by {keys}: holds; witnesses: {seen}"),
    (
        "事件 {events} 个（办件 {case}，告知 {notice}，登记簿 {register}）：内容、位置、路径相符",
        "{events} events (case {case}, notices {notice}, registers {register}): content, place and path hold",
    ),
    ("流 {whole} 个自第 1 版起无缺", "{whole} streams without a gap from version 1 on"),
    (
        "签名：有签名的提交 {signed} 件，附有原文而签名相符 {verified} 件，其余只核对公钥与摘要；"
        "有签名的签收 {receipts} 件，相符",
        "Signatures: {signed} signed submissions, {verified} with what was signed, which verify, of the others key and"
        " digest are as the events have them; {receipts} signed receipts, which verify",
    ),
    (
        "个人信息：{values} 项，公开 {opened} 项，与承诺相符",
        "Personal values: {values}, of which {opened} are disclosed and as committed to",
    ),
)
OWN_KEYS = (
    "注意：未给出 --keys，用的是证据包自带的公钥 {keys}。自带的公钥什么也不证明：谁都能用自己的密钥造一包。",
    "WARNING: no --keys, so the bundle's own were used: {keys}. They prove nothing: anybody can make such a bundle.",
)
END = (
    ("核验通过。", "Everything holds."),
    ("以上不证明：", "What this does not prove:"),
    (
        "· 此后没有与办件有关的事件：只到该检查点为止，且一条流的末尾之后是否还有，须问日志；",
        "- that nothing followed: it ends with the checkpoint, and what comes after a stream's end the log must say;",
    ),
    (
        "· 告知没有遗漏：各部门编号簿是否齐全，由 shenguan prove ledger 证明；",
        "- that no notice is left out: `shenguan prove ledger` proves a department's ledger to be whole;",
    ),
    ("· 所提交的内容属实；", "- that what was submitted is true;"),
    (
        "· 清单所载的制作人与时间，PDF 与说明的文字：以所列事件（--list，summary.json 的 events）为准。",
        "- who made the bundle and when, nor the words of PDF and README: go by the events (--list, summary.json).",
    ),
)


class Wrong(Exception):
    """Something that does not hold: `rule` is a dotted code, the text says what and where."""

    def __init__(self, rule: str, at: object = "") -> None:
        self.rule = rule
        self.zh, self.en = (text.format(at) for text in RULES[rule])
        super().__init__(f"{rule}: {self.en}")


class Key(NamedTuple):
    """A verifier key of signed notes (C2SP signed-note). `kind` 1: over the text; 4: a witness's, with a time."""

    name: str
    id: bytes
    kind: int
    public: bytes

    @property
    def known_as(self) -> str:
        return f"{self.name}+{self.id.hex()}"


class Event(NamedTuple):
    """One event, proven to be in the log. `at`: microseconds since 1970."""

    position: int
    at: int
    stream: str
    version: int
    topic: str
    state: dict[str, Any]
    leaf_hash: str

    @property
    def part(self) -> str:
        """`register`, `notice` (what was owed, and its life) or `case`, by the name of the stream."""
        kind = self.stream.partition("/")[0]
        return "notice" if kind in ("ledger", "notice") else "register" if kind in REGISTERS else "case"

    @property
    def time(self) -> datetime:
        return (_EPOCH + timedelta(microseconds=self.at)).astimezone(CHINA)

    @property
    def place(self) -> str:
        return f"{self.stream} {self.version} ({self.topic})"


class Report(NamedTuple):
    """What was found to hold."""

    manifest: dict[str, Any]
    digest: str
    signed_by: list[Key]
    witnessed: list[tuple[Key, datetime]]
    own_keys: bool
    events: list[Event]
    submissions: tuple[int, int]
    receipts: int
    commitments: int
    opened: dict[str, str]


# ---- the container ----


def unpack(data: bytes) -> Files:
    """The files of a bundle: stored, each once, under plain names, and not one byte besides. Raises Wrong."""
    files: Files = {}
    at = 0
    while data[at : at + 4] == b"PK\x03\x04" and len(data) >= at + _LOCAL.size and len(files) < 32:
        size, length = _LOCAL.unpack_from(data, at)[8:10]
        start = at + _LOCAL.size + length
        name = data[at + _LOCAL.size : start].decode("ascii", "replace")
        if _NAME.fullmatch(name) is None:
            raise Wrong("bundle.name", repr(name[:80]))
        if name in files:
            raise Wrong("bundle.twice", name)
        files[name] = data[start : start + size]
        at = start + size
    if pack(files) != data:
        raise Wrong("bundle.packed")
    return files


def pack(files: Files) -> bytes:
    """The one way in which these files are a bundle."""
    body, central = bytearray(), bytearray()
    for name, content in files.items():
        spelt = name.encode()
        said = (20, 0, 0, 0, _FIRST_DAY, zlib.crc32(content), len(content), len(content), len(spelt), 0)
        central += _CENTRAL.pack(b"PK\x01\x02", 20 | 3 << 8, *said, 0, 0, 0, _FILE, len(body)) + spelt
        body += _LOCAL.pack(b"PK\x03\x04", *said) + spelt + content
    end = _END.pack(b"PK\x05\x06", 0, 0, len(files), len(files), len(central), len(body), 0)
    return bytes(body + central + end)


def check_manifest(files: Files) -> dict[str, Any]:
    """What the bundle says of itself; every file is as the manifest has it. Raises Wrong."""
    wanted = f"{hashlib.sha256(files.get(MANIFEST, b'')).hexdigest()}  {MANIFEST}\n".encode()
    if files.get(SEAL) != wanted:
        raise Wrong("manifest.digest")
    manifest = _object(files[MANIFEST], MANIFEST)
    if manifest.get("format") != FORMAT or manifest.get("personal") not in ("withheld", "included"):
        raise Wrong("manifest.format")
    openings = (OPENINGS,) if manifest["personal"] == "included" else ()
    listed = [one["name"] for one in manifest["files"]]
    if listed != [*ALWAYS, *openings, VERIFIER] or [*files] != [*listed, MANIFEST, SEAL]:
        raise Wrong("manifest.files")
    for one in manifest["files"]:
        content = files[one["name"]]
        if (len(content), hashlib.sha256(content).hexdigest()) != (one["size"], one["sha256"]):
            raise Wrong("file.digest", one["name"])
    return manifest


# ---- the checkpoint: a signed note ----


def parse_key(text: str) -> Key:
    """`<name>+<id>+<base64 of kind and key>`. Raises Wrong."""
    name, _, rest = text.strip().partition("+")
    id_, _, spelt = rest.partition("+")
    try:
        data = _base64(spelt)
    except ValueError:
        data = b""
    if not name or len(data) != 33 or data[0] not in (1, 4):
        raise Wrong("key.shape", repr(text[:80]))
    wanted = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    if wanted.hex() != id_:
        raise Wrong("key.id", repr(text[:80]))
    return Key(name, wanted, data[0], data[1:])


def parse_keys(data: bytes) -> list[Key]:
    """From a file: a key a line, or the JSON of `GET /api/v1/log/keys` or `shenguan log-keys list --json`."""
    text = data.decode()
    if text.lstrip().startswith("{"):
        found = json.loads(text)
        return [parse_key(one["verifier"]) for one in found.get("items", found.get("keys"))]
    return [parse_key(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def check_checkpoint(
    note: bytes, manifest: dict[str, Any], keys: Iterable[Key], witnesses: Iterable[Key]
) -> tuple[int, bytes, list[Key], list[tuple[Key, datetime]]]:
    """Size and root of the log's tree, which of the keys signed them, and when the witnesses saw them. Raises Wrong."""
    whole = note.decode()
    text, blank, tail = whole.rpartition("\n\n")
    text += "\n"
    lines = text.split("\n")
    if not (blank and tail.endswith("\n") and len(lines) >= 4) or _CONTROL.search(whole):
        raise Wrong("note.shape")
    if lines[0] != manifest["log"] or [lines[1], lines[2]] != [str(manifest["size"]), manifest["root"]]:
        raise Wrong("checkpoint.other")
    root = _base64(lines[2])
    if _SIZE.fullmatch(lines[1]) is None or len(root) != 32 or int(lines[1]) >= 2**63:
        raise Wrong("checkpoint.shape")
    signatures: dict[tuple[str, bytes], bytes] = {}
    for line in tail[:-1].split("\n"):
        dash, name, spelt = line.split(" ")
        data = _base64(spelt)
        if dash != "—" or len(data) < 5 or (name, data[:4]) in signatures:
            raise Wrong("note.shape")
        signatures[name, data[:4]] = data[4:]
    signed = []
    for key in keys:
        if key.kind == 1 and key.name == lines[0] and (signature := signatures.get((key.name, key.id))) is not None:
            _verify(key, text.encode(), signature)
            signed.append(key)
    if not signed:
        raise Wrong("note.unsigned")
    seen = []
    for key in witnesses:
        stamped = signatures.get((key.name, key.id))
        if key.kind != 4 or stamped is None or len(stamped) < 9:
            raise Wrong("note.unwitnessed", key.name)
        at = int.from_bytes(stamped[:8], "big")
        _verify(key, f"cosignature/v1\ntime {at}\n{text}".encode(), stamped[8:])
        seen.append((key, datetime.fromtimestamp(at, CHINA)))
    return int(lines[1]), root, signed, seen


def _verify(key: Key, message: bytes, signature: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        raise Wrong("note.forged", key.name) from None


# ---- the events: leaves of the tree ----


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root of a tree of that size in which the leaf hash stands at `index`, by the audit path (RFC 9162 §2.1.3): as
    §2.1.1 defines trees, from the root down. Raises ValueError."""
    if size == 1:
        if path:
            raise ValueError("a path is too long")
        return leaf
    if not path:
        raise ValueError("a path is too short")
    left = 1 << (size - 1).bit_length() - 1
    if index < left:
        return _node(root_of(leaf, index, left, path[:-1]), path[-1])
    return _node(path[-1], root_of(leaf, index - left, size - left, path[:-1]))


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def parse_leaf(leaf: bytes, beside: bytes | None) -> tuple[int, int, str, int, str, bytes]:
    """Position, time, stream, version, topic and state; `beside`: the state that is too long for its leaf. Raises
    Wrong, ValueError or struct.error."""
    format_, position, at = _LEAF.unpack_from(leaf)
    parts, start = [], _LEAF.size
    for _ in range(4):
        (length,) = struct.unpack_from(">Q", leaf, start)
        if length > _LONGEST_LEAF:
            raise Wrong("leaf.shape")
        parts.append(leaf[start + 8 : start + 8 + length])
        start += 8 + length
    stream, version, topic, state = parts
    if start != len(leaf) or start > _LONGEST_LEAF or format_ not in (1, 2) or not version.isdigit():
        raise Wrong("leaf.shape")
    if b"%d" % int(version) != version or len(version) > 19:
        raise Wrong("leaf.shape")
    if (format_ == 2) != (beside is not None):
        raise Wrong("leaf.state")
    if beside is not None:
        if state != struct.pack(">Q", len(beside)) + hashlib.sha256(beside).digest():
            raise Wrong("leaf.state")
        state = beside
    return position, at, stream.decode(), int(version), topic.decode(), state


def read_events(data: bytes, size: int, root: bytes) -> list[Event]:
    """Each as it stands in the log, in its order. Raises Wrong."""
    found: list[Event] = []
    before = (-1, 0)
    if not data.endswith(b"\n"):
        raise Wrong("events.shape")
    for line in data[:-1].split(b"\n"):
        row = _object(line, "events.jsonl")
        _exactly(row, {"position", "stream", "version", "topic", "index", "leaf", "path"}, {"state"})
        leaf, index = _base64(row["leaf"]), row["index"]
        beside = _base64(row["state"]) if "state" in row else None
        position, at, stream, version, topic, state = parse_leaf(leaf, beside)
        hash_ = hashlib.sha256(b"\x00" + leaf).digest()
        one = Event(position, at, stream, version, topic, _object(state, stream), hash_.hex())
        if (position, stream, version, topic) != tuple(
            row[name] for name in ("position", "stream", "version", "topic")
        ):
            raise Wrong("leaf.other", one.place)
        path = [_base64(part) for part in row["path"]]
        if not 0 <= index < size or any(len(part) != 32 for part in path) or root_of(hash_, index, size, path) != root:
            raise Wrong("event.path", one.place)
        if index <= before[0] or position <= before[1]:
            raise Wrong("events.order", one.place)
        before = index, position
        found.append(one)
    return found


def check_whole(events: Iterable[Event], manifest: dict[str, Any]) -> None:
    """Streams that are said to be whole have the versions 1, 2, 3 … ; the case's own is among them, unless only a
    department's share is here. Raises Wrong."""
    versions: dict[str, list[int]] = {}
    for one in events:
        versions.setdefault(one.stream, []).append(one.version)
    case = "case/{organ}/{number}".format(**manifest["case"])
    if case not in versions or (manifest["scope"] == "all" and case not in manifest["whole"]):
        raise Wrong("stream.case", case)
    for stream in manifest["whole"]:
        found = versions.get(stream, [])
        if not found or found != [*range(1, len(found) + 1)]:
            raise Wrong("stream.gap", stream)


# ---- what was signed, what was hidden ----


def verify_jws(jws: str, data: bytes | None = None) -> tuple[str, dict[str, Any], bytes]:
    """Of a compact JWS, or a detached one over `data` (RFC 7515, 7797): the key's thumbprint, header, what is signed.
    Strict: nothing that could be written in a second way. Raises Wrong."""
    try:
        header, payload, value = jws.split(".")
        fields = _object(_base64url(header), "JWS")
        jwk = fields["jwk"]
        detached = fields.get("b64") is False and fields.get("crit") == ["b64"]
        if fields.get("alg") not in ("EdDSA", "Ed25519") or len(jws) > LONGEST_JWS or not jws.isascii():
            raise ValueError
        if {**jwk, "x": ""} != {"crv": "Ed25519", "kty": "OKP", "x": ""} or (data is not None) != (
            detached and not payload
        ):
            raise ValueError
        if data is None and ("b64" in fields or "crit" in fields):
            raise ValueError
        point = _base64url(jwk["x"])
        signed = header.encode() + b"." + (payload.encode() if data is None else data)
        if _weak(point):
            raise ValueError
        Ed25519PublicKey.from_public_bytes(point).verify(_base64url(value), signed)
    except (ValueError, KeyError, TypeError, InvalidSignature):
        raise Wrong("signature.wrong") from None
    return _thumbprint(jwk["x"]), fields, signed


def _thumbprint(x: str) -> str:
    digest = hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _weak(point: bytes) -> bool:
    """Whether it is one of the points of small order (RFC 7748 §7), under which one signature fits many texts."""
    p = 2**255 - 19
    y = (int.from_bytes(point, "little") & (2**255 - 1)) % p
    d = -121665 * pow(121666, -1, p)
    return y in (0, 1, p - 1) or (d * y**4 + 2 * y * y - 1) % p == 0


def _owner(events: Iterable[Event], key: str, of: Event) -> str | None:
    """Whose key it was by the register as it was when an event was recorded; None: nobody's on that day."""
    day = of.time.date().isoformat()
    stream = f"entry/public_key/{key}"
    known = [one for one in events if one.stream == stream and one.position < of.position]
    dated = sorted(
        ((one.state["valid_from"], one.version, one.state.get("entry")) for one in known), key=lambda v: v[:2]
    )
    entry = next((entry for since, _, entry in reversed(dated) if since <= day), None)
    if entry is None or _thumbprint(entry["public_key"]) != key or (entry.get("until") or day) < day:
        return None
    return str(entry["principal"])


def check_submissions(events: list[Event], rows: list[dict[str, Any]]) -> tuple[int, int]:
    """How many submissions were signed, and of how many the signed bytes are here and verify. Raises Wrong."""
    for one in rows:
        _exactly(one, {"source", "id", "key", "digest", "value"}, {"signed"})
    known = {(one["source"], one["id"]): one for one in rows}
    used, whole = set(), set()
    for event in events:
        meta = event.state["meta"]
        if not meta.get("signed"):
            continue
        name = meta["source"], meta["id"]
        row = known.get(name)
        if row is None or (row["key"], row["digest"]) != (meta["signed"]["key"], meta["signed"]["digest"]):
            raise Wrong("submission.other", event.place)
        if _owner(events, row["key"], event) != meta["principal"]:
            raise Wrong("submission.key", event.place)
        used.add(name)
        if "signed" in row and name not in whole:
            jws, _, data = _base64(row["signed"]).partition(b"\n")
            key, header, signed = verify_jws(jws.decode(), data)
            value = jws.decode().split(".")[2]
            digest = hashlib.sha256(signed + b"." + value.encode()).hexdigest()
            said = header["ce"].get("source"), header["ce"].get("id")
            if (key, digest, value, said) != (row["key"], row["digest"], row["value"], name):
                raise Wrong("submission.other", event.place)
            whole.add(name)
    if known.keys() - used:
        raise Wrong("submission.other", sorted(known.keys() - used)[0])
    return len(used), len(whole)


def check_receipts(events: list[Event]) -> int:
    """How many receipts are signed; each fits the notice as it stands in the log. Raises Wrong."""
    owed = {one.state["notice"]: one for one in events if one.topic == "notice.owed"}
    count = 0
    for event in events:
        receipt = event.state.get("receipt") if event.topic == "notice.received" else None
        if receipt is None:
            continue
        key, _, signed = verify_jws(receipt["jws"])
        said = _object(_base64url(signed.split(b".")[1].decode()), "JWS")
        name = event.stream.removeprefix("notice/")
        notice = owed[name]
        times = datetime.fromisoformat(said["received_at"]), datetime.fromisoformat(event.state["received_at"])
        if (said["notice"], said["serial"], said["leaf"]) != (name, notice.version, notice.leaf_hash) or key != receipt[
            "key"
        ]:
            raise Wrong("receipt.other", event.place)
        owner = _owner(events, key, event)
        speaks = [one for one in events if one.stream == f"principal/{owner}" and one.position < event.position]
        if times[0] != times[1] or not speaks or notice.state["addressee"] not in speaks[-1].state["acts_for"]:
            raise Wrong("receipt.key", event.place)
        count += 1
    return count


def sealed_in(value: Any) -> Iterator[str]:
    """The commitments of the personal values in a state."""
    if isinstance(value, dict):
        if value.keys() == {"subject", "ciphertext", "commitment"}:
            yield value["commitment"]
        else:
            for part in value.values():
                yield from sealed_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from sealed_in(part)


def opened_in(value: Any, openings: dict[str, str]) -> Any:
    """A state with its personal values in clear where there is an opening, else hidden."""
    if isinstance(value, dict):
        if value.keys() == {"subject", "ciphertext", "commitment"}:
            return openings.get(value["commitment"], HIDDEN)
        return {name: opened_in(part, openings) for name, part in value.items()}
    return [opened_in(part, openings) for part in value] if isinstance(value, list) else value


def check_openings(rows: Iterable[dict[str, str]], commitments: set[str]) -> dict[str, str]:
    """The values that these openings disclose, by commitment. Raises Wrong."""
    found = {}
    for one in rows:
        _exactly(one, {"commitment", "salt", "value"})
        salt, value, commitment = _base64(one["salt"]), one["value"], one["commitment"]
        # a salt of another length would let the value begin elsewhere
        if len(salt) != SALT or hashlib.sha256(salt + value.encode()).hexdigest() != commitment:
            raise Wrong("opening.wrong", commitment[:16])
        if commitment not in commitments:
            raise Wrong("opening.other", commitment[:16])
        found[commitment] = value
    return found


def summary_events(events: Iterable[Event], openings: dict[str, str]) -> list[dict[str, Any]]:
    """The events as `summary.json` has them."""
    return [
        {
            "position": one.position,
            "recorded_at": one.time.isoformat(),
            "stream": one.stream,
            "version": one.version,
            "topic": one.topic,
            "part": one.part,
            "data": opened_in(one.state, openings),
        }
        for one in events
    ]


# ---- everything together ----


def check(
    data: bytes, keys: list[Key] | None = None, witnesses: Iterable[Key] = (), openings: bytes | None = None
) -> Report:
    """Everything that can be checked of a bundle. Without `keys` those that came with it are believed, and the report
    says so. Raises Wrong."""
    try:
        return _check(data, keys, witnesses, openings)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
        struct.error,
    ) as error:
        what = f"{type(error).__name__}: {error}"[:120]
        raise Wrong("bundle.shape", what) from None


def _check(data: bytes, keys: list[Key] | None, witnesses: Iterable[Key], openings: bytes | None) -> Report:
    if len(data) > LARGEST:
        raise Wrong("bundle.large", LARGEST)
    files = unpack(data)
    manifest = check_manifest(files)
    known = parse_keys(files["keys.json"]) if keys is None else keys
    size, root, signed_by, seen = check_checkpoint(files["checkpoint.txt"], manifest, known, witnesses)
    events = read_events(files["events.jsonl"], size, root)
    check_whole(events, manifest)
    submissions = check_submissions(events, json.loads(files["submissions.json"]))
    receipts = check_receipts(events)
    commitments = {one for event in events for one in sealed_in(event.state)}
    own = check_openings(json.loads(files.get(OPENINGS, b"[]")), commitments)
    summary = _object(files["summary.json"], "summary.json")
    if summary["events"] != summary_events(events, own) or summary["case"] != manifest["case"]:
        raise Wrong("summary.other")
    more = check_openings(json.loads(openings), commitments) if openings is not None else {}
    digest = hashlib.sha256(data).hexdigest()
    counts = (submissions, receipts, len(commitments), own | more)
    return Report(manifest, digest, signed_by, seen, keys is None, events, *counts)


def report_lines(found: Report, zh: bool) -> list[str]:
    """For people: what holds, and what this does not prove."""
    made, (signed, whole) = found.manifest, found.submissions
    said = {
        **made["case"],
        **{part: sum(one.part == part for one in found.events) for part in ("case", "notice", "register")},
        **{name: made[name] for name in ("log", "size", "root")},
        "digest": found.digest,
        "events": len(found.events),
        "whole": len(made["whole"]),
        "signed": signed,
        "verified": whole,
        "receipts": found.receipts,
        "values": found.commitments,
        "opened": len(found.opened),
        "keys": ", ".join(one.known_as for one in found.signed_by),
        "seen": ", ".join(f"{key.known_as} {at.isoformat()}" for key, at in found.witnessed) or "—",
    }
    texts = [*HELD, *([OWN_KEYS] if found.own_keys else []), *END]
    return [one[0 if zh else 1].format(**said) for one in texts]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="核验证据包 / verify an evidence bundle")
    parser.add_argument("bundle", type=Path, help="证据包 / the bundle (.zip)")
    parser.add_argument(
        "--keys", type=Path, help="日志公钥文件，自可信处取得 / the log's keys, from somebody you believe"
    )
    parser.add_argument(
        "--witness", action="append", default=[], metavar="VKEY", help="须有其见证签名 / must have witnessed"
    )
    parser.add_argument("--openings", type=Path, help="另行公开的个人信息 / personal values disclosed apart")
    parser.add_argument("--list", action="store_true", help="列出事件 / list the events")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh")
    given = parser.parse_args(arguments)
    zh = given.lang == "zh"
    try:
        with given.bundle.open("rb") as file:
            data = file.read(LARGEST + 1)
        keys = parse_keys(given.keys.read_bytes()) if given.keys else None
        witnesses = [parse_key(one) for one in given.witness]
        found = check(data, keys, witnesses, given.openings.read_bytes() if given.openings else None)
    except Wrong as wrong:
        _say(f"核验不通过：{wrong.zh}（{wrong.rule}）。" if zh else f"It does not hold: {wrong.en} ({wrong.rule}).")
        return 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        _say(f"无法读取：{error}" if zh else f"It cannot be read: {error}")
        return 1
    for line in report_lines(found, zh):
        _say(line)
    for commitment, value in found.opened.items():
        _say(f"{commitment[:16]}: {value}")
    if given.list:
        for one in found.events:
            _say(f"{one.position} {one.time.isoformat()} {one.place}")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _base64(text: str) -> bytes:
    """Of the one spelling only. Raises ValueError."""
    data = base64.b64decode(text.encode("ascii"), validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def _base64url(text: str) -> bytes:
    """Without padding, of the one spelling only. Raises ValueError."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise ValueError("not canonical base64url")
    return data


def _object(data: bytes, where: str) -> dict[str, Any]:
    """A JSON object, each member once. Raises ValueError."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError(f"{where}: a member stands there twice")
        return dict(pairs)

    found = json.loads(data.decode(), object_pairs_hook=once)
    if not isinstance(found, dict):
        raise ValueError(f"{where}: no JSON object")
    return found


def _exactly(row: dict[str, Any], names: set[str], may: Iterable[str] = ()) -> None:
    """Nothing that nobody reads. Raises ValueError."""
    if not names <= row.keys() <= {*names, *may}:
        raise ValueError(f"members {sorted(row.keys() ^ names)}")


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
