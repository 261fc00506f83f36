// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "subject/point.hpp"

#include <array>
#include <charconv>

namespace checker {
namespace {

constexpr std::array position_names{std::string_view{"before"}, std::string_view{"during"},
                                    std::string_view{"after"}};

bool is_role(std::string_view role) {
  return !role.empty() && role.front() == '0' &&
         role.find_first_not_of("0123456789./") == std::string_view::npos;
}

} // namespace

std::string_view to_string(position at) noexcept { return position_names[static_cast<std::size_t>(at)]; }

std::string_view to_string(target_scope scope) noexcept {
  switch (scope) {
  case target_scope::process: return "process";
  case target_scope::group: return "group";
  case target_scope::caller: break;
  }
  return "caller";
}

std::string point::key() const {
  return role + ':' + call + '#' + std::to_string(ordinal) + '@' + std::string{to_string(at)};
}

std::optional<point> point::parse(std::string_view text, std::string& why) {
  // From both ends inwards: a call's arguments may hold any of the separators, the outer parts cannot.
  point result;
  const auto colon = text.find(':');
  const auto sign = text.rfind('@');
  const auto hash = sign == std::string_view::npos ? sign : text.rfind('#', sign);
  if (colon == std::string_view::npos || sign == std::string_view::npos || hash == std::string_view::npos ||
      colon > hash) {
    why = "it is not of the form role:call#ordinal@position";
    return std::nullopt;
  }
  result.role = text.substr(0, colon);
  if (!is_role(result.role)) {
    why = "\"" + result.role + "\" is not a role such as 0, 0.1 or 0/2";
    return std::nullopt;
  }
  result.call = text.substr(colon + 1, hash - colon - 1);
  const auto open = result.call.find('(');
  if (open == 0 || open == std::string::npos || result.call.back() != ')') {
    why = "\"" + result.call + "\" is not a call such as read(3)";
    return std::nullopt;
  }
  const auto number = text.substr(hash + 1, sign - hash - 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), result.ordinal);
  if (error != std::errc{} || end != number.data() + number.size() || result.ordinal == 0) {
    why = "\"" + std::string{number} + "\" is not an ordinal: a whole number from 1";
    return std::nullopt;
  }
  const auto name = text.substr(sign + 1);
  for (std::size_t i = 0; i < position_names.size(); ++i) {
    if (position_names[i] != name) continue;
    result.at = static_cast<position>(i);
    return result;
  }
  why = "\"" + std::string{name} + "\" is not a position: before, during or after";
  return std::nullopt;
}

} // namespace checker
