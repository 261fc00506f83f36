// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/module_state.hpp>

#include <lastcall/wait/deadline.hpp>

#include "runtime/runtime_core.hpp"
#include "runtime/state_list.hpp"
#include "runtime/touch.hpp"

#include <system_error>

// A thread may be late: its runtime ends while it constructs an object, or while it is on its way to one.
// What it made must not be taken for the next runtime's, what that has made must not be had by the late
// thread, and neither may wait for the other.
//
// So nobody constructs under a lock. Who does so says for which generation, and a maker for an older one is
// passed over. The object is published under the list's lock and only while the list is open to that
// generation; otherwise its maker destroys it. And `get` looks whether its thread's runtime is over after it
// has read, not before: a runtime is over for its threads before the next begins.
namespace lastcall::detail {

namespace {

/// While this thread makes an object. The others wait for the end of it.
class making {
public:
  making(std::atomic<std::uint32_t>& word, std::uint32_t mine) noexcept : word_{word}, mine_{mine} {}
  ~making() {
    std::uint32_t still = mine_;
    // Not where it was passed over. Release pairs with the acquire in enter.
    if (word_.compare_exchange_strong(still, 0, std::memory_order_release)) the_core().changed().ring();
  }
  making(const making&) = delete;
  making& operator=(const making&) = delete;

private:
  std::atomic<std::uint32_t>& word_;
  const std::uint32_t mine_;
};

} // namespace

std::uint64_t live_generation() noexcept { return the_core().live_generation(); }
void touch_state() { touch(); }
void refuse_state() { throw std::system_error{the_core().refusal()}; }

void state_node::enter(void* (*make)()) {
  for (;;) {
    const std::uint64_t now = the_core().live_generation();
    touch(); // after the look: see above
    if (now == 0) refuse_state();
    if (generation_.load(std::memory_order_acquire) == now) return; // pairs with the release in publish
    const auto mine = static_cast<std::uint32_t>(now);
    std::uint32_t seen = making_.load(std::memory_order_acquire); // pairs with the release in ~making
    if (seen == mine) {
      // Or until the end: its maker may be parked.
      the_core().changed().wait_until(deadline::never(), [&] {
        return making_.load(std::memory_order_acquire) != mine || the_core().live_generation() != now;
      });
      continue;
    }
    if (!making_.compare_exchange_strong(seen, mine, std::memory_order_acquire)) continue;
    const making this_one{making_, mine};
    if (generation_.load(std::memory_order_acquire) == now) return; // by another thread, just now
    the_core().want_hand();                                         // for its end
    void* const object = make();
    if (the_core().states().publish(*this, object, now)) return;
    destroy(object); // nobody has seen it
    touch();
    refuse_state();
  }
}

void state_list::open(std::uint64_t generation) noexcept {
  const std::scoped_lock guard{lock_};
  open_to_ = generation;
}

bool state_list::publish(state_node& one, void* object, std::uint64_t generation) noexcept {
  const std::scoped_lock guard{lock_};
  if (open_to_ != generation) return false;
  one.older_ = newest_;
  newest_ = &one;
  one.object_.store(object, std::memory_order_release);
  one.generation_.store(generation, std::memory_order_release); // pair with the acquires in get
  return true;
}

state_list::taken state_list::take_newest() noexcept {
  const std::scoped_lock guard{lock_};
  state_node* const one = newest_;
  if (one == nullptr) {
    open_to_ = 0;
    return {nullptr, nullptr};
  }
  newest_ = one->older_;
  one->generation_.store(0, std::memory_order_relaxed); // the object says more
  return {one, one->object_.exchange(nullptr, std::memory_order_release)};
}

bool state_list::empty() noexcept {
  const std::scoped_lock guard{lock_};
  return newest_ == nullptr;
}

bool state_list::clear_newest() {
  const taken one = take_newest();
  if (one.node != nullptr) one.node->destroy(one.object);
  return one.node != nullptr;
}

std::size_t state_list::leak_all() noexcept {
  std::size_t count = 0;
  while (take_newest().node != nullptr) ++count;
  return count;
}

} // namespace lastcall::detail
