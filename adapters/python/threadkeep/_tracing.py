# SPDX-License-Identifier: Apache-2.0
"""Spans of OpenTelemetry around the operations of a saver, if its API is installed.

Names and attributes are those of OpenTelemetry's conventions for clients of databases; they are
listed in docs/operation/observability.md. Without the package nothing is wrapped.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from threadkeep import _native
from threadkeep.errors import Error

if TYPE_CHECKING:
    from threadkeep.store import Store

try:
    from opentelemetry import trace
except ImportError:
    trace = None  # type: ignore[assignment]

F = TypeVar("F", bound=Callable[..., Any])

_SCHEMA = "https://opentelemetry.io/schemas/1.36.0"
_SYSTEMS = {"postgres": "postgresql"}
_tracer = trace and trace.get_tracer("threadkeep", _native.version, schema_url=_SCHEMA)


class _Span(AbstractContextManager[None]):
    """A span that is the current one until it ends, and says how it ended."""

    def __init__(self, store: Store, operation: str, about: object) -> None:
        assert _tracer is not None
        attributes = {
            "db.system.name": _SYSTEMS.get(store.capabilities.name, store.capabilities.name),
            "db.operation.name": operation,
        }
        thread_id = _thread_id(about)
        if thread_id:
            attributes["gen_ai.conversation.id"] = thread_id
        self._current = _tracer.start_as_current_span(
            operation,
            kind=trace.SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        )

    def __enter__(self) -> None:
        self._span = self._current.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace_back: Any) -> None:
        if isinstance(error, Error):
            self._fail(error.code, str(error))
            if error.native:
                self._span.set_attribute("db.response.status_code", error.native)
        elif isinstance(error, Exception):  # Its message may hold a payload.
            self._fail(type(error).__qualname__, None)
        self._current.__exit__(None, None, None)

    def _fail(self, kind: str, message: str | None) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(trace.StatusCode.ERROR, message)


def _thread_id(about: object) -> str | None:
    """Of a config, or of a thread id itself; an argument that is neither is refused elsewhere."""
    if isinstance(about, Mapping):
        configurable = about.get("configurable")
        about = configurable.get("thread_id") if isinstance(configurable, Mapping) else None
    return about if isinstance(about, str) else None


def span(store: Store, operation: str, about: object = None) -> AbstractContextManager[None]:
    """A span around what is done inside, about the thread of a config or of this id."""
    return nullcontext() if _tracer is None else _Span(store, operation, about)


def traced(operation: str) -> Callable[[F], F]:
    """Puts a span around each call of a saver's method, whose first argument says the thread."""

    def decorate(method: F) -> F:
        if _tracer is None:
            return method
        if inspect.iscoroutinefunction(method):

            @functools.wraps(method)
            async def asynchronous(self: Any, *args: Any, **named: Any) -> Any:
                with _Span(self.store, operation, _about(args, named)):
                    return await method(self, *args, **named)

            return asynchronous  # type: ignore[return-value]

        @functools.wraps(method)
        def blocking(self: Any, *args: Any, **named: Any) -> Any:
            with _Span(self.store, operation, _about(args, named)):
                return method(self, *args, **named)

        return blocking  # type: ignore[return-value]

    return decorate


def _about(args: tuple[Any, ...], named: dict[str, Any]) -> object:
    return args[0] if args else named.get("config") or named.get("thread_id")
