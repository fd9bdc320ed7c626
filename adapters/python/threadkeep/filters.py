# SPDX-License-Identifier: Apache-2.0
"""Conditions on messages, as a tree that is either true or false, alike on every store.

A path leads from a field, ``"role"`` or ``"metadata"``, through members of objects:
``("metadata", "user", "name")``. Lists have no members. A path that leads nowhere is *missing*,
which is not the same as ``None``::

    from threadkeep import filters

    filters.all_of(
        filters.eq("role", "user"),
        filters.in_(("metadata", "lang"), ["en", "de"]),
        filters.negation(filters.exists(("metadata", "hidden"))),
    )

Every comparison is false on a missing path, so ``negation(eq(path, value))`` is true there and
``ne(path, value)`` is not. Values are compared as JSON: ``1`` equals ``1.0``, and nothing equals a
value of another type; ``True`` is not ``1``.

A value that JSON cannot hold is refused here. An unknown field, and more than 32 levels, are an
:class:`~threadkeep.InvalidArgumentError` of the call that uses the filter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from threadkeep._arguments import exact_json
from threadkeep.errors import InvalidArgumentError

Kind = Literal[
    "all_of", "any_of", "negation", "eq", "ne", "lt", "le", "gt", "ge", "in", "exists", "contains"
]
Path = str | Sequence[str]
"""A field, or a field and the members below it."""


@dataclass(frozen=True)
class Filter:
    """A condition; made by the functions of this module.

    Attributes:
        kind: What it does.
        parts: The conditions that it combines.
        path: What it looks at.
        values: What it compares with, as JSON text.
    """

    kind: Kind
    parts: tuple[Filter, ...] = ()
    path: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


def _checked(parts: Iterable[Filter]) -> tuple[Filter, ...]:
    checked = tuple(parts)
    for part in checked:
        if not isinstance(part, Filter):
            raise InvalidArgumentError(f"a filter has no part of type {type(part).__name__}")
    return checked


def _leaf(kind: Kind, path: Path, *values: Any) -> Filter:
    steps = (path,) if isinstance(path, str) else tuple(path)
    name = "filter " + ".".join(map(str, steps))
    return Filter(kind, path=steps, values=tuple(exact_json(value, name) for value in values))


def all_of(*parts: Filter) -> Filter:
    """Every part is true; so it is without parts."""
    return Filter("all_of", parts=_checked(parts))


def any_of(*parts: Filter) -> Filter:
    """A part is true; none is without parts."""
    return Filter("any_of", parts=_checked(parts))


def negation(part: Filter) -> Filter:
    """The part is false."""
    return Filter("negation", parts=_checked([part]))


def eq(path: Path, value: Any) -> Filter:
    """The path is there and its value equals the given one."""
    return _leaf("eq", path, value)


def ne(path: Path, value: Any) -> Filter:
    """The path is there and its value is another."""
    return _leaf("ne", path, value)


def lt(path: Path, value: Any) -> Filter:
    """Less: of two numbers, or of two strings by their UTF-8 bytes; else false."""
    return _leaf("lt", path, value)


def le(path: Path, value: Any) -> Filter:
    """Less or equal; see :func:`lt`."""
    return _leaf("le", path, value)


def gt(path: Path, value: Any) -> Filter:
    """Greater; see :func:`lt`."""
    return _leaf("gt", path, value)


def ge(path: Path, value: Any) -> Filter:
    """Greater or equal; see :func:`lt`."""
    return _leaf("ge", path, value)


def in_(path: Path, values: Iterable[Any]) -> Filter:
    """The path is there and its value equals one of the given ones."""
    if isinstance(values, str):
        raise InvalidArgumentError(
            f"in_ takes a sequence of values, not one str; write [{values!r}]"
        )
    return _leaf("in", path, *values)


def exists(path: Path) -> Filter:
    """The path is there, whatever its value is, ``None`` included."""
    return _leaf("exists", path)


def contains(path: Path, value: Any) -> Filter:
    """The path leads to a list with an element that equals the value."""
    return _leaf("contains", path, value)
