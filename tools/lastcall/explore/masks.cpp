// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "explore/masks.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <string_view>

namespace checker {
namespace {

using calls_by_role = std::map<std::string, std::vector<std::string>>;

calls_by_role by_role(const std::vector<recorded_call>& calls) {
  calls_by_role result;
  for (const auto& one : calls) result[one.role].push_back(one.call);
  return result;
}

std::string_view kind_of(std::string_view call) { return call.substr(0, call.find('(')); }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

/// How many characters the two have in common at the front.
std::size_t common_front(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

std::size_t common_back(std::string_view a, std::string_view b) {
  std::size_t n = 0;
  while (n < std::min(a.size(), b.size()) && a[a.size() - 1 - n] == b[b.size() - 1 - n]) ++n;
  return n;
}

/// The varying part of two calls of one kind. Characters of a random name may agree by chance at its ends:
/// a part of a word is widened to six characters, which is what mkstemp and its relatives vary.
call_mask mask_between(std::string_view a, std::string_view b) {
  constexpr std::size_t template_length = 6;
  std::size_t front = common_front(a, b);
  std::size_t back = std::min(common_back(a, b), std::min(a.size(), b.size()) - front);
  const bool same_length = a.size() == b.size();
  if (same_length) {
    // First to the right: the template is the tail of a name. Then to the left.
    while (a.size() - front - back < template_length && back > 0 && is_word(a[a.size() - back])) --back;
    while (a.size() - front - back < template_length && front > 0 && is_word(a[front - 1])) --front;
  }
  const bool is_template = same_length && a.size() - front - back == template_length;
  return {std::string{a.substr(0, front)}, std::string{a.substr(a.size() - back)},
          same_length ? a.size() - front - back : 0, is_template ? "XXXXXX" : "*"};
}

} // namespace

std::vector<call_mask> learn_masks(const std::vector<recorded_call>& one,
                                   const std::vector<recorded_call>& other) {
  std::vector<call_mask> masks;
  const auto first = by_role(one);
  const auto second = by_role(other);
  for (const auto& [role, calls] : first) {
    const auto peer = second.find(role);
    if (peer == second.end()) continue;
    const auto length = std::min(calls.size(), peer->second.size());
    for (std::size_t i = 0; i < length; ++i) {
      const auto& a = calls[i];
      const auto& b = peer->second[i];
      if (kind_of(a) != kind_of(b)) break; // from here on the two went different ways
      if (a == b) continue;
      auto mask = mask_between(a, b);
      if (std::ranges::find(masks, mask) == masks.end()) masks.push_back(std::move(mask));
    }
  }
  return masks;
}

} // namespace checker
