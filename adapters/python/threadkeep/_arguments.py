# SPDX-License-Identifier: Apache-2.0
"""Checks of arguments, and JSON text that a store takes."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from threadkeep.errors import InvalidArgumentError

# What a listing fetches at a time.
PAGE = 100

_NO_IDS = (bytes, bytearray, memoryview, Mapping, list, tuple, set, frozenset)

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def has_lone_surrogate(text: str) -> bool:
    """Whether text is none that can be stored."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


# Keys of a value may be as long as the value, and messages name them.
_LONGEST_PATH = 1000


def shown(text: str, most: int = _LONGEST_PATH) -> str:
    """Text as a message may have it: the beginning of what is long, and no lone surrogates."""
    cut = text if len(text) <= most else text[:most] + "..."
    return cut if cut.isascii() else cut.encode(errors="backslashreplace").decode()


def _step(path: str, key: Any) -> str:
    """The path of a member. A key that is no text may have a form of text that raises."""
    name = str(key) if isinstance(key, (str, int, float)) else f"<{type(key).__name__}>"
    return f"{path}.{shown(name, 100)}"


def _children(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(_step(path, key), child) for key, child in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"{path}[{index}]", child) for index, child in enumerate(value)]
    return []


def _has_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _find_bad(value: Any, path: str, is_good: Callable[[Any], bool]) -> str:
    """The path and type of the first part of a value that is not good in itself.

    Each step looks at all that is below it, so a long way is not gone to its end.
    """
    above: set[int] = set()
    while id(value) not in above and len(path) <= _LONGEST_PATH:  # It may contain itself.
        above.add(id(value))
        bad = next((item for item in _children(value, path) if not is_good(item[1])), None)
        if bad is None:
            break
        path, value = bad
    return f"{shown(path)} ({type(value).__name__})"


def _too_deep(field: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{shown(field)} is nested too deeply; flatten it")


def json_text(value: Any, field: str) -> str:
    """JSON of a value.

    NaN and lone surrogates pass, in ASCII: the store refuses them and names the path. Anything
    that JSON cannot express at all is refused here, with its path.
    """
    try:
        text = _compact.encode(value)
    except RecursionError:
        raise _too_deep(field) from None
    except (TypeError, ValueError) as error:
        where = _find_bad(value, field, _has_json)
        raise InvalidArgumentError(f"{where} has no JSON form: {shown(str(error))}") from error
    if has_lone_surrogate(text):
        return json.dumps(value, separators=(",", ":"))
    return text


def _exact(value: Any) -> str:
    """JSON that gives the value back as it is; any other value is a ValueError or TypeError."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text.encode()  # Finds lone surrogates.
    if json.loads(text) != value:
        raise ValueError("it would come back changed: JSON has no tuple and no key but str")
    return text


def _is_exact(value: Any) -> bool:
    try:
        _exact(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def exact_json(value: Any, field: str) -> str:
    """JSON of a value that comes back equal to what it was; else the path of what would not."""
    try:
        return _exact(value)
    except UnicodeEncodeError:
        where = _find_bad(value, field, _is_exact)
        raise InvalidArgumentError(f"{where} holds a lone surrogate, no Unicode text") from None
    except RecursionError:
        raise _too_deep(field) from None
    except (TypeError, ValueError) as error:
        where = _find_bad(value, field, _is_exact)
        raise InvalidArgumentError(f"{where} has no JSON form: {shown(str(error))}") from error


def checked_mapping(value: Any, field: str) -> Mapping[str, Any]:
    """Refuses what is no mapping."""
    if not isinstance(value, (dict, Mapping)):  # The first is found faster, and nearly always.
        raise InvalidArgumentError(f"{field} must be a dict, not {type(value).__name__}")
    return value


def id_text(value: Any, field: str) -> str:
    """An id as text. Ints and UUIDs are common.

    ``None``, bytes, NaN and collections have a text too, but none that a caller means.
    """
    if isinstance(value, str):
        return value
    no_number = isinstance(value, float) and not math.isfinite(value)
    if value is None or no_number or isinstance(value, _NO_IDS):
        kind = "None" if value is None else repr(value) if no_number else type(value).__name__
        raise InvalidArgumentError(f"{field} must be a str, not {kind}")
    try:
        return str(value)
    except Exception as error:
        raise InvalidArgumentError(
            f"{field} must be a str; this {type(value).__name__} has no text: {shown(str(error))}"
        ) from error


def id_texts(values: Any, field: str) -> list[str]:
    """Ids as text. One str is a sequence too, of its letters, and never what was meant."""
    if isinstance(values, str):
        raise InvalidArgumentError(
            f"{field} must be a sequence of ids, not one str; write [{shown(repr(values), 100)}]"
        )
    if not isinstance(values, Iterable) or isinstance(values, (bytes, bytearray, Mapping)):
        kind = type(values).__name__
        raise InvalidArgumentError(f"{field} must be a sequence of ids, not {kind}")
    return [id_text(value, f"{field}[{index}]") for index, value in enumerate(values)]


def filter_rows(filter: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """A metadata filter as the native module takes it."""
    if filter is not None:
        checked_mapping(filter, "filter")
    return [(key, json_text(value, _step("filter", key))) for key, value in (filter or {}).items()]


def checked_limit(limit: int | None) -> int | None:
    """Refuses what is neither a count nor ``None``."""
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise InvalidArgumentError(f"limit must be an int from 0, or None, not {limit!r}")
    return limit


def page_size(left: int | None) -> int:
    """How many rows to fetch when ``left`` are wanted."""
    return PAGE if left is None else min(left, PAGE)


def checked_timeout(timeout: float | None) -> float | None:
    """Refuses what is neither a number of seconds nor ``None``."""
    if timeout is None:
        return None
    if not isinstance(timeout, (int, float)) or isinstance(timeout, bool) or not timeout >= 0:
        kind = repr(timeout) if isinstance(timeout, (int, float)) else type(timeout).__name__
        raise InvalidArgumentError(f"timeout must be a number from 0, or None, not {kind}")
    return float(min(timeout, sys.maxsize))  # A longer int may be none of float's.
