"""What was signed by whom: the detached JWS that came with a submission, once it was verified."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.personal import Lean


class Signed(BaseModel):
    """On every event of a signed submission. `key`: the key's thumbprint (RFC 7638); `digest`: SHA-256, in hexadecimal,
    of the JWS's header, the exact bytes of the data and the signature, joined by full stops. The header's salt lies
    with the bytes: once these are erased the digest betrays nothing of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    digest: str


class Signature(Lean):
    """A good signature, with the signed bytes sealed for all those together of whom they hold something.

    `value`: the signature itself, base64url; `ciphertext`: base64, of the JWS, a line feed and the data."""

    key: str
    digest: str
    value: str
    subjects: tuple[str, ...]
    ciphertext: str

    @property
    def signed(self) -> Signed:
        return Signed(key=self.key, digest=self.digest)
