// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/fork.hpp"

#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/thread_word.hpp>
#include <lastcall/wait/deadline.hpp>

#include "interrupt/custody.hpp"
#include "interrupt/put_off_calls.hpp"
#include "sys/calls.hpp"
#include "sys/incarnation.hpp"
#include "sys/process_hooks.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace lastcall::detail {

namespace {

// A signal that is kept.
struct kept_signal {
  enum state : std::uint32_t { none, being_written, there };
  std::atomic<std::uint32_t> state{none};
  bool has_info = false;
  siginfo_t info{};
};

// The stretch of a child under a shield of its parent's.
struct child_stretch {
  std::atomic<in_child> meaning{in_child::reset};
  std::atomic<pid_t> pid{0}; // the child's: a child of it that shares its memory is none of ours
  std::atomic<sys::incarnation> process{0};
  std::atomic<const listed_shield*> until{nullptr};
  std::atomic<std::uint32_t> inside{0}; // handlers that keep one now
  std::array<kept_signal, signal_limit> kept{};
};

constinit child_stretch the_stretch{};

bool is_in_stretch() noexcept {
  return the_stretch.pid.load(std::memory_order_relaxed) == sys::getpid() &&
         the_stretch.process.load(std::memory_order_relaxed) == sys::this_incarnation();
}

void keep(int signal, const siginfo_t* info) noexcept {
  kept_signal& one = the_stretch.kept[static_cast<std::size_t>(signal)];
  std::uint32_t none = kept_signal::none;
  // Relaxed: whoever claims it is alone with it until `there`.
  if (!one.state.compare_exchange_strong(none, kept_signal::being_written, std::memory_order_relaxed)) return;
  one.has_info = info != nullptr;
  if (info != nullptr) one.info = *info;
  one.state.store(kept_signal::there, std::memory_order_release); // pairs with the acquire in raise_kept
}

void raise_kept(int signal) noexcept {
  kept_signal& one = the_stretch.kept[static_cast<std::size_t>(signal)];
  if (one.state.load(std::memory_order_acquire) != kept_signal::there)
    return; // pairs with the release in keep
  one.state.store(kept_signal::none, std::memory_order_relaxed);
  // Refused, it comes again without its siginfo.
  if (!one.has_info || sys::requeue_to_self(signal, one.info) < 0) sys::tgkill_self(signal);
}

// One thread, and no handler but those it stands in: everything relaxed.
void begin_stretch(const listed_shield& until) noexcept {
  the_stretch.meaning.store(until.options.forked, std::memory_order_relaxed);
  the_stretch.pid.store(sys::getpid(), std::memory_order_relaxed);
  the_stretch.process.store(sys::this_incarnation(), std::memory_order_relaxed);
  the_stretch.until.store(&until, std::memory_order_relaxed);
}

void reset_shields(thread_word& me) noexcept {
  const std::uint32_t up = me.shields.load(std::memory_order_relaxed);
  me.run_out.store(up, std::memory_order_relaxed);
  for (listed_shield* one = me.listed; one != nullptr; one = one->outer) one->ran_out = true;
  if (up != 0) me.at_end.store(of_parent, std::memory_order_relaxed);
}

void clean_child() noexcept {
  sys::begin_incarnation();
  custody& all = the_custody;
  all.wakeup.store(-1, std::memory_order_relaxed); // the parent's, as are the words
  all.owner_due.store(nullptr, std::memory_order_relaxed);
  all.owner_seat.store(nullptr, std::memory_order_relaxed);
  all.owner.store(nullptr, std::memory_order_relaxed);
  the_stretch.meaning.store(in_child::reset, std::memory_order_relaxed);
  the_stretch.inside.store(0, std::memory_order_relaxed);
  for (kept_signal& one : the_stretch.kept) one.state.store(kept_signal::none, std::memory_order_relaxed);
  forget_put_off_calls();

  thread_word& me = here();
  me.due.store(0, std::memory_order_relaxed);
  me.at_end.store(0, std::memory_order_relaxed);
  const listed_shield* outermost = nullptr;
  for (const listed_shield* one = me.listed; one != nullptr; one = one->outer)
    if (one->options.forked != in_child::reset) outermost = one;
  if (outermost != nullptr)
    begin_stretch(*outermost);
  else
    reset_shields(me);
}

} // namespace

int prepare_for_fork() noexcept {
  static constinit std::atomic<bool> registered{false};
  sys::prepare_incarnation();
  // Relaxed: twice is harmless.
  if (registered.load(std::memory_order_relaxed)) return 0;
  const int error = sys::at_fork(nullptr, nullptr, [] { clean_child(); });
  if (error == 0) registered.store(true, std::memory_order_relaxed);
  return error;
}

bool is_kept_in_child(int signal, const siginfo_t* info) noexcept {
  if (!is_in_stretch()) return false;
  // Sequentially consistent, as are the store and the load in leave_child_stretch: either this handler sees
  // the stretch over, or its end waits for this handler.
  the_stretch.inside.fetch_add(1, std::memory_order_seq_cst);
  const in_child meaning = the_stretch.meaning.load(std::memory_order_seq_cst);
  if (meaning == in_child::inherit) keep(signal, info);
  the_stretch.inside.fetch_sub(1, std::memory_order_release); // pairs with the load there
  return meaning != in_child::reset;
}

void leave_child_stretch(const listed_shield& what) noexcept {
  if (the_stretch.until.load(std::memory_order_relaxed) != &what || !is_in_stretch()) return;
  the_stretch.until.store(nullptr, std::memory_order_relaxed);
  the_stretch.meaning.store(in_child::reset, std::memory_order_seq_cst);
  // A handler that keeps one is a few instructions; its thread may have been preempted in the middle.
  const deadline until = deadline::after(std::chrono::seconds{1});
  while (the_stretch.inside.load(std::memory_order_seq_cst) != 0 && !until.expired()) sys::yield();
  for (int signal = 1; signal < signal_limit; ++signal) raise_kept(signal);
}

} // namespace lastcall::detail
