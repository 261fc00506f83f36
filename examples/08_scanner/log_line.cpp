// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "log_line.hpp"

#include <array>
#include <chrono>
#include <cstdio>

std::string log_line(lastcall::time_point began, std::string_view who, std::string_view what) {
  std::array<char, 32> time{};
  const double elapsed = std::chrono::duration<double>(lastcall::clock::now() - began).count();
  std::snprintf(time.data(), time.size(), "%8.3f s  ", elapsed);
  return std::string{time.data()}.append(who).append(who.empty() ? "" : ": ").append(what);
}
