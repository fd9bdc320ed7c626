# SPDX-License-Identifier: Apache-2.0
"""A chat model that needs no network: a few rules instead of a neural network.

It streams its answers word by word and calls tools as real chat models do, and it always answers
the same, so that what the examples show can be checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool


def _name_in(messages: Sequence[BaseMessage]) -> str | None:
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            if found := re.search(r"\bmy name is (\w+)", str(message.content), re.I):
                return found[1]
    return None


def _tool_results(messages: Sequence[BaseMessage]) -> list[str]:
    """What the tools said since the last answer, in the order of their calls."""
    results: list[str] = []
    for message in reversed(messages):
        if not isinstance(message, ToolMessage):
            break
        results.insert(0, str(message.content))
    return results


def _answer(messages: Sequence[BaseMessage]) -> tuple[str, list[tuple[str, dict[str, str]]]]:
    """The text of the answer, and the tools that it calls with their arguments."""
    if results := _tool_results(messages):
        return " ".join(results), []
    question = str(messages[-1].content)
    if re.search(r"\bwhat is my name\b", question, re.I):
        name = _name_in(messages)
        return (f"Your name is {name}." if name else "You have not told me your name."), []
    if found := re.search(r"\bmy name is (\w+)", question, re.I):
        return f"Nice to meet you, {found[1]}. What can I do for you?", []
    if found := re.search(r"\bplan a sail (?:at|from) (\w+)", question, re.I):
        place = {"place": found[1]}
        return "I look at the weather and the tide at the same time.", [
            ("weather", place),
            ("tide", place),
        ]
    if found := re.search(r"\bweather (?:in|at) (\w+)", question, re.I):
        return "I look that up.", [("weather", {"place": found[1]})]
    if found := re.search(r"\bbook (?:the|a) (\w+)", question, re.I):
        return "I need your approval for that.", [("book", {"thing": found[1]})]
    return f"I heard: {question}", []


class LocalChatModel(BaseChatModel):
    """Answers by rule. See the module's text."""

    tools: list[str] = []

    @property
    def _llm_type(self) -> str:
        return "local-rules"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        return self.model_copy(update={"tools": [tool.name for tool in tools]})

    def _calls(self, messages: Sequence[BaseMessage]) -> tuple[str, list[dict[str, Any]]]:
        text, wanted = _answer(messages)
        calls = [
            {"name": name, "args": args, "id": f"call-{len(messages)}-{number}"}
            for number, (name, args) in enumerate(wanted)
            if name in self.tools
        ]
        return text, calls

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        text, calls = self._calls(messages)
        message = AIMessage(content=text, tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        text, calls = self._calls(messages)
        chunks = [AIMessageChunk(content=word) for word in re.findall(r"\S+\s*", text)]
        for index, call in enumerate(calls):
            arguments = "{" + ", ".join(f'"{k}": "{v}"' for k, v in call["args"].items()) + "}"
            part = tool_call_chunk(name=call["name"], args=arguments, id=call["id"], index=index)
            chunks.append(AIMessageChunk(content="", tool_call_chunks=[part]))
        for chunk in chunks:
            generation = ChatGenerationChunk(message=chunk)
            if run_manager:
                run_manager.on_llm_new_token(str(chunk.content), chunk=generation)
            yield generation
