# SPDX-License-Identifier: Apache-2.0
"""The option ``ttl``: how long threads live, as users of other savers write it."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from threadkeep import _native
from threadkeep.errors import ConflictError, Error, InvalidArgumentError, UnsupportedError
from threadkeep.retention import Retention, policies_text

_log = logging.getLogger("threadkeep.retention")

POLICY = "ttl"
"""The name of the policy that the option makes."""

_KEYS = ("default_ttl", "refresh_on_read", "strategy", "sweep_interval_minutes", "sweep_limit")
_STRATEGIES = {"delete": "idle", "keep_latest": "age"}
_INTERVAL = 5 * 60.0
_LIMIT = 1000
_CENTURY = 36525 * 24 * 60


@dataclass(frozen=True)
class TtlOptions:
    """The option ``ttl``, checked.

    Attributes:
        policies: What the store is to have.
        interval: Seconds between sweeps; 0: this program does not sweep.
        limit: The most threads of a sweep.
        refreshes: Whether reading a thread counts.
    """

    policies: list[dict[str, Any]]
    interval: float
    limit: int
    refreshes: bool

    @classmethod
    def read(cls, given: Any) -> TtlOptions:
        """Raises InvalidArgumentError that names every problem."""
        if not isinstance(given, Mapping):
            raise InvalidArgumentError(
                f"ttl must be a dict such as {{'default_ttl': 60}}, not {type(given).__name__}"
            )
        reader = _Reader(given)
        options = reader.options()
        if reader.problems:
            raise InvalidArgumentError("; ".join(reader.problems))
        return options


class _Reader:
    """Reads the options one by one and notes what is wrong with them."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.problems: list[str] = []

    def options(self) -> TtlOptions:
        self._check_keys()
        seconds = self._seconds("default_ttl", 0)
        limit = self._strategy()
        refreshes = self._refresh_on_read()
        policies = [{"name": POLICY, limit: f"{seconds}s"}] if seconds else []
        return TtlOptions(
            policies=policies,
            interval=self._seconds("sweep_interval_minutes", _INTERVAL),
            limit=self._sweep_limit(),
            refreshes=refreshes and bool(seconds),
        )

    def _problem(self, key: str, text: str) -> None:
        self.problems.append(f"ttl[{key!r}] {text}")

    def _check_keys(self) -> None:
        for key in self.given:
            if key not in _KEYS:
                self._problem(key, f"is unknown; the keys are {', '.join(_KEYS)}")
        if "default_ttl" not in self.given:
            self._problem("default_ttl", "is missing; write minutes, or None to let nothing go")

    def _seconds(self, key: str, default: float) -> float:
        """Minutes as whole seconds."""
        minutes = self.given.get(key)
        if minutes is None:
            return default
        is_number = isinstance(minutes, (int, float)) and not isinstance(minutes, bool)
        if not is_number or not math.isfinite(minutes) or not 0 <= minutes <= _CENTURY:
            self._problem(
                key, f"must be a number of minutes from 0 to 100 years, or None, not {minutes!r}"
            )
            return 0
        seconds: int = round(minutes * 60)
        if minutes and not seconds:
            self._problem(key, f"is less than a second: {minutes!r} minutes; 0 switches it off")
        return seconds

    def _strategy(self) -> str:
        strategy = self.given.get("strategy", "delete")
        if not isinstance(strategy, str) or strategy not in _STRATEGIES:
            self._problem("strategy", f"must be 'delete' or 'keep_latest', not {strategy!r}")
            return "idle"
        return _STRATEGIES[strategy]

    def _refresh_on_read(self) -> bool:
        refresh = self.given.get("refresh_on_read")
        if refresh is not None and not isinstance(refresh, bool):
            self._problem("refresh_on_read", f"must be True or False, not {refresh!r}")
        elif refresh and self.given.get("strategy", "delete") != "delete":
            self._problem("refresh_on_read", "is for the strategy 'delete'; leave it out")
        return refresh is True

    def _sweep_limit(self) -> int:
        limit = self.given.get("sweep_limit")
        if limit is None:
            return _LIMIT
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            self._problem("sweep_limit", f"must be a number of threads from 1, not {limit!r}")
            return _LIMIT
        return limit


@contextmanager
def only_logged() -> Iterator[None]:
    """A thread was read; that it could not be refreshed does not take that away."""
    try:
        yield
    except Error as error:
        _log.error("a thread that was read could not be refreshed: %s", error)


def _normal(policies: list[dict[str, Any]]) -> str:
    return _native.normal_policies(policies_text(policies))


def store_policies(retention: Retention, wanted: list[dict[str, Any]]) -> None:
    """Makes the store obey the option, unless somebody else has decided what goes from it.

    Raises:
        ConflictError: The store has policies of an operator, and not this one among them.
    """
    try:
        stored = retention.policies()
    except UnsupportedError:  # Not installed, by an older version, or not possible at all.
        retention.install()
        stored = retention.policies()
    if _normal(stored) == _normal(wanted):
        return
    if any(_normal([policy]) == _normal(wanted) for policy in stored):
        return
    others = [policy["name"] for policy in stored if policy["name"] != POLICY]
    if not others:
        if stored:
            _log.warning("the policy of the option ttl was %s and is now %s", stored, wanted)
        retention.apply(wanted)
    elif wanted:
        raise ConflictError(
            f"the store has policies of its own ({', '.join(others)}), which the option ttl does "
            "not replace; leave ttl out, or add a policy equal to "
            f"{wanted[0]} to them, or take them away (threadkeep retention apply)"
        )
