// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/process/byte_buffer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <signal.h>

/// What passes between a manager and a worker: frames, each a head of 32 bytes and a body.
///
/// Both are the same program on the same machine, so numbers are as the processor has them. What can go wrong
/// all the same is a worker that has run wild, or one of an older build that was started by exec: so a head
/// has a mark, a version and a length that is held against a limit before memory is taken for it.
namespace lastcall::detail {

enum class frame_kind : std::uint16_t {
  // to the worker
  construct = 1, ///< body: the constructor's arguments
  call,          ///< body: the method's arguments
  stop,          ///< no body
  // from the worker
  bootstrapped = 16, ///< it runs, under the watch of its lifeline
  started,           ///< its object is made
  start_failed,      ///< body: the error's text; of one that has started: why it ends
  result,            ///< body: what the method has returned
  failure,           ///< body: the text of what it has thrown
  cut,               ///< the call was ended by a request to the worker
};

enum class frame_fault : std::uint8_t {
  none,
  cut_short,     ///< the end came in the middle of it
  wrong_mark,    ///< no frame at all
  wrong_version, ///< of another build
  unknown_kind,
  too_long,
  no_memory,
  broken ///< the socket failed
};
std::string_view name_of(frame_fault what) noexcept;

struct frame_head {
  static constexpr std::uint32_t the_mark = 0x6c61'7374; // "last"
  static constexpr std::uint16_t the_version = 1;
  std::uint32_t mark = the_mark;
  std::uint16_t version = the_version;
  frame_kind kind{};
  std::uint64_t id = 0;     ///< of the call
  std::uint64_t method = 0; ///< its address, counted from where its program or library lies
  std::uint64_t size = 0;   ///< of the body, in bytes
};
static_assert(sizeof(frame_head) == 32);

/// What is wrong with a head.
frame_fault fault_of(const frame_head& head, std::uint64_t limit) noexcept;

/// Frames out of a stream of bytes that comes in pieces.
class frame_inbox {
public:
  explicit frame_inbox(std::uint64_t limit) noexcept : limit_{limit} {}

  enum class progress : std::uint8_t { more, whole, end, fault };
  /// Where the next bytes go; never empty unless there is a frame or a fault.
  std::span<std::byte> room() noexcept;
  /// So many have come; 0: the stream has ended.
  progress came(std::size_t bytes) noexcept;
  /// Looks for a further frame among what has come already.
  progress next() noexcept;

  const frame_head& head() const noexcept { return head_; }
  byte_buffer& body() noexcept { return body_; }
  frame_fault fault() const noexcept { return fault_; }
  /// For a new stream.
  void begin_anew() noexcept;

private:
  progress look() noexcept;

  static constexpr std::size_t stage_size = 4096;
  std::uint64_t limit_;
  std::array<std::byte, stage_size> stage_;
  std::size_t from_ = 0, to_ = 0; // in the stage, not used yet
  bool have_head_ = false;
  frame_head head_{};
  byte_buffer body_;
  std::size_t filled_ = 0; // of the body
  frame_fault fault_ = frame_fault::none;
};

/// What a worker says on its lifeline, one packet each; and what it is told there.
struct life_note {
  enum class what : std::uint32_t { stop = 1, request };
  what kind = what::stop;
  int signal = 0;
  pid_t sender = 0;
  std::uint32_t user = 0;
};

} // namespace lastcall::detail
