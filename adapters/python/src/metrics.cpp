// SPDX-License-Identifier: Apache-2.0
#include "metrics.hpp"

#include <nanobind/stl/string.h>

#include "threadkeep/metrics.hpp"

namespace nb = nanobind;

namespace threadkeep::python {

namespace {

const char* name_of(MetricFamily::Kind kind) {
  switch (kind) {
    case MetricFamily::Kind::counter:
      return "counter";
    case MetricFamily::Kind::gauge:
      return "gauge";
    case MetricFamily::Kind::histogram:
      return "histogram";
  }
  return "";
}

nb::list counts_of(const Histogram::Values& values) {
  nb::list counts;
  for (const std::uint64_t count : values.counts) counts.append(count);
  return counts;
}

// labels, value of a counter or gauge, counts of the buckets and sum of a histogram
nb::tuple sample_row(const MetricFamily::Sample& sample) {
  nb::dict labels;
  for (const auto& [name, value] : sample.labels) labels[name.c_str()] = value;
  return nb::make_tuple(labels, sample.value, counts_of(sample.histogram), sample.histogram.sum);
}

nb::list metrics() {
  nb::list families;
  for (const MetricFamily& family : Metrics::process()->snapshot()) {
    nb::list samples;
    for (const auto& sample : family.samples) samples.append(sample_row(sample));
    families.append(nb::make_tuple(family.name, family.help, name_of(family.kind), samples));
  }
  return families;
}

}  // namespace

void bind_metrics(nb::module_& module) {
  nb::list limits;
  for (const double limit : Histogram::limits) limits.append(limit);
  module.attr("bucket_limits") = nb::tuple(limits);
  module.def("metrics", metrics);
}

}  // namespace threadkeep::python
