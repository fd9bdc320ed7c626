# SPDX-License-Identifier: Apache-2.0
"""Counts what goes over the wire, by a proxy between a saver and its server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from servers import Place

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


class Counter:
    """Bytes in both directions, and how often a client began to send after it had received."""

    def __init__(self) -> None:
        self.sent = 0
        self.received = 0
        self.round_trips = 0

    def numbers(self) -> tuple[int, int, int]:
        return self.sent, self.received, self.round_trips


class _Link:
    """One connection of a client."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._sending = False

    def to_server(self, size: int) -> None:
        self._counter.sent += size
        self._counter.round_trips += not self._sending
        self._sending = True

    def to_client(self, size: int) -> None:
        self._counter.received += size
        self._sending = False


async def _pump(reader: Reader, writer: Writer, count: Callable[[int], None]) -> None:
    try:
        while data := await reader.read(1 << 16):
            count(len(data))
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # One side has gone, and so does the other.
    writer.close()


@contextmanager
def counting(place: Place, backend: str) -> Iterator[Counter]:
    """Puts a proxy before the server of a place."""
    counter = Counter()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    starting = _start(place, backend, counter)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result()
    try:
        yield counter
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(place: Place, backend: str, counter: Counter) -> asyncio.Server:
    if backend == "redis":
        path, place.socket = place.socket, place.folder / "proxy"
        serve = _serving(counter, lambda: asyncio.open_unix_connection(path))
        return await asyncio.start_unix_server(serve, place.socket)
    port = place.port
    serve = _serving(counter, lambda: asyncio.open_connection("127.0.0.1", port))
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    place.port = server.sockets[0].getsockname()[1]
    return server


def _serving(
    counter: Counter, connect: Callable[[], Awaitable[tuple[Reader, Writer]]]
) -> Callable[[Reader, Writer], Awaitable[None]]:
    async def serve(client: Reader, to_client: Writer) -> None:
        server, to_server = await connect()
        link = _Link(counter)
        await asyncio.gather(
            _pump(client, to_server, link.to_server), _pump(server, to_client, link.to_client)
        )

    return serve


async def _stop(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
