// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace runtime_test {

/// A pipe into which a child says in order what happens.
class story {
public:
  story() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) std::abort();
  }
  ~story() {
    ::close(ends_[0]);
    if (ends_[1] >= 0) ::close(ends_[1]);
  }
  story(const story&) = delete;
  story& operator=(const story&) = delete;

  void tell(std::string_view what) const {
    [[maybe_unused]] const auto n = ::write(ends_[1], what.data(), what.size());
  }
  std::string told() {
    ::close(std::exchange(ends_[1], -1));
    std::string all;
    char some[256];
    for (ssize_t n = 0; (n = ::read(ends_[0], some, sizeof some)) > 0;)
      all.append(some, static_cast<std::size_t>(n));
    return all;
  }

private:
  int ends_[2]{};
};

} // namespace runtime_test
