// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/output_capture.hpp"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace checker {

bool output_capture::read_some(int fd, std::string& into, std::size_t most) {
  std::array<char, 65536> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  const auto stop = std::min(limit, into.size() + most);
  while (into.size() < stop) {
    const auto got = ::read(fd, buffer.data(), std::min(buffer.size(), stop - into.size()));
    if (got <= 0) return true;
    into.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return into.size() < limit;
}

bool output_capture::look() {
  const bool out_fits = read_some(out_fd_, out_, most_per_look);
  return read_some(err_fd_, err_, most_per_look) && out_fits;
}

void output_capture::take_rest() {
  (void)read_some(out_fd_, out_, limit);
  (void)read_some(err_fd_, err_, limit);
}

} // namespace checker
