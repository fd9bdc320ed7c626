# SPDX-License-Identifier: Apache-2.0
"""threadkeep keeps the threads of agent runtimes: their checkpoints and pending writes.

A store is opened by URL: ``memory:`` for this process only, ``sqlite:PATH`` for a file,
``postgresql://HOST/DATABASE`` for a server. Most programs do not use this module but
:class:`threadkeep.langgraph.ThreadkeepSaver`.
"""

from threadkeep import _native
from threadkeep.errors import (
    CallCancelledError,
    ConflictError,
    CorruptError,
    DeadlineError,
    DeniedError,
    DuplicateError,
    Error,
    InternalError,
    InvalidArgumentError,
    NoSpaceError,
    OutcomeUnknownError,
    UnavailableError,
    UnsupportedError,
)
from threadkeep.store import Capabilities, Health, Store, ThreadInfo, open

__version__: str = _native.version

__all__ = [
    "CallCancelledError",
    "Capabilities",
    "ConflictError",
    "CorruptError",
    "DeadlineError",
    "DeniedError",
    "DuplicateError",
    "Error",
    "Health",
    "InternalError",
    "InvalidArgumentError",
    "NoSpaceError",
    "OutcomeUnknownError",
    "Store",
    "ThreadInfo",
    "UnavailableError",
    "UnsupportedError",
    "__version__",
    "open",
]
