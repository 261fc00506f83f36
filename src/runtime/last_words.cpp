// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/last_words.hpp"

#include <lastcall/trace/inline_text.hpp>

#include "runtime/bounded_lock.hpp"
#include "runtime/exit_hooks.hpp"
#include "wait/lock_around_waits.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>

namespace lastcall::detail {

struct last_words_list {
  bounded_lock lock;
  last_words* newest = nullptr;

  template <class Fn>
  void each(Fn fn) noexcept {
    for (last_words* one = newest; one != nullptr; one = one->older_) fn(*one);
  }
  void add(last_words& one) noexcept {
    const wait::lock_set_aside aside; // a round may hold the lock for long
    const std::scoped_lock guard{lock};
    one.older_ = newest;
    if (newest != nullptr) newest->newer_ = &one;
    newest = &one;
  }
  bool remove(last_words& one, const hurried_deadline& until) noexcept {
    const wait::lock_set_aside aside;
    if (!lock.lock_until(until)) return false;
    if (one.older_ != nullptr) one.older_->newer_ = one.newer_;
    (one.newer_ != nullptr ? one.newer_->older_ : newest) = one.older_;
    lock.unlock();
    return true;
  }
};

namespace {

// What was lost outside of rounds since a runtime began, for its report. The lock is kept for a few
// instructions.
struct losses {
  bounded_lock lock;
  std::size_t streams = 0;
  inline_text<56> first{};
  inline_text<56> holder{};
  std::uint64_t written = 0;
  std::uint64_t lost = 0;
  std::uint64_t uncertain = 0;
  int error = 0;
};

constexpr duration last_moment = std::chrono::milliseconds{100};

// Trivially destructible: never gone.
constinit last_words_list the_list{};
constinit losses outside{};
constinit std::atomic<bool> through{false};
constinit std::atomic<bool> lost{false};

// Of the runtime that has begun last; before the first, as its options have them where nothing is said.
constinit std::atomic<std::int64_t> budget_ns{10'000'000'000};
constinit std::atomic<std::int64_t> grace_ns{1'000'000'000};
constinit std::atomic<const std::atomic<std::int64_t>*> hurried_word{nullptr};

} // namespace

static_assert(std::is_trivially_destructible_v<last_words_list> && std::is_trivially_destructible_v<losses>);

void last_words::enlist() noexcept {
  install_exit_hooks();
  prepare_runtime_for_fork(); // where it is refused, a child writes what it has inherited once more
  the_list.add(*this);
  listed_ = true;
}
bool last_words::strike_off(const hurried_deadline& until) noexcept {
  if (listed_ && !the_list.remove(*this, until)) return false;
  listed_ = false;
  return true;
}

void last_words::keep_for_ever() noexcept {
  static constinit std::atomic<last_words*> newest{nullptr};
  older_ = newest.exchange(this, std::memory_order_relaxed); // nobody goes along it
}

void last_words_round::note(stream_end what) noexcept {
  note_lost_output();
  if (into_ == nullptr) return;
  try {
    into_->streams.push_back(std::move(what));
  } catch (...) { // counted, at least
  }
}

void last_words_round::note_what_was_lost_outside() noexcept {
  try {
    stream_end what;
    const std::scoped_lock guard{outside.lock};
    if (outside.streams == 0 || into_ == nullptr) return;
    what.name = outside.first.view();
    if (outside.streams > 1) what.name += " and " + std::to_string(outside.streams - 1) + " more";
    what.holder = outside.holder.view();
    what.written = outside.written;
    what.lost = outside.lost;
    what.uncertain = outside.uncertain;
    what.error = {outside.error, std::system_category()};
    into_->streams.push_back(std::move(what));
    outside.streams = 0;
  } catch (...) { // the exit status says so
  }
}

bool say_last_words(last_words_round& round) noexcept {
  if (round.last) round.note_what_was_lost_outside();
  if (!the_list.lock.lock_until(round.until)) return false;
  the_list.each([&round](last_words& one) { one.say(round); });
  the_list.lock.unlock();
  return true;
}

bool lists_last_words() noexcept { return the_list.lock.is_locked(); }
bool awaits_last_words() noexcept { return the_list.lock.is_awaited(); }

// Relaxed: the locks of the streams order it.
bool write_through() noexcept { return through.load(std::memory_order_relaxed); }
void set_write_through(bool on) noexcept {
  if (on) hurried_word.store(nullptr, std::memory_order_relaxed);
  through.store(on, std::memory_order_relaxed);
}

void begin_last_words_of(const runtime_options& options, const std::atomic<std::int64_t>& hurried) noexcept {
  budget_ns.store(options.budget.count(), std::memory_order_relaxed);
  grace_ns.store(options.stream_grace.count(), std::memory_order_relaxed);
  {
    const std::scoped_lock guard{outside.lock};
    outside.streams = 0;
  }
  set_write_through(false);
  hurried_word.store(&hurried, std::memory_order_relaxed); // of what is never gone
}

last_words_round round_of_a_destructor() noexcept {
  const auto all = deadline::after(duration{budget_ns.load(std::memory_order_relaxed)});
  const duration grace{grace_ns.load(std::memory_order_relaxed)};
  const auto* const hurried = hurried_word.load(std::memory_order_relaxed);
  const hurried_deadline until =
      hurried == nullptr ? hurried_deadline{all}
                         : hurried_deadline{all, *hurried, duration::zero(), clock::now() + last_moment};
  return {until, grace, true, stuck_stream::write_past, nullptr};
}

void note_lost_output(const lost_bytes& what) noexcept {
  note_lost_output();
  const std::scoped_lock guard{outside.lock};
  if (outside.streams++ == 0) {
    outside.first = what.stream;
    outside.holder = what.holder;
    outside.error = what.error;
    outside.written = outside.lost = outside.uncertain = 0;
  }
  outside.written += what.written;
  outside.lost += what.lost;
  outside.uncertain += what.uncertain;
}

// Relaxed: looked at once all is over.
void note_lost_output() noexcept { lost.store(true, std::memory_order_relaxed); }
void forget_lost_output() noexcept { lost.store(false, std::memory_order_relaxed); }
bool output_was_lost() noexcept { return lost.load(std::memory_order_relaxed); }

void last_words_before_fork() noexcept {
  the_list.lock.lock();
  outside.lock.lock();
  the_list.each([](last_words& one) { one.before_fork(); });
}
void last_words_in_parent() noexcept {
  the_list.each([](last_words& one) { one.after_fork(); });
  outside.lock.unlock();
  the_list.lock.unlock();
}
void last_words_in_child() noexcept {
  lost.store(false, std::memory_order_relaxed);
  the_list.each([](last_words& one) { one.begin_in_child(); });
  outside.streams = 0;
  outside.lock.unlock();
  the_list.lock.unlock();
}

} // namespace lastcall::detail
