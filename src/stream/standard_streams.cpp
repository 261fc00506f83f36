// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/stream/standard_streams.hpp>

#include "wait/lock_around_waits.hpp"

#include <atomic>
#include <memory>

// A static of a function is constructed under a lock of the compiler's, and a stream is enlisted under one
// that a fork holds. A thread that waits for the second one has the first; in the child nobody has it, and it
// is taken for ever. So there is no such static here: whoever comes first makes a stream, and of several that
// come at once one stays and the others, which nobody has seen, are destroyed again.
//
// A stream's construction gives the big lock up while it waits, to have it back before it goes on, which may
// end the thread. So it is given up around all of that.
namespace lastcall {

namespace {

/// Returns `stream`, made at the first use. Constant-initialized, never destroyed.
template <class Stream>
Stream& first_made(std::atomic<Stream*>& stream, int fd, const stream_options& options) {
  wait::lock_set_aside aside;
  auto mine = std::make_unique<Stream>(raw_fd::borrow(fd), options);
  Stream* made = nullptr;
  // Release: what was constructed; acquire pairs with the release of whoever was quicker.
  if (stream.compare_exchange_strong(made, mine.get(), std::memory_order_acq_rel)) made = mine.release();
  mine.reset();
  aside.take_back();
  return *made;
}

constinit std::atomic<buffered_writer*> the_output{nullptr}, the_errors{nullptr};
constinit std::atomic<buffered_reader*> the_input{nullptr};

} // namespace

// Acquire pairs with the release in first_made.
buffered_writer& out() {
  if (auto* const made = the_output.load(std::memory_order_acquire)) return *made;
  return first_made(the_output, 1, {.name = "standard output"});
}

buffered_writer& err() {
  if (auto* const made = the_errors.load(std::memory_order_acquire)) return *made;
  return first_made(the_errors, 2, {.name = "standard error", .flush = flush_mode::line});
}

buffered_reader& in() {
  if (auto* const made = the_input.load(std::memory_order_acquire)) return *made;
  return first_made(the_input, 0, {.name = "standard input"});
}

} // namespace lastcall
