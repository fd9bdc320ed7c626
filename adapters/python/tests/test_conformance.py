# SPDX-License-Identifier: Apache-2.0
"""LangGraph's own conformance suite for savers."""

from __future__ import annotations

from collections.abc import AsyncIterator

from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import Capability

from threadkeep.langgraph import ThreadkeepSaver

# The suite has 89 tests of 9 capabilities. The package on PyPI (0.0.2) lacks those for
# delta channel histories; test_delta_history.py has them in any case.
TESTS = {
    "put": 17,
    "put_writes": 10,
    "get_tuple": 10,
    "list": 16,
    "delete_thread": 5,
    "delete_for_runs": 7,
    "copy_thread": 8,
    "prune": 8,
    "delta_channel_history": 8,
}


async def test_official_suite(url: str) -> None:
    @checkpointer_test(name=f"ThreadkeepSaver {url}")
    async def registered() -> AsyncIterator[ThreadkeepSaver]:
        async with ThreadkeepSaver(url) as saver:
            yield saver

    report = (await validate(registered)).to_dict()
    failures = [text for result in report["results"].values() for text in result["failures"]]
    assert not failures, "\n".join(failures)
    expected = {name.value: TESTS[name.value] for name in Capability}
    passed = {name: result["tests_passed"] for name, result in report["results"].items()}
    assert passed == expected
    assert sum(passed.values()) in (81, 89)
    assert not any(result["tests_skipped"] for result in report["results"].values())
    assert report["conformance_level"] == "FULL"
