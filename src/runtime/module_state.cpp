// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/module_state.hpp>

#include <lastcall/wait/deadline.hpp>

#include "runtime/exempt.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/state_list.hpp"
#include "runtime/touch.hpp"

#include <system_error>

// A thread may be late: its runtime ends while it constructs an object, or while it is on its way to one.
// What it made must not be taken for the next runtime's, what that has made must not be had by the late
// thread, and neither may wait for the other.
//
// So nobody constructs under a lock. Who does so says for which generation, and a maker for an older one is
// passed over. All makers are in a list, for a forked child: it has one of them at most, and must not wait
// for the others. The object is published under the list's lock and only while the list is open to that
// generation; otherwise its maker destroys it. And `get` looks whether its thread's runtime is over after it
// has read, not before: a runtime is over for its threads before the next begins.
namespace lastcall::detail {

namespace {

/// While this thread makes an object, if `begun`. The others wait for the end of it.
class making {
public:
  making(state_node& node, std::uint32_t generation) noexcept
      : mine_{&node, generation, &my_part}, begun_{the_core().states().begin(mine_)} {}
  ~making() {
    if (begun_ && the_core().states().end(mine_)) the_core().changed().ring();
  }
  making(const making&) = delete;
  making& operator=(const making&) = delete;
  bool begun() const noexcept { return begun_; }

private:
  state_maker mine_;
  const bool begun_;
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
    const making this_one{*this, mine};
    if (!this_one.begun()) {
      // Or until the end: its maker may be parked.
      the_core().changed().wait_until(deadline::never(), [&] {
        // Pairs with the release in state_list::end.
        return making_.load(std::memory_order_acquire) != mine || the_core().live_generation() != now;
      });
      continue;
    }
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

bool state_list::begin(state_maker& mine) noexcept {
  const std::scoped_lock guard{lock_};
  if (mine.node->making_.load(std::memory_order_relaxed) == mine.of) return false;
  mine.node->making_.store(mine.of, std::memory_order_relaxed); // looked at again under the lock
  mine.older = makers_;
  if (makers_ != nullptr) makers_->newer = &mine;
  makers_ = &mine;
  return true;
}

bool state_list::end(state_maker& mine) noexcept {
  const std::scoped_lock guard{lock_};
  if (mine.older != nullptr) mine.older->newer = mine.newer;
  (mine.newer != nullptr ? mine.newer->older : makers_) = mine.older;
  if (mine.node->making_.load(std::memory_order_relaxed) != mine.of) return false;
  mine.node->making_.store(0, std::memory_order_release); // pairs with the acquire of who waits
  return true;
}

void state_list::in_child() noexcept {
  // The links of the parent's threads are on stacks that others will get.
  state_maker* kept = nullptr;
  for (state_maker* one = makers_; one != nullptr;) {
    state_maker* const older = one->older;
    if (one->thread == &my_part) {
      one->older = nullptr;
      one->newer = kept;
      if (kept != nullptr)
        kept->older = one;
      else
        makers_ = one;
      kept = one;
    } else if (one->node->making_.load(std::memory_order_relaxed) == one->of) {
      one->node->making_.store(0, std::memory_order_relaxed);
    }
    one = older;
  }
  if (kept == nullptr) makers_ = nullptr;
  lock_.unlock();
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
