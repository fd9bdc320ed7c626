# SPDX-License-Identifier: Apache-2.0
"""Keeps LangGraph checkpoints in a threadkeep store."""

from threadkeep.langgraph.factory import checkpointer
from threadkeep.langgraph.saver import ThreadkeepSaver

__all__ = ["ThreadkeepSaver", "checkpointer"]
