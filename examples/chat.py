# SPDX-License-Identifier: Apache-2.0
"""A chat whose conversation lives in a threadkeep store.

    python chat.py                                talks; an empty line or Ctrl-D ends it
    python chat.py --url postgresql://db/chats    on another store

Each line is stored before it is answered. The next run shows what was said last and goes on; when
the run before it was killed while it thought, it answers the line that was left. `/undo` takes the
last question and its answer back.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import uuid
from collections.abc import Iterator

from threadkeep import Message, NewMessage, SessionStore, StateChange, StateScope, filters


class Chat:
    """One conversation: a thread of the store."""

    def __init__(self, sessions: SessionStore, thread_id: str, think_seconds: float) -> None:
        self.sessions = sessions
        self.thread_id = thread_id
        self.think_seconds = think_seconds

    def resume(self) -> Iterator[str]:
        """What was said last, and the answer to a line that was left without one."""
        last = self.sessions.tail(self.thread_id, 4)
        yield from (f"{message.role}: {message.content}" for message in last)
        if last and last[-1].role == "user":
            yield f"assistant: {self.answer(last[-1])}"

    def say(self, text: str) -> str:
        """Stores a line and its answer. A name is kept beside the messages."""
        question = NewMessage("user", text, {"words": len(text.split())}, id=str(uuid.uuid4()))
        name = re.search(r"my name is (\w+)", text, re.IGNORECASE)
        state = [StateChange.put("name", name[1])] if name else []
        self.sessions.append(self.thread_id, [question], state=state)
        stored = self.sessions.message(self.thread_id, question.id)
        assert stored is not None
        return self.answer(stored)

    def answer(self, question: Message) -> str:
        """Answers a stored question. The id of the reply keeps it from being stored twice."""
        time.sleep(self.think_seconds)
        known = self.sessions.state(StateScope.of_thread(self.thread_id), "name")
        lines = self.sessions.count(self.thread_id, filter=filters.eq("role", "user"))
        whom = f", {known.value}" if known else ""
        reply = NewMessage("assistant", f"That was line {lines}{whom}.", id=f"re {question.id}")
        self.sessions.append(self.thread_id, [reply])
        return str(reply.content)

    def undo(self) -> str:
        """Takes the last question and its answer away."""
        popped = self.sessions.pop(self.thread_id, 2, operation_id=str(uuid.uuid4()))
        return f"(took back {len(popped.messages)} messages)"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="sqlite:chat.db", help="the store")
    parser.add_argument("--thread", default="ada", help="the conversation")
    parser.add_argument("--think-seconds", type=float, default=0, help="how long an answer takes")
    arguments = parser.parse_args()
    with SessionStore(arguments.url) as sessions:
        chat = Chat(sessions, arguments.thread, arguments.think_seconds)
        for line in chat.resume():
            print(line, flush=True)
        for text in map(str.strip, sys.stdin):
            if not text:
                break
            said = chat.undo() if text == "/undo" else f"assistant: {chat.say(text)}"
            print(said, flush=True)


if __name__ == "__main__":
    main()
