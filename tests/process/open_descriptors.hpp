// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <fcntl.h>

namespace process_test {

/// How many this process has.
inline int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 200; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

} // namespace process_test
