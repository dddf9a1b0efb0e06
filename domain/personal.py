"""Personal data: plain when it comes in, sealed from the first row on.

A sealed value is ciphertext under a key of its subject (the person, or the case a free text belongs to) that is kept
outside the log; destroying the key erases the value. The commitment, a salted hash whose salt lies inside the
ciphertext, lets a holder of the plain value prove it later. (domain notes §4.11)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

from domain.identifiers import holds_resident_id, parse_resident_id, without_identity
from domain.rules import BadField


class Lean(BaseModel):
    """Base of what is handed between processes by the million: its fields are, and nothing of how they were set."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.__dict__)


def _again(kind: type[Lean], fields: dict[str, Any]) -> Lean:
    model = kind.__new__(kind)
    state: dict[str, Any] = {"__pydantic_fields_set__": set(), "__pydantic_extra__": None, "__pydantic_private__": None}
    model.__setstate__(state | {"__dict__": fields})
    return model


class Sealed(Lean):
    """A personal value as it is stored. `ciphertext` is base64, `commitment` hexadecimal SHA-256."""

    subject: str
    ciphertext: str
    commitment: str


class _Mark:
    """Marks a field as personal."""


PERSONAL = _Mark()
IF_IDENTITY = _Mark()
"""Personal only where it holds an identity number, as many a personal certificate's number does."""
Name = Annotated[Annotated[str, StringConstraints(min_length=1, max_length=200)] | Sealed, PERSONAL]
Number = Annotated[Annotated[str, StringConstraints(min_length=1, max_length=64)] | Sealed, PERSONAL]
Text = Annotated[Annotated[str, StringConstraints(min_length=1, max_length=4000)] | Sealed, PERSONAL]
"""Free text is personal: nothing keeps its writer from naming people."""
Printed = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f]([^\x00-\x1f]{0,62}[^\s\x00-\x1f])?$")]
"""A number as it is printed: up to 64 characters, inner spaces and slashes included."""
LicenceNumber = Annotated[Printed | Sealed, IF_IDENTITY]


class Sealer(Protocol):
    """Seals one value under a subject's key."""

    def seal(self, subject: str, value: str) -> Sealed: ...

    def pseudonym(self, value: str) -> str:
        """A keyed hash: the same person is the same subject, and nobody without the key can guess who."""
        ...


class Model(Lean):
    """Base of every payload and part of one: immutable, nothing unknown let in, no input repeated in errors."""

    def personal_fields(self) -> Iterable[str]:
        """The fields of this very value that are to be sealed."""
        marks = _layout(type(self)).marks
        return [name for name, mark in marks.items() if mark is PERSONAL or self._holds_identity(name)]

    def _holds_identity(self, name: str) -> bool:
        value = getattr(self, name)
        return isinstance(value, str) and holds_resident_id(value)

    def own_subject(self, sealer: Sealer) -> str | None:  # noqa: ARG002
        """Whose key seals this value's fields; None: that of what encloses it."""
        return None

    def part_subject(self, name: str) -> str | None:  # noqa: ARG002
        """Whose key seals what is in a field, where this value knows and the part does not."""
        return None


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Layout:
    """What of a model concerns sealing: its marked fields, and those that hold further models."""

    marks: dict[str, _Mark]
    parts: dict[str, type[BaseModel]]


@cache
def _layout(model: type[BaseModel]) -> _Layout:
    layout = _Layout({}, {})
    for name, field in model.model_fields.items():
        if mark := _mark(field.metadata, field.annotation):
            layout.marks[name] = mark
        elif part := _part(field.annotation):
            layout.parts[name] = part
    return layout


def _mark(metadata: Iterable[Any], annotation: Any) -> _Mark | None:
    own = next((m for m in (*metadata, *getattr(annotation, "__metadata__", ())) if isinstance(m, _Mark)), None)
    return own or next((m for part in getattr(annotation, "__args__", ()) if (m := _mark((), part))), None)


def _part(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation is not Sealed:
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _part(part))), None)


class Plain(NamedTuple):
    """A personal value that is not sealed yet: the field of `holder` that has it, and whose key is to seal it."""

    holder: BaseModel
    name: str
    subject: str


def plain_values(model: BaseModel, sealer: Sealer, subject: str) -> Iterator[Plain]:
    """Every plain personal value in the model; `subject` is for parts that have none of their own."""
    fields = model.__dict__
    under = subject
    if isinstance(model, Model):
        under = model.own_subject(sealer) or subject
        for name in model.personal_fields():
            if isinstance(fields[name], str):
                yield Plain(model, name, under)
    for name in _layout(type(model)).parts:
        if part := fields[name]:
            whose = (isinstance(model, Model) and model.part_subject(name)) or under
            for one in (part,) if isinstance(part, BaseModel) else part:
                yield from plain_values(one, sealer, whose)


def seal_values(values: Iterable[Plain], sealer: Sealer) -> None:
    """Seals each where it stands. Only for a model that is nobody else's yet: to all others models are immutable."""
    for holder, name, subject in values:
        holder.__dict__[name] = sealer.seal(subject, holder.__dict__[name])


def seal(model: M, sealer: Sealer, subject: str) -> M:
    """A copy of the model with every personal value sealed."""
    sealed = model.model_copy(deep=True)
    seal_values(list(plain_values(sealed, sealer, subject)), sealer)
    return sealed


def sealed_outside(model: type[BaseModel], data: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values of the personal fields in which data handed in has an object: only plain text may come from
    outside."""
    if isinstance(data, dict):
        layout = _layout(model)
        for name, value in data.items():
            if name in layout.marks and isinstance(value, dict):
                yield f"{at}{name}", value
            elif name in layout.parts:
                yield from sealed_outside(layout.parts[name], value, f"{at}{name}.")
    elif isinstance(data, list):
        for number, part in enumerate(data):
            yield from sealed_outside(model, part, f"{at}{number}.")


def sealed_in(model: BaseModel) -> Iterator[Sealed]:
    """The sealed values of a model's personal fields, and of those of its parts."""
    layout = _layout(type(model))
    for name in layout.marks:
        value = getattr(model, name)
        if isinstance(value, Sealed):
            yield value
    for name in layout.parts:
        value = getattr(model, name)
        for part in (value,) if isinstance(value, BaseModel) else value or ():
            if isinstance(part, BaseModel):
                yield from sealed_in(part)


def unseal(value: Any, opener: Callable[[Sealed], str | None]) -> Any:
    """Plain data (dicts, lists, scalars) with every sealed value opened; None where its key was destroyed."""
    if isinstance(value, Sealed):
        return opener(value)
    if isinstance(value, BaseModel):
        return {name: unseal(getattr(value, name), opener) for name in type(value).model_fields}
    if isinstance(value, dict):
        if value.keys() == {"subject", "ciphertext", "commitment"}:
            return opener(Sealed(**value))
        return {key: unseal(part, opener) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [unseal(part, opener) for part in value]
    return value


class Officer(Model):
    """Who did it. `id` is the staff number in the department; the name is personal."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$"), AfterValidator(without_identity)]
    name: Name


IdType = Literal[
    "身份证", "护照", "港澳居民来往内地通行证", "台湾居民来往大陆通行证", "外国人永久居留身份证", "港澳台居民居住证"
]  # fmt: skip


class Person(Model):
    """A natural person: a party, a legal representative, a contact. `id_number` needs `id_type`; a 身份证 number
    must be one, check digit included."""

    name: Name
    id_type: IdType | None = None
    id_number: Number | None = None
    phone: Number | None = None

    @model_validator(mode="after")
    def _identity(self) -> Person:
        if self.id_type == "身份证" and isinstance(self.id_number, str):
            parse_resident_id(self.id_number)
        if self.id_number is not None and self.id_type is None:
            raise BadField("id_type", "person.id_type", "有证件号码须有证件类型")
        return self

    def own_subject(self, sealer: Sealer) -> str | None:
        if isinstance(self.id_number, str):
            return f"person/{sealer.pseudonym(self.id_number)}"
        return None
