// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/lifecycle/order.hpp>

#include <algorithm>
#include <utility>

namespace lastcall {

std::size_t order::add(std::string name) {
  if (name.empty()) throw std::logic_error("a component needs a name: it is how the report speaks of it");
  if (std::ranges::any_of(nodes_, [&](const node& n) { return n.name == name; }))
    throw std::logic_error("two components are named '" + name + "'; names must differ");
  nodes_.push_back({std::move(name), {}});
  return nodes_.size() - 1;
}

void order::after(std::size_t later, std::size_t earlier) {
  if (later >= nodes_.size() || earlier >= nodes_.size())
    throw std::logic_error("order::after: no component has this index");
  auto& needs = nodes_[later].needs;
  if (std::ranges::find(needs, earlier) == needs.end()) needs.push_back(earlier);
}

std::vector<std::size_t> order::sorted() const {
  std::vector<std::size_t> result;
  result.reserve(nodes_.size());
  std::vector<bool> placed(nodes_.size());
  const auto may_come = [&](std::size_t index) {
    return !placed[index] &&
           std::ranges::all_of(nodes_[index].needs, [&](std::size_t n) { return placed[n]; });
  };
  // Quadratic in the number of components, and cubic in the worst case: applications have tens of them, and
  // the first-added-first rule is then visible in the code.
  while (result.size() < nodes_.size()) {
    std::size_t next = 0;
    while (next < nodes_.size() && !may_come(next)) ++next;
    if (next == nodes_.size())
      throw std::logic_error("the components wait for each other in a circle: " + circle(placed));
    placed[next] = true;
    result.push_back(next);
  }
  return result;
}

std::string order::circle(const std::vector<bool>& placed) const {
  // Every node that could not be placed needs another such node, so following the first of these from
  // anywhere must come back to a node already seen. What lies before that node is not part of the circle.
  std::vector<std::size_t> path;
  auto at = static_cast<std::size_t>(std::ranges::find(placed, false) - placed.begin());
  auto seen = path.end();
  while ((seen = std::ranges::find(path, at)) == path.end()) {
    path.push_back(at);
    at = *std::ranges::find_if(nodes_[at].needs, [&](std::size_t n) { return !placed[n]; });
  }
  std::string text;
  for (; seen != path.end(); ++seen) text += nodes_[*seen].name + " → ";
  return text + nodes_[at].name;
}

} // namespace lastcall
