// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/number_writer.hpp"

#include <lastcall/wait/deadline.hpp>

#include "interrupt/custody.hpp"
#include "sys/calls.hpp"
#include "sys/failure.hpp"
#include "sys/number_descriptor.hpp"

#include <cerrno>
#include <stdexcept>
#include <string>
#include <utility>

namespace lastcall::detail {

number_writer::number_writer(int fd, broken_function on_broken)
    : process_{sys::this_incarnation()}, on_broken_{std::move(on_broken)} {
  const auto refuse = [fd](const char* why) {
    throw std::invalid_argument{"forward_numbers: descriptor " + std::to_string(fd) + ' ' + why};
  };
  sys::descriptor_kind kind;
  if (const int error = sys::look_at_descriptor(fd, kind); error < 0)
    sys::throw_failure(sys::call::fcntl, -error,
                       ("forward_numbers: descriptor " + std::to_string(fd)).c_str());
  if (!kind.writable) refuse("is not open for writing");
  if (!kind.socket && !kind.pipe) refuse("is neither a pipe nor a socket");
  if (!kind.non_blocking) refuse("is blocking: a signal handler must not wait; set O_NONBLOCK");
  socket_ = kind.socket;
  fd_ = sys::duplicate_descriptor(fd);
  if (fd_ < 0) sys::throw_failure(sys::call::fcntl, -fd_, "forward_numbers: a duplicate for the handler");
}

number_writer::~number_writer() {
  if (fd_ >= 0) sys::close_descriptor(fd_);
}

void number_writer::begin() noexcept {
  the_custody.numbers.store(this, std::memory_order_seq_cst); // pairs with the loads in feed_number
}

void number_writer::end() noexcept {
  if (ended_.exchange(true, std::memory_order_relaxed)) return;
  number_writer* self = this;
  // Sequentially consistent, as are `feeding` and the second load in feed_number: either the handler
  // finds no writer, or this finds the handler.
  the_custody.numbers.compare_exchange_strong(self, nullptr, std::memory_order_seq_cst);
  if (process_ == sys::this_incarnation()) {
    const auto until = deadline::after(std::chrono::seconds{1});
    while (the_custody.feeding.load(std::memory_order_seq_cst) != 0) {
      if (until.expired()) {
        kept_alive_ = shared_from_this();
        return;
      }
      sys::yield();
    }
  }
  sys::close_descriptor(std::exchange(fd_, -1));
}

void number_writer::write(int signal) noexcept {
  if (broken() == 0) {
    const auto byte = static_cast<unsigned char>(signal);
    const int result = socket_ ? sys::write_byte_to_socket(fd_, byte) : sys::write_byte_to_pipe(fd_, byte);
    if (result >= 0) return;
    if (result != -EAGAIN && result != -EINTR && result != -ENOBUFS) {
      int none = 0;
      broken_.compare_exchange_strong(none, -result, std::memory_order_relaxed); // the first one counts
    }
  }
  unwritten_.fetch_add(1, std::memory_order_relaxed);
}

bool number_writer::take_report() noexcept { return broken() != 0 && !std::exchange(reported_, true); }

void number_writer::report() const {
  if (on_broken_) on_broken_({broken(), std::system_category()});
}

void feed_number(int signal) noexcept {
  custody& all = the_custody;
  // Relaxed: without a feed nothing is paid. With one, `feeding` is counted up first, and the pointer looked
  // at again: pairs with `end`.
  if (all.numbers.load(std::memory_order_relaxed) == nullptr) return;
  all.feeding.fetch_add(1, std::memory_order_seq_cst);
  if (number_writer* to = all.numbers.load(std::memory_order_seq_cst)) to->write(signal);
  all.feeding.fetch_sub(1, std::memory_order_release); // pairs with the load in `end`
}

} // namespace lastcall::detail
