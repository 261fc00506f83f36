// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "comparison.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

namespace bench {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

} // namespace

bool bar::holds(double ratio) const noexcept {
  return which == side::at_most ? ratio <= value : ratio >= value;
}

std::string bar::text() const { return (which == side::at_most ? "<= " : ">= ") + number(value); }

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double now_ns() noexcept {
  using namespace std::chrono;
  return duration<double, std::nano>(steady_clock::now().time_since_epoch()).count();
}

report::report(std::string bench_name) : bench_(std::move(bench_name)) {}

void report::add(const contest& what, const side& ours, const side& theirs) {
  std::fprintf(stderr, "%s: %s against %s, %u times each\n", bench_.c_str(), what.name.c_str(),
               what.peer.c_str(), what.repetitions);
  keep(ours());
  keep(theirs());
  std::vector<double> mine, others;
  for (unsigned i = 0; i < what.repetitions; ++i) {
    // The side that goes first changes, so that neither always runs on what the other left in the caches.
    if (i % 2 == 0) mine.push_back(ours());
    others.push_back(theirs());
    if (i % 2 != 0) mine.push_back(ours());
  }
  row r{.what = what, .ours = median(std::move(mine)), .theirs = median(std::move(others))};
  r.ratio = r.theirs > 0 ? r.ours / r.theirs : 0;
  r.ok = r.theirs > 0 && what.bar.holds(r.ratio);
  rows_.push_back(std::move(r));
}

int report::print() const {
  std::string out = "[";
  for (const row& r : rows_) {
    if (out.size() > 1) out += ",";
    out += "\n  {\"bench\": " + quoted(bench_) + ", \"case\": " + quoted(r.what.name);
    out += ", \"peer\": " + quoted(r.what.peer) + ", \"unit\": " + quoted(r.what.unit);
    out += ", \"ours\": " + number(r.ours) + ", \"theirs\": " + number(r.theirs);
    out += ", \"ratio\": " + number(r.ratio) + ", \"bar\": " + quoted(r.what.bar.text());
    out += std::string{", \"ok\": "} + (r.ok ? "true" : "false") + "}";
  }
  out += "\n]\n";
  std::fputs(out.c_str(), stdout);
  std::fflush(stdout);
  return std::all_of(rows_.begin(), rows_.end(), [](const row& r) { return r.ok; }) ? 0 : 1;
}

} // namespace bench
