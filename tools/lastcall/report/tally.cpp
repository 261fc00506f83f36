// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "report/tally.hpp"

#include "judge/mask.hpp"

#include <algorithm>
#include <tuple>

namespace checker {

bool operator<(const example& left, const example& right) {
  const auto order = [](const example& each) {
    const auto& where = each.asked.where;
    return std::tuple(each.index, where.role.size(), std::tie(where.role), where.ordinal,
                      std::tie(where.call), where.at, each.asked.scope, each.asked.signal);
  };
  return order(left) < order(right);
}

void tally::plan(const reference& known, std::size_t points, std::size_t planned) {
  known_ = &known;
  points_ = points;
  planned_ = planned;
}

void tally::add(const run& done, const std::vector<observation>& found) {
  if (!done.asked) return;
  ++runs_;
  const example at{*done.asked, done.index, done.occurrence};
  if (done.delivered == delivery::none) {
    ++not_injected_;
    auto& reason =
        reasons_[done.not_injected.empty() ? "the signal was not seen to arrive" : done.not_injected];
    if (reason.count++ == 0 || at < reason.at) reason.at = at;
    return;
  }
  for (const auto& each : found) group(each, done, at);
  if (known_ && checker::swallowed(*known_, done, found)) swallowed_.push_back(at);
}

void tally::group(const observation& seen, const run& done, const example& at) {
  auto same = std::find_if(findings_.begin(), findings_.end(), [&](const finding& each) {
    return each.shown.what == seen.what && same_under_mask(each.shown.signature, seen.signature);
  });
  if (same == findings_.end()) same = findings_.insert(findings_.end(), finding{});
  const auto before = same->shown.signature;
  const bool smallest = same->count++ == 0 || at < same->at;
  ++same->positions[at.asked.where.at];
  ++same->signals[at.asked.signal];
  // The signature with more of it masked stands for the group: see same_under_mask().
  const auto masked = [](const std::string& text) { return std::count(text.begin(), text.end(), '?'); };
  const auto& signature = masked(before) > masked(seen.signature) ? before : seen.signature;
  if (smallest) {
    same->shown = seen;
    same->at = at;
    same->end = done.end;
    same->err = done.err;
  }
  same->shown.signature = signature;
  if (signature != before) absorb(static_cast<std::size_t>(same - findings_.begin()));
}

/// Groups that were apart because their names look like different words, until one came that masks both.
void tally::absorb(std::size_t into) {
  for (std::size_t i = findings_.size(); i-- > 0;) {
    auto& kept = findings_[into];
    auto& other = findings_[i];
    if (i == into || other.shown.what != kept.shown.what ||
        !same_under_mask(other.shown.signature, kept.shown.signature))
      continue;
    for (const auto& [where, count] : other.positions) kept.positions[where] += count;
    for (const auto& [signal, count] : other.signals) kept.signals[signal] += count;
    kept.count += other.count;
    if (other.at < kept.at) {
      other.shown.signature = std::move(kept.shown.signature);
      other.positions = std::move(kept.positions);
      other.signals = std::move(kept.signals);
      other.count = kept.count;
      std::swap(kept, other);
    }
    findings_.erase(findings_.begin() + static_cast<std::ptrdiff_t>(i));
    if (i < into) --into;
  }
}

std::vector<finding> tally::findings() const {
  auto ordered = findings_;
  std::stable_sort(ordered.begin(), ordered.end(), [](const finding& left, const finding& right) {
    return std::tuple(left.shown.what, right.count, std::tie(left.shown.signature)) <
           std::tuple(right.shown.what, left.count, std::tie(right.shown.signature));
  });
  return ordered;
}

} // namespace checker
