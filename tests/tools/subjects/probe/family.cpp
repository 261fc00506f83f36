// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Two children, the second of which has a child of its own; the last one prints how it sees the world:
// number of its process and of its parent's, so that a test can see the pid namespace.
#include <array>
#include <cstdio>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

int main() {
  if (::fork() == 0) ::_exit(0);
  while (::wait(nullptr) > 0) {
  }
  if (::fork() == 0) {
    if (::fork() == 0) {
      std::array<char, 64> text{};
      const int length = std::snprintf(text.data(), text.size(), "%d", ::getpid());
      (void)!::write(1, text.data(), static_cast<std::size_t>(length));
      ::_exit(0);
    }
    while (::wait(nullptr) > 0) {
    }
    ::_exit(0);
  }
  while (::wait(nullptr) > 0) {
  }
  return 0;
}
