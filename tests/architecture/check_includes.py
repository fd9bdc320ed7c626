#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when an include goes against the one direction of dependencies.

    plugin <- backends <- retention, ops <- migration <- cli, adapters, testing <- bench, tests,
    examples

plugin knows no backend, a backend knows no other, the headers of a database stay in the folder of
its backend, asio stays in the asynchronous header, and no public header needs a JSON library.
"""

import re
import sys
import tempfile
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SOURCES = {".cpp", ".hpp", ".h", ".c", ".cc", ".in"}

# A higher number may include a lower one, and its own folder.
LEVELS = {"plugin": 0, "backends": 1, "retention": 2, "ops": 2, "migration": 3, "cli": 4,
          "adapters": 4, "testing": 4, "bench": 5, "tests": 5, "examples": 5}

# What chooses a backend by the URL.
REGISTRIES = ("backends/builtin.cpp", "backends/open_database.cpp")

# Headers of other libraries, and where they may be included.
CONFINED = [
    (r"sqlite3\w*\.h$", ["backends/sqlite/", "tests/sqlite/", "bench/"]),
    (r"(pqxx/|libpq|pq-fe\.h|postgresql/|postgres_ext\.h)", ["backends/postgres/", "tests/postgres/", "retention/"]),
    (r"hiredis/", ["backends/redis/", "tests/redis/", "bench/"]),
    (r"asio(\.hpp$|/)", ["plugin/include/threadkeep/async.hpp", "backends/redis/", "testing/src/",
                         "adapters/", "tests/", "examples/", "bench/"]),
    (r"threadkeep/async\.hpp$", ["plugin/include/threadkeep/async.hpp", "testing/", "adapters/",
                                 "tests/", "examples/", "bench/"]),
    (r"nlohmann/", ["plugin/src/", "plugin/layers/", "backends/", "retention/", "migration/", "ops/", "cli/",
                    "adapters/", "testing/src/", "tests/", "examples/", "bench/"]),
    (r"yaml-cpp/", ["ops/config/"]),
    (r"zstd\.h$", ["ops/"]),
    (r"prometheus/", ["ops/metrics/"]),
    (r"CLI/", ["cli/"]),
    (r"gtest/|gmock/", ["testing/", "tests/", "examples/", "adapters/"]),
    (r"nanobind/|Python\.h$", ["adapters/python/"]),
]


def unit(path):
    """The folder that stands for a layer, or for one backend."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "backends" and len(parts) > 2 else parts[0]


def resolve(root, path, name):
    """The file of this project that an include means, relative to its root; None for others."""
    candidates = [Path(path).parent / name, Path("plugin") / name, Path("plugin/src") / name,
                  Path("plugin/include") / name, Path("backends") / name, Path("ops") / name,
                  Path("ops/metrics/include") / name,
                  Path("testing/include") / name, Path("testing/src") / name,
                  Path("tests") / name, Path(name)]
    for candidate in candidates:
        if (root / candidate).is_file():
            return (root / candidate).resolve().relative_to(root.resolve()).as_posix()
    return None


def layer_breach(path, target):
    ours, theirs = unit(path), unit(target)
    # These files name the backends; nothing else in the folder is shared.
    if path in REGISTRIES or ours == theirs:
        return None
    if theirs.startswith("backends/") and ours.startswith("backends"):
        return "a backend includes another"
    low, high = LEVELS.get(theirs.split("/")[0]), LEVELS.get(ours.split("/")[0])
    if low is None or high is None:
        return None
    if low > high:
        return f"{ours} must not know {theirs}"
    if low == high:
        return f"{ours} and {theirs} are side by side"
    # The backends of this project are part of the same library.
    if target.startswith("plugin/src/") and ours.split("/")[0] not in ("backends", "tests"):
        return "what plugin keeps to itself"
    return None


def breaches_of(root, path):
    text = (root / path).read_text(encoding="utf-8", errors="replace")
    for _, name in INCLUDE.findall(text):
        for pattern, places in CONFINED:
            if re.match(pattern, name) and not any(path.startswith(place) for place in places):
                yield f"{path} includes {name}: only for {', '.join(places)}"
        target = resolve(root, path, name)
        reason = layer_breach(path, target) if target else None
        if reason:
            yield f"{path} includes {name}: {reason}"


def all_breaches(root):
    files = [p.relative_to(root) for folder in LEVELS for p in (root / folder).rglob("*")
             if p.suffix in SOURCES and p.is_file()]
    if not files:
        yield f"no sources below {root}"
    for path in sorted(files):
        yield from breaches_of(root, path.as_posix())


# What must be found, and what must not: (file, text, found).
EXAMPLES = [
    ("plugin/src/a.cpp", '#include "memory/memory_backend.hpp"', True),
    ("plugin/include/threadkeep/a.hpp", "#include <nlohmann/json.hpp>", True),
    ("plugin/include/threadkeep/b.hpp", "#include <asio/post.hpp>", True),
    ("plugin/src/b.cpp", "#  include <sqlite3.h>", True),
    ("plugin/src/c.cpp", '#include "threadkeep/threadkeep.hpp"', False),
    ("plugin/include/threadkeep/async.hpp", "#include <asio/post.hpp>", False),
    ("plugin/include/threadkeep/threadkeep.hpp", "#include <string>", False),
    ("plugin/src/json.hpp", "", False),
    ("backends/memory/memory_backend.hpp", '#include "threadkeep/threadkeep.hpp"', False),
    ("backends/sqlite/a.cpp", '#include "memory/memory_backend.hpp"', True),
    ("backends/sqlite/b.cpp", "#include <sqlite3.h>", False),
    ("backends/sqlite/c.cpp", '#include "json.hpp"', False),
    ("testing/src/a.cpp", '#include "json.hpp"', True),
    ("tests/b.cpp", "#include <CLI/CLI.hpp>", True),
    ("cli/b.cpp", "#include <CLI/CLI.hpp>", False),
    ("ops/archive/reader.hpp", "#include <zstd.h>", False),
    ("ops/archive/a.cpp", '#include "exit_status.hpp"\n#include "archive/reader.hpp"', False),
    ("cli/c.cpp", '#include "archive/reader.hpp"', False),
    ("cli/d.cpp", "#include <zstd.h>", True),
    ("ops/metrics/include/threadkeep/prometheus.hpp", "", False),
    ("plugin/src/p.cpp", '#include "threadkeep/prometheus.hpp"', True),
    ("cli/p.cpp", '#include "threadkeep/prometheus.hpp"', False),
    ("cli/q.cpp", "#include <prometheus/exposer.h>", True),
    ("backends/sqlite/d.cpp", '#include "archive/reader.hpp"', True),
    ("plugin/src/d.cpp", '#include "archive/reader.hpp"', True),
    ("cli/y.cpp", "#include <yaml-cpp/yaml.h>", True),
    ("ops/config/a.hpp", "#include <yaml-cpp/yaml.h>", False),
    ("plugin/src/y.cpp", '#include "config/a.hpp"', True),
    ("cli/z.cpp", '#include "config/a.hpp"', False),
    ("cli/a.cpp", '#include "../plugin/src/json.hpp"', True),
    ("adapters/python/a.cpp", '#include "sqlite/error_map.hpp"', False),
    ("backends/memory/a.cpp", "#include <sqlite3.h>", True),
    ("backends/builtin.cpp", '#include "memory/memory_backend.hpp"', False),
    ("testing/include/threadkeep/testing/a.hpp", "#include <asio/post.hpp>", True),
    ("tests/a.cpp", '#include <asio/post.hpp>\n#include "json.hpp"', False),
]


def self_test():
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for path, text, _ in EXAMPLES:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        wrong = [f"{path}: {text!r} should be {'refused' if found else 'fine'}"
                 for path, text, found in EXAMPLES if bool(list(breaches_of(root, path))) != found]
    return wrong


def main():
    problems = self_test() if sys.argv[1] == "--self-test" else list(all_breaches(Path(sys.argv[1])))
    print("\n".join(problems) or "no breach")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
