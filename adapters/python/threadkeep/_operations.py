# SPDX-License-Identifier: Apache-2.0
"""One text for the blocking and the asyncio form of a method.

A method returns what is to be asked and how the answer is read, an :class:`Operation` or a
:class:`Listing`. Decorators make the two methods of it that users see::

    @blocking
    def count(self, thread_id: str) -> Operation[int]: ...

    acount = asynchronous(count)     # (self, thread_id: str) -> Coroutine[Any, Any, int]
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from threadkeep import _native
from threadkeep._arguments import page_size
from threadkeep.store import Store

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


class _Owner(Protocol):
    """An object with such methods: a store, and how long its calls may take."""

    store: Store
    timeout: float | None


Owner = TypeVar("Owner", bound=_Owner)


@dataclass(frozen=True)
class Operation(Generic[T]):
    """A call that is not made yet."""

    request: _native.Request
    read: Callable[[Any], T]


@dataclass(frozen=True)
class Page(Generic[T]):
    """Part of a listing.

    Attributes:
        items: The items, in order.
        next: The cursor of the page that follows; ``""`` when there is none. It holds its own
            position and stays valid when items come and go.
    """

    items: list[T]
    next: str


@dataclass(frozen=True)
class Listing(Generic[T]):
    """All pages of a listing: ``page(limit, cursor)`` asks for one, ``limit`` items are wanted."""

    page: Callable[[int, str], Operation[Page[T]]]
    limit: int | None

    def next_page(self, seen: int, cursor: str) -> Operation[Page[T]] | None:
        """The next call after ``seen`` items, unless all that are wanted were seen."""
        left = None if self.limit is None else self.limit - seen
        return None if left == 0 else self.page(page_size(left), cursor)


def _presented(wrapper: Any, method: Any, returned: str) -> None:
    """Makes a wrapper look like the method it stands for, ``Operation[T]`` seen as ``T``."""
    inner = method.__annotations__["return"].split("[", 1)[1][:-1]
    signature = inspect.signature(method)
    wrapper.__signature__ = signature.replace(return_annotation=returned.format(inner))


def blocking(
    method: Callable[Concatenate[Owner, P], Operation[T]],
) -> Callable[Concatenate[Owner, P], T]:
    """The form of a method that waits for the answer."""

    @functools.wraps(method)
    def call(self: Owner, /, *args: P.args, **kwargs: P.kwargs) -> T:
        operation = method(self, *args, **kwargs)
        return operation.read(self.store.call(operation.request, self.timeout))

    _presented(call, method, "{}")
    return call


def asynchronous(
    blocking_form: Callable[Concatenate[Owner, P], T],
) -> Callable[Concatenate[Owner, P], Coroutine[Any, Any, T]]:
    """The twin of a :func:`blocking` method."""
    method: Callable[Concatenate[Owner, P], Operation[T]] = inspect.unwrap(blocking_form)

    @functools.wraps(method)
    async def call(self: Owner, /, *args: P.args, **kwargs: P.kwargs) -> T:
        operation = method(self, *args, **kwargs)
        return operation.read(await self.store.acall(operation.request, self.timeout))

    _name_twin(call, method)
    _presented(call, method, "{}")
    return call


def iterating(
    method: Callable[Concatenate[Owner, P], Listing[T]],
) -> Callable[Concatenate[Owner, P], Iterator[T]]:
    """The form of a method that fetches page by page while it is read."""

    def items(self: Owner, listing: Listing[T], first: Operation[Page[T]] | None) -> Iterator[T]:
        seen, operation = 0, first
        while operation is not None:
            page = operation.read(self.store.call(operation.request, self.timeout))
            yield from page.items
            seen += len(page.items)
            operation = listing.next_page(seen, page.next) if page.next else None

    @functools.wraps(method)
    def call(self: Owner, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        listing = method(self, *args, **kwargs)
        return items(self, listing, listing.next_page(0, ""))  # Bad arguments end here.

    _presented(call, method, "Iterator[{}]")
    return call


def aiterating(
    iterating_form: Callable[Concatenate[Owner, P], Iterator[T]],
) -> Callable[Concatenate[Owner, P], AsyncIterator[T]]:
    """The twin of an :func:`iterating` method."""
    method: Callable[Concatenate[Owner, P], Listing[T]] = inspect.unwrap(iterating_form)

    async def items(
        self: Owner, listing: Listing[T], first: Operation[Page[T]] | None
    ) -> AsyncIterator[T]:
        seen, operation = 0, first
        while operation is not None:
            page = operation.read(await self.store.acall(operation.request, self.timeout))
            for item in page.items:
                yield item
            seen += len(page.items)
            operation = listing.next_page(seen, page.next) if page.next else None

    @functools.wraps(method)
    def call(self: Owner, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        listing = method(self, *args, **kwargs)
        return items(self, listing, listing.next_page(0, ""))

    _name_twin(call, method)
    _presented(call, method, "AsyncIterator[{}]")
    return call


def _name_twin(wrapper: Any, method: Any) -> None:
    wrapper.__name__ = f"a{method.__name__}"
    wrapper.__qualname__ = method.__qualname__.replace(method.__name__, wrapper.__name__)
    wrapper.__doc__ = f"As :meth:`{method.__name__}`."
