// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <array>
#include <cstddef>

namespace lastcall::detail {

/// What comes into a loop from another thread and must come: it has the room with it that it takes in the
/// loop's queue. In there once at a time.
class message {
public:
  struct room {
    alignas(std::max_align_t) std::array<std::byte, 128> bytes;
  };

  message() = default;
  message(const message&) = delete;
  message& operator=(const message&) = delete;
  virtual ~message() = default;

  /// In the loop.
  virtual void arrive() noexcept = 0;
  room& its_room() noexcept { return room_; }

private:
  room room_;
};

} // namespace lastcall::detail
