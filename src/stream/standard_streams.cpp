// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/stream/standard_streams.hpp>

#include <lastcall/runtime/immortal.hpp>

#include "wait/lock_around_waits.hpp"

#include <atomic>

// A static is constructed under a lock of the compiler's, for which others wait as they are, with the big
// lock if they have it; and a stream's construction gives the big lock up, to have it back before it goes on.
// So it is given up around all of that.
namespace lastcall {

namespace {

/// Returns `stream`, made by `construct` at the first use. Constant-initialized, never destroyed.
template <class Stream>
Stream& first_made(std::atomic<Stream*>& stream, Stream& (*construct)()) {
  if (Stream* const made = stream.load(std::memory_order_acquire))
    return *made; // pairs with the release below
  wait::lock_set_aside aside;
  Stream& made = construct();
  stream.store(&made, std::memory_order_release);
  aside.take_back();
  return made;
}

} // namespace

buffered_writer& out() {
  static constinit std::atomic<buffered_writer*> stream{nullptr};
  return first_made(
      stream, +[]() -> buffered_writer& {
        static immortal<buffered_writer> it{raw_fd::borrow(1), stream_options{.name = "standard output"}};
        return *it;
      });
}

buffered_writer& err() {
  static constinit std::atomic<buffered_writer*> stream{nullptr};
  return first_made(
      stream, +[]() -> buffered_writer& {
        static immortal<buffered_writer> it{
            raw_fd::borrow(2), stream_options{.name = "standard error", .flush = flush_mode::line}};
        return *it;
      });
}

buffered_reader& in() {
  static constinit std::atomic<buffered_reader*> stream{nullptr};
  return first_made(
      stream, +[]() -> buffered_reader& {
        static immortal<buffered_reader> it{raw_fd::borrow(0), stream_options{.name = "standard input"}};
        return *it;
      });
}

} // namespace lastcall
