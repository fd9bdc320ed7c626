# SPDX-License-Identifier: Apache-2.0
"""What stores of this process do, in numbers.

Names, labels and units are listed in docs/operation/observability.md. A program that is watched by
Prometheus registers a :class:`Collector` once::

    from prometheus_client import REGISTRY
    from threadkeep.metrics import Collector

    REGISTRY.register(Collector())
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from threadkeep import _native

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["Collector", "Histogram", "MetricFamily", "Sample", "snapshot"]


@dataclass(frozen=True)
class Histogram:
    """How often a time fell into each bucket.

    Attributes:
        buckets: Upper limit of each bucket in seconds, and how many times were not above it. The
            last limit is infinite.
        sum: All times together, in seconds.
    """

    buckets: tuple[tuple[float, int], ...]
    sum: float

    @property
    def count(self) -> int:
        """How many times there were."""
        return self.buckets[-1][1]


@dataclass(frozen=True)
class Sample:
    """The value of a metric for one set of labels; ``float`` for counters and gauges."""

    labels: dict[str, str]
    value: float | Histogram


@dataclass(frozen=True)
class MetricFamily:
    """All values of one metric.

    Attributes:
        name: Such as ``"threadkeep_operations_total"``.
        help: What it says.
        kind: ``"counter"``, ``"gauge"`` or ``"histogram"``.
        samples: One for each set of labels.
    """

    name: str
    help: str
    kind: str
    samples: tuple[Sample, ...]


def snapshot() -> list[MetricFamily]:
    """All metrics of this process as they are now, by name. A forked process goes on from those
    of its parent."""
    return [
        MetricFamily(name, help, kind, tuple(_sample(kind, row) for row in rows))
        for name, help, kind, rows in _native.metrics()
    ]


def _sample(kind: str, row: _native.SampleRow) -> Sample:
    labels, value, counts, total = row
    if kind != "histogram":
        return Sample(labels, value)
    limits = (*_native.bucket_limits, float("inf"))
    return Sample(labels, Histogram(tuple(zip(limits, accumulate(counts), strict=True)), total))


class Collector:
    """Gives the metrics of stores to a registry of the package ``prometheus_client``."""

    def collect(self) -> Iterator[Metric]:
        """Called by the registry for each scrape."""
        from prometheus_client.core import Metric

        for family in snapshot():
            metric = Metric(family.name.removesuffix("_total"), family.help, family.kind)
            for sample in family.samples:
                _add(metric, family.name, sample)
            yield metric


def _add(metric: Metric, name: str, sample: Sample) -> None:
    value = sample.value
    if not isinstance(value, Histogram):
        metric.add_sample(name, sample.labels, value)
        return
    for limit, count in value.buckets:
        le = "+Inf" if limit == float("inf") else repr(limit)
        metric.add_sample(name + "_bucket", {**sample.labels, "le": le}, count)
    metric.add_sample(name + "_count", sample.labels, value.count)
    metric.add_sample(name + "_sum", sample.labels, value.sum)
