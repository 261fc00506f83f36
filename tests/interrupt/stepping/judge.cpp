// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/stepping/judge.hpp"

#include <lastcall/interrupt/checkpoint.hpp>

#include <string>
#include <system_error>

#include <unistd.h>

namespace stepping {

void judge_promptness(stretch& s, std::initializer_list<int> checkpoints) {
  const int delivered_at = s.delivered_at;
  if (!s.signalled) return s.require(delivered_at == -1, "delivered what nobody asked for");
  int next = -1; // the first that began after the signal
  bool amidst = false;
  for (const int checkpoint : checkpoints) {
    if (checkpoint == s.place_at_signal) amidst = true;
    if (checkpoint > s.place_at_signal && next == -1) next = checkpoint;
  }
  const bool as_promised = delivered_at == next || (amidst && delivered_at == s.place_at_signal);
  if (as_promised) return;
  const std::string what = "signalled at place " + std::to_string(s.place_at_signal) + ", delivered at " +
                           std::to_string(delivered_at);
  s.require(false, what.c_str());
}

void judge_custody(stretch& s, lastcall::signal_scope& scope, std::size_t before) {
  using namespace lastcall;
  if (!s.signalled) return;
  s.require(scope.delivered(SIGINT) == 1, "the signal was not counted once");
  s.require(interrupt_pending(), "the request is not pending any more");
  std::error_code error;
  checkpoint(error);
  s.require(error == stop_errc::interrupted, "the request does not come again until acknowledged");
  const auto taken = scope.acknowledge();
  s.require(taken.size() == before + 1, "not all requests were there to be acknowledged");
  s.require(!taken.empty() && taken.back().signal == SIGINT && taken.back().sender_pid == ::getppid(),
            "the request does not name its signal and sender");
  s.require(!interrupt_pending(), "acknowledged and still pending");
  checkpoint(error);
  s.require(!error, "acknowledged and delivered all the same");
}

} // namespace stepping
