// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stream/buffered_writer.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace lastcall {

/// A record that is put together from pieces and given to a writer in one call: nobody else's bytes come
/// between them.
///
///     lastcall::record line{lastcall::out()};
///     fmt::format_to(std::back_inserter(line), "{} of {} done\n", done, all);     // or std::format_to
///     line.send();
///
/// It is a container of characters for std::back_inserter and what takes an output iterator.
///
/// Threads: an object belongs to one; the writer to any number.
/// Errors: `send` throws as `buffered_writer::write` does. What has not been sent is sent by the destructor,
///   whose errors stay with the writer; no request ends it, but it waits no longer than a writer's would, and
///   what was not accepted then is lost, and said.
class record {
public:
  using value_type = char;

  explicit record(buffered_writer& to) noexcept : to_{to} {}
  ~record();
  record(const record&) = delete;
  record& operator=(const record&) = delete;

  /// Throws std::bad_alloc, for records longer than a few lines.
  void push_back(char byte) {
    if (size_ < few_.size() && more_.empty()) [[likely]]
      few_[size_++] = byte;
    else
      append({&byte, 1});
  }
  record& append(std::string_view piece);
  std::size_t size() const noexcept { return size_ + more_.size(); }

  /// Sends what is in it: how many bytes were accepted. Those stay in it that were not.
  std::size_t send();
  /// Forgets what is in it.
  void clear() noexcept;

private:
  std::string_view text();

  buffered_writer& to_;
  std::size_t size_ = 0;
  std::array<char, 512> few_;
  std::string more_; ///< what comes behind them, once they are full
};

} // namespace lastcall
