# SPDX-License-Identifier: Apache-2.0
"""threadkeep keeps the threads of agent runtimes: their checkpoints, messages and state.

A store is opened by URL: ``memory:`` for this process only, ``sqlite:PATH`` for a file,
``postgresql://HOST/DATABASE`` for a server. LangGraph programs use it through
:class:`threadkeep.langgraph.ThreadkeepSaver`, others through :class:`threadkeep.SessionStore`.
"""

from threadkeep import _native
from threadkeep._operations import Page
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
from threadkeep.filters import Filter
from threadkeep.retention import Due, Retention, Swept
from threadkeep.session_types import (
    Message,
    NewMessage,
    Popped,
    Receipt,
    StateChange,
    StateDocument,
    StateScope,
    Written,
)
from threadkeep.sessions import SessionStore
from threadkeep.store import Capabilities, Health, Store, ThreadInfo, open

__version__: str = _native.version

__all__ = [
    "CallCancelledError",
    "Capabilities",
    "ConflictError",
    "CorruptError",
    "DeadlineError",
    "DeniedError",
    "Due",
    "DuplicateError",
    "Error",
    "Filter",
    "Health",
    "InternalError",
    "InvalidArgumentError",
    "Message",
    "NewMessage",
    "NoSpaceError",
    "OutcomeUnknownError",
    "Page",
    "Popped",
    "Receipt",
    "Retention",
    "SessionStore",
    "StateChange",
    "StateDocument",
    "StateScope",
    "Store",
    "Swept",
    "ThreadInfo",
    "UnavailableError",
    "UnsupportedError",
    "Written",
    "__version__",
    "open",
]
