// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/incarnation.hpp"

#include "sys/admit.hpp"
#include "sys/calls.hpp"

#include <atomic>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace lastcall::sys {

namespace {

using mark = std::atomic<incarnation>;

// All relaxed: the numbers publish nothing, and a child begins with one thread.
constinit std::atomic<mark*> the_mark{nullptr};
constinit std::atomic<incarnation> latest{0}; // copied to children, whose numbers go on from it
constinit std::atomic<pid_t> latest_pid{0};   // whose number that is, where there is no page

mark* make_mark() noexcept {
  if (admit(call::mmap) != 0) return nullptr;
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  if (admit(call::madvise) == 0 && ::madvise(page, size, MADV_WIPEONFORK) == 0)
    return ::new (page) mark{this_incarnation()};
  ::munmap(page, size);
  return nullptr;
}

incarnation by_process_id() noexcept {
  const pid_t self = sys::getpid();
  if (pid_t before = latest_pid.load(std::memory_order_relaxed);
      before != self && latest_pid.compare_exchange_strong(before, self, std::memory_order_relaxed))
    return latest.fetch_add(1, std::memory_order_relaxed) + 1;
  return latest.load(std::memory_order_relaxed);
}

} // namespace

void prepare_incarnation() noexcept {
  if (the_mark.load(std::memory_order_relaxed) != nullptr) return;
  mark* made = make_mark();
  mark* none = nullptr;
  // Release pairs with the acquire below: the page is seen with its number. A second one, made by two threads
  // at once, is left alone.
  if (made != nullptr) the_mark.compare_exchange_strong(none, made, std::memory_order_release);
}

void begin_incarnation() noexcept {
  if (mark* page = the_mark.load(std::memory_order_acquire)) // pairs with the release above
    page->store(latest.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

incarnation this_incarnation() noexcept {
  mark* page = the_mark.load(std::memory_order_acquire); // pairs with the release above
  if (page == nullptr) return by_process_id();
  incarnation number = page->load(std::memory_order_relaxed);
  if (number != 0) return number;
  const incarnation fresh = latest.fetch_add(1, std::memory_order_relaxed) + 1;
  return page->compare_exchange_strong(number, fresh, std::memory_order_relaxed) ? fresh : number;
}

} // namespace lastcall::sys
