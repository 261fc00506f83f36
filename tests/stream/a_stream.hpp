// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/finalization_report.hpp>
#include <lastcall/stream/buffered_writer.hpp>

#include "runtime/last_words.hpp"
#include "wait/seat.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/// Streams for tests, and last words without a runtime.
namespace streams {

using namespace std::chrono_literals;

/// Both ends of a pipe, or of a pair of sockets.
struct two_ends {
  enum class kind { pipe, socket };
  explicit two_ends(kind which = kind::pipe) {
    EXPECT_EQ(which == kind::pipe ? ::pipe2(ends, O_CLOEXEC)
                                  : ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
              0);
  }
  ~two_ends() {
    close_out();
    close_in();
  }
  two_ends(const two_ends&) = delete;
  two_ends& operator=(const two_ends&) = delete;

  int out() const { return ends[0]; }
  int in() const { return ends[1]; }
  void close_out() { close_end(0); }
  void close_in() { close_end(1); }
  /// All that can be read without waiting.
  std::string drained() const {
    ::fcntl(out(), F_SETFL, O_NONBLOCK);
    std::string all;
    char some[4096];
    for (ssize_t n = 0; (n = ::read(out(), some, sizeof some)) > 0;)
      all.append(some, static_cast<std::size_t>(n));
    ::fcntl(out(), F_SETFL, 0);
    return all;
  }
  /// Whether more than so many bytes lie in it.
  bool is_readable_beyond(std::size_t size) const {
    int there = 0;
    EXPECT_EQ(::ioctl(out(), FIONREAD, &there), 0);
    return static_cast<std::size_t>(there) > size;
  }
  /// As many bytes as it takes; how many these are.
  std::size_t fill() const {
    const int flags = ::fcntl(in(), F_GETFL);
    ::fcntl(in(), F_SETFL, flags | O_NONBLOCK);
    std::size_t all = 0;
    const std::string junk(4096, '.');
    for (ssize_t n = 0; (n = ::write(in(), junk.data(), junk.size())) > 0;)
      all += static_cast<std::size_t>(n);
    ::fcntl(in(), F_SETFL, flags);
    return all;
  }
  /// Reads exactly so many bytes, waiting for them.
  std::string take(std::size_t size) const {
    std::string all(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const ssize_t n = ::read(out(), all.data() + have, size - have);
      if (n <= 0) break;
      have += static_cast<std::size_t>(n);
    }
    all.resize(have);
    return all;
  }

  int ends[2] = {-1, -1};

private:
  void close_end(int which) {
    if (ends[which] >= 0) ::close(ends[which]);
    ends[which] = -1;
  }
};

/// One round of last words over all streams, as a finalization makes it.
inline std::vector<lastcall::stream_end> say_last_words(lastcall::duration budget,
                                                        lastcall::duration grace = 0ms, bool last = true) {
  lastcall::finalization_report report;
  lastcall::detail::last_words_round round{lastcall::deadline::after(budget), grace, last,
                                           lastcall::stuck_stream::write_past, &report};
  if (last) lastcall::detail::set_write_through(true);
  lastcall::detail::say_last_words(round);
  return report.streams;
}

inline lastcall::buffered_writer make_writer(int fd, std::size_t buffer = 4096,
                                             lastcall::flush_mode mode = lastcall::flush_mode::block) {
  return lastcall::buffered_writer{lastcall::raw_fd::borrow(fd),
                                   {.name = "test", .flush = mode, .buffer = buffer}};
}

// A thread that is inside a write of `out` to a full pipe.
class blocked_writer {
public:
  blocked_writer(lastcall::buffered_writer& out, std::string record)
      : thread_{[this, &out, record = std::move(record)] {
          id = ::pthread_self();
          seat_ = &lastcall::wait::seat_here();
          accepted = out.write(record, error);
        }} {
    // Shown from the first instruction of its call on.
    while (seat_.load() == nullptr || seat_.load()->watched.load() == nullptr) std::this_thread::yield();
  }
  ~blocked_writer() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  std::size_t accepted = 0;
  std::error_code error;
  std::atomic<pthread_t> id{};

private:
  std::atomic<lastcall::wait::seat*> seat_{nullptr};
  std::thread thread_;
};

} // namespace streams
