// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/output_capture.hpp"

#include <array>
#include <unistd.h>

namespace checker {

bool output_capture::drain(int fd, std::string& into) {
  constexpr std::size_t limit = std::size_t{64} << 20;
  std::array<char, 65536> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  while (into.size() < limit) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) return true;
    into.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return false;
}

bool output_capture::drain() {
  const bool out_fits = drain(out_fd_, out_);
  return drain(err_fd_, err_) && out_fits;
}

} // namespace checker
