// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/executable_search.hpp"

#include <cstdlib>

namespace lastcall::detail {

std::vector<std::string> places_of(std::string_view program, std::string_view path) {
  if (program.find('/') != std::string_view::npos) return {std::string{program}};
  std::vector<std::string> places;
  if (program.empty()) return places;
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t to = std::min(path.find(':', from), path.size());
    std::string place{path.substr(from, to - from)};
    if (place.empty()) place += ".";
    place += "/";
    place += program;
    places.push_back(std::move(place));
    from = to + 1;
  }
  return places;
}

std::string_view search_path() noexcept {
  const char* const path = std::getenv("PATH");
  return path != nullptr ? path : "/bin:/usr/bin";
}

} // namespace lastcall::detail
