// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/process/reply.hpp>

#include <lastcall/interrupt/io/wait_for.hpp>
#include <lastcall/wait/futex.hpp>

namespace lastcall::detail {

void reply_state::say() noexcept {
  settled.store(1, std::memory_order_release); // pairs with the acquires of ready and wait_until
}

void reply_state::wake() const noexcept { wait::futex_wake_all(settled); }

bool reply_state::wait_until(deadline until) const {
  while (settled.load(std::memory_order_acquire) == 0) // pairs with say
    if (io::futex_wait(settled, 0, until) == wait::futex_result::timed_out && until.expired()) return false;
  return true;
}

std::span<const std::byte> reply_state::result() const {
  wait_until(deadline::never());
  // Made anew: a copy would share its text with the pool's, by a count inside libstdc++ that ThreadSanitizer
  // does not see.
  if (error != nullptr)
    throw pool_error{static_cast<pool_errc>(error->code().value()), error->what(), error->end()};
  if (no_memory) throw std::bad_alloc{};
  return bytes.view();
}

} // namespace lastcall::detail
