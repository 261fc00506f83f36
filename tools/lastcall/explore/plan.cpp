// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "explore/plan.hpp"

#include <algorithm>

namespace checker {
namespace {

bool exists(const candidate& where, position at) {
  switch (at) {
  case position::before: return where.where.call != "idle()";
  case position::during: return where.can_during;
  case position::after: return where.can_after;
  }
  return false;
}

std::vector<point> spread(const std::vector<point>& all, std::size_t most) {
  if (most == 0 || all.size() <= most) return all;
  if (most == 1) return {all.front()};
  std::vector<point> result;
  for (std::size_t i = 0; i < most; ++i) result.push_back(all[i * (all.size() - 1) / (most - 1)]);
  return result;
}

} // namespace

plan make_plan(const options& wanted, const std::vector<candidate>& candidates) {
  std::vector<point> points;
  for (const auto& one : candidates) {
    for (const auto at : wanted.positions) {
      if (!exists(one, at)) continue;
      points.push_back(one.where);
      points.back().at = at;
    }
  }
  plan result;
  result.points = points.size();
  const auto chosen = wanted.at ? std::vector{*wanted.at} : spread(points, wanted.max_points);
  for (const auto& where : chosen) {
    for (const int signal : wanted.signals) {
      for (const auto scope : wanted.scopes) result.runs.push_back({where, signal, scope});
    }
  }
  return result;
}

} // namespace checker
