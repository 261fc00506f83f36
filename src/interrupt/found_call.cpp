// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// The mask a found handler runs under.
///
/// The kernel would have added the handler's own mask, and the signal unless SA_NODEFER, to the mask of the
/// interrupted thread. What it has added for us is more than that (all signals of the scope), and a handler
/// that never returns, by siglongjmp or by waiting for another of these signals, would not get rid of it. So
/// ours is taken away again: those bits that are blocked now and were not in the interrupted thread. Where
/// somebody else is on top, the kernel has added theirs and not ours; they may want it, and nothing is taken
/// away.

#include "interrupt/found_call.hpp"

#include "interrupt/dispositions.hpp"
#include "sys/calls.hpp"

namespace lastcall::detail {

void call_found(const struct ::sigaction& found, int signal, siginfo_t* info, void* context) {
  const signal_bits here = sys::signal_mask();
  signal_bits there = here;
  if (context != nullptr && ours_is_on_top(signal)) {
    const signal_bits added = the_custody.together.load(std::memory_order_relaxed) | bit_of(signal);
    there &= ~(added & ~sys::interrupted_mask(context));
  }
  if ((found.sa_flags & SA_NODEFER) == 0) there |= bit_of(signal);
  there |= sys::bits_of(found.sa_mask);
  if (there != here) sys::set_signal_mask(there);
  if ((found.sa_flags & SA_SIGINFO) != 0)
    found.sa_sigaction(signal, info, context);
  else
    found.sa_handler(signal);
  if (there != here) sys::set_signal_mask(here);
}

} // namespace lastcall::detail
