// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tally.hpp"

#include <cerrno>
#include <cstddef>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), "the tally " + path);
}

} // namespace

tally::tally(const std::string& path, long threads) {
  if (path.empty() || threads == 0) return;
  const auto size = static_cast<std::size_t>(threads) * sizeof *counts_;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(size)) != 0) fail(path);
  void* const all = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (all == MAP_FAILED) fail(path);
  ::close(fd);
  counts_ = static_cast<std::atomic<std::uint32_t>*>(all); // zeros, as a new file has
}
