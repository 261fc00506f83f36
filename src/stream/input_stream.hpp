// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/thread_word.hpp>
#include <lastcall/stream/raw_fd.hpp>
#include <lastcall/stream/stream_error.hpp>
#include <lastcall/stream/stream_options.hpp>

#include "runtime/last_words.hpp"
#include "stream/read_buffer.hpp"
#include "stream/stream_lock.hpp"
#include "stream/thread_id.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace lastcall::detail {

/// A descriptor that is read through a buffer, by many threads: behind every reader. It has nothing to say at
/// the end; a thread that waits in it is ended by its runtime's end like in any call of the library.
///
/// Under the lock nothing is delivered and no thread is parked. The functions with an `error` throw where it
/// is null; where it is not, they throw std::bad_alloc at most.
class input_stream final : public last_words {
public:
  input_stream(raw_fd fd, const stream_options& options);

  /// Before it is destroyed. False when a round of last words is late: it may still call this object, which
  /// has to stay.
  bool finish() noexcept;

  std::size_t read(void* into, std::size_t size, std::error_code* error);
  /// False at the end. The line is without its end.
  bool read_until(char delimiter, std::string& into, std::error_code* error) {
    const std::uint32_t me = known_thread_id;
    if (me != 0 && (here().due.load(std::memory_order_relaxed) & runtime_over) == 0 && lock_.try_lock(me))
        [[likely]] {
      const unlocked_after held{lock_};
      if (const auto line = buffer_.find(delimiter); line.found) [[likely]] {
        into.assign(line.at, line.size);
        buffer_.consume(line.size + 1);
        if (error != nullptr && *error) error->clear();
        return true;
      }
    }
    return read_until_slowly(delimiter, into, error);
  }
  void close(std::error_code* error);

  const std::string& name() const noexcept { return name_; }
  int fd() const noexcept { return fd_.number(); }
  std::size_t buffered() const noexcept { return buffer_.size(); }

  void say(last_words_round&) noexcept override {}
  void before_fork() noexcept override;
  void begin_in_child() noexcept override;

private:
  struct unlocked_after {
    explicit unlocked_after(stream_lock& lock) noexcept : lock_{lock} {}
    ~unlocked_after() { lock_.unlock(); }
    unlocked_after(const unlocked_after&) = delete;
    unlocked_after& operator=(const unlocked_after&) = delete;
    stream_lock& lock_;
  };

  bool read_until_slowly(char delimiter, std::string& into, std::error_code* error);
  template <class Step>
  bool run(Step step, const char* what, std::error_code* error);
  void refuse(std::error_code* error, std::error_code why, const char* what) const;

  stream_lock lock_;
  bool closed_ = false;
  read_buffer buffer_;
  const std::string name_;
  raw_fd fd_;
};

} // namespace lastcall::detail
