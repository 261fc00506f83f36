// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/put_off_calls.hpp"

#include <lastcall/interrupt/thread_word.hpp>

#include "interrupt/dispositions.hpp"
#include "interrupt/found_call.hpp"
#include "interrupt/shield_end.hpp"
#include "sys/calls.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

namespace lastcall::detail {

namespace {

// A call is written and read by one thread, by handlers on it and by the end of its shield; others only pass
// it by. So `whose` is claimed and given up across threads, and the rest needs no ordering but against
// handlers.
struct put_off {
  std::atomic<const thread_word*> whose{nullptr};
  std::atomic<std::uint64_t> number{0}; // 0: not written yet
  int signal = 0;
  pid_t process = 0;
  bool has_info = false;
  siginfo_t info{};
  struct ::sigaction found {};
};

constinit std::array<put_off, 64> calls{};
constinit std::atomic<std::uint64_t> numbers{0};

bool is_mine(const put_off& call) noexcept {
  return call.whose.load(std::memory_order_relaxed) == &here() && // a claim of this thread, or none
         call.number.load(std::memory_order_relaxed) != 0;
}

put_off* first_of_mine() noexcept {
  put_off* first = nullptr;
  for (put_off& call : calls)
    if (is_mine(call) && (first == nullptr || call.number.load(std::memory_order_relaxed) <
                                                  first->number.load(std::memory_order_relaxed)))
      first = &call;
  std::atomic_signal_fence(std::memory_order_acquire); // pairs with the fence in put_off_call
  return first;
}

bool waits_already(int signal) noexcept {
  if (signal >= SIGRTMIN) return false; // those queue
  for (const put_off& call : calls)
    if (is_mine(call) && call.signal == signal) return true;
  return false;
}

put_off* claim() noexcept {
  for (put_off& call : calls) {
    const thread_word* nobody = nullptr;
    // Acquire pairs with the release in give_up: who had it before has read it.
    if (call.whose.compare_exchange_strong(nobody, &here(), std::memory_order_acquire)) return &call;
  }
  return nullptr;
}

void give_up(put_off& call) noexcept {
  call.number.store(0, std::memory_order_relaxed);
  call.whose.store(nullptr, std::memory_order_release); // pairs with the acquire in claim
}

} // namespace

bool put_off_call(const struct ::sigaction& found, int signal, const siginfo_t* info) noexcept {
  if (!here().shielded()) return false;
  if (waits_already(signal)) return put_off_to_shield_end();
  put_off* call = claim();
  if (call == nullptr) return false;
  call->signal = signal;
  call->process = sys::getpid();
  call->has_info = info != nullptr;
  if (info != nullptr) call->info = *info;
  call->found = found;
  std::atomic_signal_fence(std::memory_order_release); // pairs with the fence in first_of_mine
  call->number.store(numbers.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (put_off_to_shield_end()) return true;
  give_up(*call);
  return false;
}

void make_put_off_calls() noexcept {
  const int error = errno;
  while (put_off* next = first_of_mine()) {
    const int signal = next->signal;
    const bool mine = next->process == sys::getpid(); // a forked child's shield ends, too
    const bool has_info = next->has_info;
    siginfo_t info = next->info;
    const struct ::sigaction found = next->found;
    give_up(*next);
    // It may jump away: then the next shield's end makes the rest.
    if (first_of_mine() != nullptr) here().at_end.fetch_or(action_put_off, std::memory_order_relaxed);
    if (mine) call_found(found, signal, has_info ? &info : nullptr, nullptr);
  }
  errno = error;
}

void forget_put_off_calls() noexcept {
  for (put_off& call : calls) give_up(call);
}

} // namespace lastcall::detail
