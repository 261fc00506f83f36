// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/last_words.hpp"

#include "runtime/exit_hooks.hpp"
#include "wait/lock_around_waits.hpp"

#include <atomic>
#include <mutex>
#include <type_traits>
#include <utility>

namespace lastcall::detail {

struct last_words_list {
  std::mutex lock;
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
  void remove(last_words& one) noexcept {
    const wait::lock_set_aside aside;
    const std::scoped_lock guard{lock};
    if (one.older_ != nullptr) one.older_->newer_ = one.newer_;
    (one.newer_ != nullptr ? one.newer_->older_ : newest) = one.older_;
  }
};

namespace {

constinit last_words_list the_list{}; // trivially destructible, as std::mutex is: never gone
constinit std::atomic<bool> through{false};
constinit std::atomic<std::uint64_t> lost_bytes{0};
constinit std::atomic<bool> lost{false};

} // namespace

static_assert(std::is_trivially_destructible_v<last_words_list>);

void last_words::enlist() noexcept {
  install_exit_hooks();
  prepare_runtime_for_fork(); // where it is refused, a child writes what it has inherited once more
  the_list.add(*this);
  listed_ = true;
}
void last_words::strike_off() noexcept {
  if (std::exchange(listed_, false)) the_list.remove(*this);
}

void last_words_round::note(stream_end what) noexcept {
  ++noted_;
  note_lost_output(what.lost + what.uncertain);
  if (into_ == nullptr) return;
  try {
    into_->streams.push_back(std::move(what));
  } catch (...) { // counted, at least
  }
}

void say_last_words(last_words_round& round) noexcept {
  const std::scoped_lock guard{the_list.lock};
  the_list.each([&round](last_words& one) { one.say(round); });
}

// Relaxed: the locks of the streams order it.
bool write_through() noexcept { return through.load(std::memory_order_relaxed); }
void set_write_through(bool on) noexcept { through.store(on, std::memory_order_relaxed); }

// Relaxed: counters, looked at once all is over.
void note_lost_output(std::size_t bytes) noexcept {
  lost_bytes.fetch_add(bytes, std::memory_order_relaxed);
  lost.store(true, std::memory_order_relaxed);
}
void forget_lost_output() noexcept { lost.store(false, std::memory_order_relaxed); }
bool output_was_lost() noexcept { return lost.load(std::memory_order_relaxed); }

void last_words_before_fork() noexcept {
  the_list.lock.lock();
  the_list.each([](last_words& one) { one.before_fork(); });
}
void last_words_in_parent() noexcept {
  the_list.each([](last_words& one) { one.after_fork(); });
  the_list.lock.unlock();
}
void last_words_in_child() noexcept {
  lost.store(false, std::memory_order_relaxed);
  the_list.each([](last_words& one) { one.begin_in_child(); });
  the_list.lock.unlock();
}

} // namespace lastcall::detail
