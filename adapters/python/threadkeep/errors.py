# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, in terms that a caller can act on.

There is one class per code, and all derive from :class:`Error`. Where Python has a class for the
same thing, the error derives from that one too, so ``except TimeoutError`` works. "Not found" is
no error: reads return ``None`` or nothing, and deleting what is absent succeeds.
"""

from __future__ import annotations

from typing import ClassVar


class Error(Exception):
    """Base of all errors of threadkeep.

    Attributes:
        code: The name of the code, such as ``"conflict"``; fixed for each class.
        native: The code of the library below, such as an SQLite extended result code; ``""`` when
            threadkeep itself found the error.
        operation: What was being done, such as ``"put"``; may be ``""``.
        retry_safe: True when the same call may succeed later and repeating it can do no harm.
    """

    # The native module makes errors without running Python code (see errors.cpp), so there is no
    # __init__ and what it does not set has a default here.
    code: ClassVar[str] = "internal"
    native: str = ""
    operation: str = ""
    retry_safe: bool = False


class InvalidArgumentError(Error, ValueError):
    """The request can never work. The message names the field."""

    code = "invalid_argument"


class ConflictError(Error):
    """The store moved on.

    A parent checkpoint is not the latest any more, or was deleted; a document, message or thread
    has another version than expected; an id or operation was used for something else.
    """

    code = "conflict"


class DuplicateError(Error):
    """What must be new exists already."""

    code = "duplicate"


class UnavailableError(Error, ConnectionError):
    """The store cannot be reached, is busy or is full of work. Nothing was done."""

    code = "unavailable"


class DeadlineError(Error, TimeoutError):
    """The timeout of the call passed. Nothing was done."""

    code = "timeout"


class CallCancelledError(Error):
    """The call was asked to stop, as by closing the store. Nothing was done."""

    code = "cancelled"


class OutcomeUnknownError(Error):
    """A write was under way when its time or connection ended; it may or may not be stored.

    Repeating it is safe: every write of threadkeep is idempotent.
    """

    code = "outcome_unknown"


class CorruptError(Error):
    """The stored data, or its schema, is not what it must be."""

    code = "corrupt"


class DeniedError(Error, PermissionError):
    """The store refuses: it is read-only, or permission is missing."""

    code = "denied"


class UnsupportedError(Error):
    """This backend, version or build cannot do it."""

    code = "unsupported"


class NoSpaceError(Error, OSError):
    """The disk, quota or memory of the store is full. Nothing was done."""

    code = "no_space"


class InternalError(Error):
    """A defect of threadkeep or of a library below it."""

    code = "internal"


# The native module looks up the class of a code here.
_BY_CODE: dict[str, type[Error]] = {
    error.code: error
    for error in (
        InvalidArgumentError,
        ConflictError,
        DuplicateError,
        UnavailableError,
        DeadlineError,
        CallCancelledError,
        OutcomeUnknownError,
        CorruptError,
        DeniedError,
        UnsupportedError,
        NoSpaceError,
        InternalError,
    )
}
