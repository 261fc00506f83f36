// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "judge/name_shape.hpp"

#include <algorithm>

namespace checker {
namespace {

constexpr std::size_t random_part = 6; // as mkstemp makes them

bool digit(char c) { return c >= '0' && c <= '9'; }

bool alphanumeric(char c) { return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool of_a_random_part(char c) { return alphanumeric(c) || c == '_' || c == '-'; }

bool all(std::string_view text, bool (*is)(char)) { return std::all_of(text.begin(), text.end(), is); }

} // namespace

std::optional<name_shape> name_shape::of(std::string_view left, std::string_view right) {
  if (left == right) return std::nullopt;
  const auto shorter = std::min(left.size(), right.size());
  auto front = static_cast<std::size_t>(
      std::mismatch(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(shorter), right.begin()).first -
      left.begin());
  std::size_t back = 0;
  while (back < shorter - front && left[left.size() - 1 - back] == right[right.size() - 1 - back]) ++back;
  // The parts that happen to be equal belong to the random part too: give it whole runs of digits.
  while (front > 0 && digit(left[front - 1])) --front;
  while (back > 0 && digit(left[left.size() - back])) --back;

  // Random parts may share characters at their ends by chance: those of a short part belong to it as well.
  const auto differing = shorter - front - back;
  if (left.size() == right.size() && differing < random_part) {
    for (auto more = random_part - differing; more > 0 && front > 0 && alphanumeric(left[front - 1]); --more)
      --front;
    for (auto more = random_part - differing; more > 0 && back > 0 && alphanumeric(left[left.size() - back]);
         --more)
      --back;
  }

  const auto left_part = left.substr(front, left.size() - front - back);
  const auto right_part = right.substr(front, right.size() - front - back);
  name_shape shape;
  shape.prefix_ = left.substr(0, front);
  shape.suffix_ = left.substr(left.size() - back);
  if (left_part.empty() || right_part.empty()) return std::nullopt;
  if (all(left_part, digit) && all(right_part, digit)) return shape;
  if (left_part.size() != right_part.size()) return std::nullopt;
  if (!all(left_part, of_a_random_part) || !all(right_part, of_a_random_part)) return std::nullopt;
  shape.length_ = left_part.size();
  return shape;
}

bool name_shape::matches(std::string_view path) const {
  const auto fixed = prefix_.size() + suffix_.size();
  if (path.size() <= fixed || !path.starts_with(prefix_) || !path.ends_with(suffix_)) return false;
  const auto part = path.substr(prefix_.size(), path.size() - fixed);
  return length_ == 0 ? all(part, digit) : part.size() == length_ && all(part, of_a_random_part);
}

} // namespace checker
