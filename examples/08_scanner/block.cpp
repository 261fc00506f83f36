// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "block.hpp"

#include <lastcall/interrupt/io.hpp>
#include <lastcall/stream/raw_fd.hpp>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

constexpr std::uint64_t longest_line = 16U << 20U;
constexpr std::uint64_t at_once = 64U << 10U;

[[noreturn]] void fail(int error, const std::string& file) {
  throw std::system_error{error, std::generic_category(), file};
}

[[noreturn]] void fail_long_line(const std::string& file) {
  throw std::runtime_error{file + ": a line is longer than 16 MiB"};
}

lastcall::raw_fd opened(const std::string& file, const std::stop_token& stop = {}) {
  std::error_code error;
  const int fd = lastcall::io::open(file.c_str(), O_RDONLY | O_CLOEXEC, 0, stop, error);
  if (error) throw std::system_error{error, file};
  return lastcall::raw_fd::own(fd);
}

/// Appends up to `size` bytes from `offset` on; fewer at the end of the file.
void append(std::string& into, int fd, std::uint64_t offset, std::uint64_t size, const std::string& file) {
  const auto before = into.size();
  into.resize(before + size);
  std::uint64_t got = 0;
  while (got < size) {
    const auto some = ::pread(fd, into.data() + before + got, size - got, static_cast<off_t>(offset + got));
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) fail(errno, file);
    if (some == 0) break;
    got += static_cast<std::uint64_t>(some);
  }
  into.resize(before + got);
}

} // namespace

looked_at look_at(const std::string& file, std::uint64_t block) {
  if (file == "-") return {};
  struct ::stat what {};
  if (::stat(file.c_str(), &what) != 0) fail(errno, file);
  if (S_ISDIR(what.st_mode)) fail(EISDIR, file);
  if (!S_ISREG(what.st_mode)) return {};
  const auto size = static_cast<std::uint64_t>(what.st_size);
  return {true, size / block + (size % block == 0 ? 0U : 1U)};
}

std::string read_block(const std::string& file, std::uint64_t number, std::uint64_t block) {
  const auto fd = opened(file);
  const std::uint64_t begin = number * block, end = begin + block;
  // One byte before it says whether a line begins at its first.
  const std::uint64_t from = begin == 0 ? 0 : begin - 1;
  std::string text;
  append(text, fd.number(), from, end - from, file);
  if (begin > 0) {
    const auto before = text.find('\n');
    if (before == std::string::npos || before + 1 >= text.size()) return {};
    text.erase(0, before + 1);
  }
  for (std::uint64_t next = end; !text.empty() && text.back() != '\n'; next += at_once) {
    const auto size = text.size();
    append(text, fd.number(), next, at_once, file);
    if (const auto line_end = text.find('\n', size); line_end != std::string::npos) text.resize(line_end + 1);
    if (text.size() - size < at_once) break; // that, or the end of the file
    if (text.size() > block + longest_line) fail_long_line(file);
  }
  return text;
}

text_source::text_source(const std::string& file, const std::stop_token& stop)
    : name_{file == "-" ? "standard input" : file},
      fd_{file == "-" ? STDIN_FILENO : opened(file, stop).release()} {}

text_source::~text_source() {
  if (fd_ != STDIN_FILENO) ::close(fd_);
}

std::string text_source::next(std::uint64_t about, const std::stop_token& stop) {
  while (!ended_) {
    const auto line_end = rest_.rfind('\n');
    if (rest_.size() >= about && line_end != std::string::npos) {
      std::string text = rest_.substr(0, line_end + 1);
      rest_.erase(0, line_end + 1);
      return text;
    }
    if (rest_.size() > about + longest_line) fail_long_line(name_);
    const auto before = rest_.size();
    rest_.resize(before + at_once);
    std::error_code error;
    const auto got = lastcall::io::read(fd_, rest_.data() + before, at_once, stop, error);
    rest_.resize(before + (error ? 0 : got));
    if (stop.stop_requested() && (error || got == 0)) return {};
    if (error) throw std::system_error{error, name_};
    ended_ = got == 0;
  }
  return std::exchange(rest_, {});
}
