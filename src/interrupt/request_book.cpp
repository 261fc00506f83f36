// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/request_book.hpp"

#include <algorithm>

namespace lastcall::detail {

namespace {

constexpr std::size_t inbox_room = record_ring::capacity;
// One more for each signal: where equal ones are merged when the room is used up.
constexpr std::size_t inbox_limit = inbox_room + signal_limit;

request request_of(const arrival& what) noexcept {
  request made;
  made.cause = cause::signal;
  made.signal = what.signal;
  made.sender_pid = what.sender_pid;
  made.sender_uid = what.sender_uid;
  made.when = time_point{std::chrono::nanoseconds{what.when_ns}};
  return made;
}

} // namespace

request_book::request_book(std::size_t keep, ladder_policy policy, std::chrono::milliseconds window)
    : keep_{std::max<std::size_t>(keep, 1)}, policy_{policy}, window_{window} {
  history_.reserve(keep_);
  inbox_.reserve(inbox_limit);
}

std::vector<entry> request_book::make_batch() {
  std::vector<entry> batch;
  batch.reserve(inbox_limit);
  return batch;
}

void request_book::collect(custody& from) noexcept {
  const signal_bits stopping = from.stopping.load(std::memory_order_relaxed);
  const auto asks = [stopping](int signal) { return (stopping & bit_of(signal)) != 0; };
  arrival next;
  while (from.ring.pop(next)) enter({request_of(next), asks(next.signal), round_, next.delayed});

  const signal_bits handled = from.handled.load(std::memory_order_relaxed);
  for (int signal = 1; signal < signal_limit; ++signal) {
    auto& missed = from.unrecorded[static_cast<std::size_t>(signal)];
    if ((handled & bit_of(signal)) == 0 || missed.load(std::memory_order_relaxed) == 0) continue;
    request many;
    many.cause = cause::signal;
    many.signal = signal;
    many.count = missed.exchange(0, std::memory_order_acquire); // pairs with release in take_in
    many.when = clock::now();
    lost_ += many.count;
    queue({many, asks(signal), round_});
    if (asks(signal)) keep_in_history(many);
  }
}

void request_book::enter(const entry& what) noexcept {
  if (what.asks_to_stop && !keep_in_history(what.what)) ++lost_;
  if (what.asks_to_stop && what.delayed && delayed_.count++ == 0) delayed_.first = what.what;
  queue(what);
}

bool request_book::keep_in_history(const request& what) noexcept {
  if (history_.size() < keep_) {
    history_.push_back(what);
    return true;
  }
  if (acknowledged_ == 0) return false;
  --acknowledged_;
  history_[oldest_] = what;
  oldest_ = oldest_ + 1 == keep_ ? 0 : oldest_ + 1;
  return true;
}

std::vector<request> request_book::history_from(std::size_t index) const {
  std::vector<request> some;
  some.reserve(history_.size() - index);
  for (; const request* one = kept(index); ++index) some.push_back(*one);
  return some;
}

void request_book::queue(const entry& what) noexcept {
  if (inbox_.size() < inbox_room) {
    inbox_.push_back(what);
    return;
  }
  // The herald is far behind. An equal signal of the same round takes this one in, as the kernel does.
  const auto equal = std::find_if(inbox_.rbegin(), inbox_.rend(), [&](const entry& there) {
    return there.what.signal == what.what.signal && there.what.cause == what.what.cause;
  });
  if (equal != inbox_.rend()) {
    equal->what.count += what.what.count;
    equal->round = what.round;
  } else if (inbox_.size() < inbox_limit) {
    inbox_.push_back(what);
  }
}

void request_book::begin_telling() noexcept {
  for (entry& before : inbox_) before.came_first = before.asks_to_stop;
}

void request_book::tell_nobody() noexcept {
  std::erase_if(inbox_, [](const entry& one) { return one.asks_to_stop; });
}

void request_book::take_batch(std::vector<entry>& batch) noexcept {
  batch.clear();
  batch.swap(inbox_);
}

std::optional<ladder_step> ladder_position::climb(const request& what, ladder_policy policy,
                                                  duration window) noexcept {
  if (what.cause != cause::signal) {
    if (step != ladder_step::none) return std::nullopt;
    return step = ladder_step::request;
  }
  time_point& last = last_press[static_cast<std::size_t>(what.signal)];
  if (last != time_point::min() && what.when - last < window) return std::nullopt;
  last = what.when;
  const ladder_step next = next_step(step, policy);
  if (next == step) return std::nullopt;
  return step = next;
}

std::optional<ladder_step> request_book::climb(const entry& what) noexcept {
  if (!what.asks_to_stop || !is_current(what)) return std::nullopt;
  return ladder_.climb(what.what, policy_, window_);
}

ladder_step request_book::step_after(std::span<const entry> in_hand) const noexcept {
  ladder_position then = ladder_;
  for (const auto& some : {in_hand, std::span<const entry>{inbox_}})
    for (const entry& what : some)
      if (what.asks_to_stop && is_current(what)) then.climb(what.what, policy_, window_);
  return then.step;
}

const request* request_book::kept(std::size_t index) const noexcept {
  if (index >= history_.size()) return nullptr;
  const std::size_t place = oldest_ + index;
  return &history_[place < history_.size() ? place : place - history_.size()];
}

void request_book::acknowledge() noexcept {
  acknowledged_ = history_.size();
  delayed_ = {};
  ladder_ = {};
  ++round_;
}

} // namespace lastcall::detail
