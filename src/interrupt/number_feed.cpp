// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/number_feed.hpp>

#include "interrupt/number_writer.hpp"
#include "interrupt/signal_core.hpp"

#include <stdexcept>

namespace lastcall {

number_feed& number_feed::operator=(number_feed&& other) noexcept {
  if (this != &other) {
    reset();
    writer_ = std::move(other.writer_);
  }
  return *this;
}

number_feed::~number_feed() { reset(); }

void number_feed::reset() noexcept {
  if (writer_ != nullptr) writer_->end();
}

std::uint64_t number_feed::unwritten() const noexcept {
  return writer_ != nullptr ? writer_->unwritten() : 0;
}

std::error_code number_feed::broken() const noexcept {
  return {writer_ != nullptr ? writer_->broken() : 0, std::system_category()};
}

namespace detail {

number_feed signal_core::forward(int fd, std::function<void(std::error_code)> on_broken) {
  auto made = std::make_shared<number_writer>(fd, std::move(on_broken));
  const std::scoped_lock guard{lock_};
  if (owner_ == nullptr) throw std::logic_error{"forward_numbers: the signal_scope is closed"};
  if (feed_ != nullptr && !feed_->ended())
    throw std::logic_error{"forward_numbers: numbers go to another descriptor already"};
  feed_ = made;
  feed_->begin();
  admit_audience(); // a descriptor that breaks is told by the herald
  return number_feed{std::move(made)};
}

// On the herald.
void signal_core::report_feed() noexcept {
  std::shared_ptr<number_writer> feed;
  {
    const std::scoped_lock guard{lock_};
    feed = feed_;
  }
  if (feed == nullptr || !feed->take_report()) return;
  try {
    note(event_kind::failure, "forward_numbers",
         std::error_code{feed->broken(), std::system_category()}.message());
    feed->report();
  } catch (...) {
    contained("forward_numbers");
  }
}

void signal_core::end_feed() noexcept {
  std::shared_ptr<number_writer> feed;
  {
    const std::scoped_lock guard{lock_};
    feed.swap(feed_);
  }
  if (feed != nullptr) feed->end();
}

} // namespace detail

} // namespace lastcall
