#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when docs/operation/observability.md and the sources name other metrics or log events.

Metrics are compared by name and kind, events by name, level and fields, in both directions. What
examples and alerts of the page name must be among them.
"""

import re
import sys
from pathlib import Path

PAGE = "docs/operation/observability.md"
FOLDERS = ("plugin", "backends", "retention", "ops", "migration", "cli", "adapters/python/src")
PYTHON_LOG = "adapters/python/threadkeep/_logging.py"

METRIC = re.compile(r'\b(counter|gauge|histogram)\(\s*"(threadkeep_\w+)"')
# Up to the end of the statement.
EVENT = re.compile(r"\blog\(\{(.*?)\}\);", re.DOTALL)
# A record whose level or event depends on something has all of them before its message.
LEVEL = re.compile(r"LogLevel::(\w+)")
NAME = re.compile(r'"([a-z]+(?:_[a-z]+)+)"')
FIELD = re.compile(r'\{\s*"(\w+)",')
PYTHON_EVENT = re.compile(r'_write\(logging\.(\w+), "(\w+)", \w+, \{([^}]*)\}')

METRIC_ROW = re.compile(r"^\| `(threadkeep_\w+)` \| (counter|gauge|histogram) \|", re.MULTILINE)
EVENT_ROW = re.compile(r"^\| `(\w+)` \| (debug|info|warning|error) \| ([^|]*)\|", re.MULTILINE)


def metrics_in(text):
    return {(name, kind) for kind, name in METRIC.findall(text)}


def events_in(text):
    for statement in EVENT.findall(text):
        fields = frozenset(FIELD.findall(statement))
        levels = LEVEL.findall(statement)
        names = [name for name in NAME.findall(statement) if name not in fields]
        for at, name in enumerate(names):
            yield name, levels[min(at, len(levels) - 1)] if levels else "?", fields


def python_events_in(text):
    for level, name, fields in PYTHON_EVENT.findall(text):
        yield name, level.lower(), frozenset(re.findall(r'"(\w+)":', fields))


def documented_events(text):
    for name, level, fields in EVENT_ROW.findall(text):
        yield name, level, frozenset(re.findall(r"`(\w+)`", fields))


def unknown_names(page):
    """Names of the page that no table has: of metrics, of their series, and of timings of StatsD."""
    kinds = dict(METRIC_ROW.findall(page))
    series = set(kinds)
    for name in (name for name, kind in kinds.items() if kind == "histogram"):
        series |= {name + end for end in ("_bucket", "_count", "_sum")}
        series.add(name.removesuffix("_seconds") + "_ms")
    return sorted(set(re.findall(r"\bthreadkeep_\w+", page)) - series)


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]pp")):
            yield path.read_text(encoding="utf-8")


def differences(what, code, page):
    for each in sorted(code - page, key=str):
        yield f"{what} {shown(each)}: in the sources, not so in {PAGE}"
    for each in sorted(page - code, key=str):
        yield f"{what} {shown(each)}: in {PAGE}, not so in the sources"


def shown(each):
    return " ".join(part if isinstance(part, str) else "{" + ", ".join(sorted(part)) + "}"
                    for part in each)


def problems(root):
    page = (root / PAGE).read_text(encoding="utf-8")
    metrics, events = set(), set()
    for text in sources(root):
        metrics |= metrics_in(text)
        events |= set(events_in(text))
    events |= set(python_events_in((root / PYTHON_LOG).read_text(encoding="utf-8")))
    if not metrics or not events:
        yield "found nothing in the sources"
    yield from differences("metric", metrics, {(n, k) for n, k in METRIC_ROW.findall(page)})
    yield from differences("event", events, set(documented_events(page)))
    for name in unknown_names(page):
        yield f"{name}: used in {PAGE}, and in none of its tables"


def self_test():
    code = '''
      gauge_(metrics.gauge("threadkeep_a", "A.")), b(&m.counter(
          "threadkeep_b_total", "B."));
      log({LogLevel::warning, "a_began", "A message, as_it_is.", {{"reason", why}, {"n", "1_2"}}});
      log({lost ? LogLevel::error : LogLevel::info, lost ? "b_lost" : "b_left", "B.", {}});
    '''
    page = ("| `threadkeep_a` | gauge | | A |\n| `threadkeep_b_total` | counter | `x` | B |\n"
            "| `a_began` | warning | `reason`, `n` | A |\n| `b_lost` | error | | B |\n"
            "| `b_left` | info | | B |\n")
    python = '_write(logging.WARNING, "c_gone", text, {"records": str(n)})'
    checks = [
        (metrics_in(code), {("threadkeep_a", "gauge"), ("threadkeep_b_total", "counter")}),
        (set(METRIC_ROW.findall(page)), metrics_in(code)),
        (set(events_in(code)), {("a_began", "warning", frozenset({"reason", "n"})),
                                ("b_lost", "error", frozenset()),
                                ("b_left", "info", frozenset())}),
        (set(documented_events(page)), set(events_in(code))),
        (set(python_events_in(python)), {("c_gone", "warning", frozenset({"records"}))}),
        (unknown_names(page + "threadkeep_a threadkeep_b_total_sum threadkeep_c{x=1}"),
         ["threadkeep_b_total_sum", "threadkeep_c"]),
        (unknown_names("| `threadkeep_t_seconds` | histogram | | T |\nthreadkeep_t_seconds_bucket "
                       "threadkeep_t_ms threadkeep_t_seconds"), []),
        (len(list(differences("x", {("a",)}, {("b",)}))), 2),
        (len(list(differences("x", {("a",)}, {("a",)}))), 0),
    ]
    return [f"{got} is not {wanted}" for got, wanted in checks if got != wanted]


def main():
    found = self_test() if sys.argv[1] == "--self-test" else list(problems(Path(sys.argv[1])))
    print("\n".join(found) or "no difference")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
