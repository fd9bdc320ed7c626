# SPDX-License-Identifier: Apache-2.0
"""The saver of a LangGraph server, by configuration."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from threadkeep.errors import InvalidArgumentError
from threadkeep.langgraph.saver import ThreadkeepSaver


@asynccontextmanager
async def checkpointer() -> AsyncIterator[ThreadkeepSaver]:
    """Yields a saver on the store that the environment variable ``THREADKEEP_URL`` names.

    Made for ``checkpointer.path`` in ``langgraph.json``. It uses the store once, so that a server
    that cannot work does not start.
    """
    url = os.environ.get("THREADKEEP_URL")
    if not url:
        raise InvalidArgumentError("set THREADKEEP_URL to the URL of a store")
    async with ThreadkeepSaver(url) as saver:
        async for _ in saver.athreads(limit=1):
            pass
        yield saver
