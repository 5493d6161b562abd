"""Plain data for each type that an event is made of, both ways, derived once from the type hints of its fields."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from agent_factory.core.exceptions import CoreError
from agent_factory.core.records.values import (
    PLAIN_CODECS,
    Codec,
    MismatchError,
    decode_choice,
    fail,
)

__all__ = ["read_fields", "write_fields"]

_REQUIRED: Any = object()


@dataclass(frozen=True, slots=True)
class _FieldCodec:
    """How one field of a class is written and read.

    Attributes:
        name: Name of the field.
        default: Its default; not written, and put in where it is not.
        encode: As in `Codec`.
        decode: As in `Codec`.
    """

    name: str
    default: Any
    encode: Callable[[Any], Any] | None
    decode: Callable[[Any], Any]


def write_fields(value: Any) -> dict[str, Any]:
    """Return the fields of a frozen dataclass as plain data, those at their default left out.

    Args:
        value: An instance of such a class.

    Raises:
        MismatchError: JSON cannot hold one of them.
    """
    data = {}
    cls: type = type(value)
    for codec in _create_field_codecs(cls):
        item = getattr(value, codec.name)
        if item != codec.default:
            data[codec.name] = item if codec.encode is None else codec.encode(item)
    return data


def read_fields(cls: type, data: object, *, others: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields of a frozen dataclass that data holds, those at their default included.

    Args:
        cls: The class.
        data: What `write_fields` returned.
        others: Further keys that the data may have.

    Raises:
        MismatchError: The data is no record of this class.
    """
    if not isinstance(data, dict):
        fail("an object", data)
    values: dict[str, Any] = {}
    codecs = _create_field_codecs(cls)
    for codec in codecs:
        try:
            if codec.name in data:
                values[codec.name] = codec.decode(data[codec.name])
            elif codec.default is _REQUIRED:
                raise MismatchError("is missing")
            else:
                values[codec.name] = codec.default
        except MismatchError as mismatch:
            mismatch.path.insert(0, codec.name)
            raise
    known = {codec.name for codec in codecs}.union(others)
    for key in data:
        if key not in known:
            raise MismatchError(f"has the unknown key {str(key)[:40]!r}")
    return values


@cache
def _create_field_codecs(cls: type) -> tuple[_FieldCodec, ...]:
    # Some modules import what their hints name for the type checker only.
    hints = get_type_hints(cls, localns={"datetime": datetime})
    codecs = []
    for field in fields(cls):
        codec = _create_codec(hints[field.name])
        default = _REQUIRED if field.default is MISSING else field.default
        if field.default_factory is not MISSING:
            default = field.default_factory()
        codecs.append(_FieldCodec(field.name, default, codec.encode, codec.decode))
    return tuple(codecs)


@cache
def _create_codec(hint: Any) -> Codec:
    plain: Codec | None = PLAIN_CODECS.get(hint)
    if plain is not None:
        return plain
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return Codec(None, decode_choice(arguments))
    if origin is tuple:
        return _create_tuple_codec(arguments)
    if origin in (Union, types.UnionType):
        return _create_union_codec(arguments)
    if is_dataclass(hint):
        return _create_class_codec(hint)
    raise TypeError(f"records cannot hold values of type {hint!r}: teach _create_codec how to")


def _create_tuple_codec(arguments: tuple[Any, ...]) -> Codec:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        item = _create_codec(arguments[0])
        encode = item.encode

        def decode_many(data: object) -> tuple[Any, ...]:
            return _decode_items(data, item)

        if encode is None:
            return Codec(list, decode_many)
        return Codec(lambda values: [encode(value) for value in values], decode_many)

    items = tuple(_create_codec(argument) for argument in arguments)

    def encode_each(values: tuple[Any, ...]) -> list[Any]:
        return [
            value if codec.encode is None else codec.encode(value)
            for codec, value in zip(items, values, strict=True)
        ]

    def decode_each(data: object) -> tuple[Any, ...]:
        if not isinstance(data, list) or len(data) != len(items):
            raise MismatchError(f"must be a list of {len(items)} items")
        return _decode_items(data, *items)

    return Codec(encode_each, decode_each)


def _decode_items(data: object, *codecs: Codec) -> tuple[Any, ...]:
    if not isinstance(data, list):
        fail("a list", data)
    decoded: list[Any] = []
    try:
        for index, item in enumerate(data):
            decoded.append(codecs[min(index, len(codecs) - 1)].decode(item))
    except MismatchError as mismatch:
        mismatch.path.insert(0, str(len(decoded)))
        raise
    return tuple(decoded)


def _create_union_codec(arguments: tuple[Any, ...]) -> Codec:
    members = [argument for argument in arguments if argument is not types.NoneType]
    inner = _create_codec(members[0]) if len(members) == 1 else _create_role_codec(members)
    if len(members) == len(arguments):
        return inner
    encode, decode = inner.encode, inner.decode
    return Codec(
        encode and (lambda value: None if value is None else encode(value)),
        lambda data: None if data is None else decode(data),
    )


def _create_role_codec(members: list[type]) -> Codec:
    roles = {
        codec.default: _create_codec(cls).decode
        for cls in members
        for codec in _create_field_codecs(cls)
        if codec.name == "role"
    }
    if len(roles) != len(members):
        raise TypeError(f"records cannot tell {members!r} apart: each needs a role of its own")

    def encode(value: Any) -> dict[str, Any]:
        return {"role": value.role, **write_fields(value)}

    def decode(data: object) -> Any:
        if not isinstance(data, dict):
            fail("an object", data)
        try:
            role = decode_choice(tuple(roles))(data.get("role"))
        except MismatchError as mismatch:
            mismatch.path.append("role")
            raise
        return roles[role](data)

    return Codec(encode, decode)


def _create_class_codec(cls: Any) -> Codec:
    def decode(data: object) -> Any:
        values = read_fields(cls, data)
        try:
            return cls(**values)
        except CoreError:
            raise MismatchError(f"is no valid {cls.__name__}") from None

    return Codec(write_fields, decode)
