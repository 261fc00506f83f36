// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/cgroup_place.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace lastcall::detail {

namespace {

// What stands before the separator, which goes with it.
std::string_view cut(std::string_view& text, char separator) {
  const auto at = std::min(text.find(separator), text.size());
  const auto first = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return first;
}

// A space, tab, line end or backslash stands there as \ and three octal digits.
std::string unescaped(std::string_view text) {
  constexpr std::size_t digits = 3;
  const auto is_octal = [](char each) { return each >= '0' && each <= '7'; };
  std::string plain;
  while (!text.empty()) {
    const auto code = text.substr(1, digits);
    if (text.front() != '\\' || code.size() < digits || !std::all_of(code.begin(), code.end(), is_octal)) {
      plain += text.front();
      text.remove_prefix(1);
      continue;
    }
    int value = 0;
    for (const char each : code) value = value * 8 + (each - '0');
    plain += static_cast<char>(value);
    text.remove_prefix(1 + digits);
  }
  return plain;
}

struct mounted {
  std::string root; ///< the cgroup that is at …
  std::string at;
};

// Number, parent, device, root, place, options, any number of fields, "-", kind, source, options.
std::optional<mounted> cgroup2_of(std::string_view line) {
  for (int i = 0; i < 3; ++i) cut(line, ' ');
  const auto root = cut(line, ' '), at = cut(line, ' ');
  while (!line.empty() && cut(line, ' ') != "-") {
  }
  if (cut(line, ' ') != "cgroup2" || root.empty() || at.empty()) return std::nullopt;
  return mounted{unescaped(root), unescaped(at)};
}

// The process's own, among the memberships: "0::/path".
std::optional<std::string_view> own(std::string_view memberships) {
  constexpr std::string_view begin = "0::";
  while (!memberships.empty())
    if (auto line = cut(memberships, '\n'); line.starts_with(begin)) return line.substr(begin.size());
  return std::nullopt;
}

// What is below the root; "/.." at its beginning is outside of what can be seen.
std::optional<std::string_view> below(std::string_view path, std::string_view root) {
  if (root == "/") root = {};
  if (!path.starts_with(root)) return std::nullopt;
  path.remove_prefix(root.size());
  if (path == "/") path = {};
  if (!path.empty() && path.front() != '/') return std::nullopt;
  if (path == "/.." || path.starts_with("/../")) return std::nullopt;
  return path;
}

} // namespace

cgroup_place cgroup_place_of(std::string_view mounts, std::string_view memberships) {
  const auto path = own(memberships);
  if (!path) return {{}, "/proc/self/cgroup (no line of cgroup2)"};
  bool any = false;
  while (!mounts.empty()) {
    const auto mount = cgroup2_of(cut(mounts, '\n'));
    if (!mount) continue;
    any = true;
    if (const auto rest = below(*path, mount->root)) return {mount->at + std::string{*rest}, {}};
  }
  if (!any) return {{}, "/proc/self/mountinfo (no cgroup2 is mounted)"};
  return {{}, "/proc/self/mountinfo (no cgroup2 is mounted in which " + std::string{*path} + " is seen)"};
}

} // namespace lastcall::detail
