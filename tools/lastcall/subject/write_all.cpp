// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "subject/write_all.hpp"

#include <cerrno>
#include <unistd.h>

namespace checker {

int write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

} // namespace checker
