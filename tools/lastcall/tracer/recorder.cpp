// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/recorder.hpp"

#include "tracer/waits.hpp"

namespace checker {

void recorder::on_entry(tracee& one, const call_naming& naming, const process_files& files) {
  one.record = calls_.size();
  const bool may_sleep = kind_of_wait(*one.call) != wait_kind::none;
  one.switches = may_sleep ? files.voluntary_switches(one.thread) : 0;
  const auto& name = call_name(one.call->number);
  saw_alarm_ = saw_alarm_ || name == "alarm" || name == "setitimer";
  calls_.push_back({one.role, naming.name(one.thread, *one.call), false, false});
}

void recorder::on_exit(tracee& one, const process_files& files) {
  if (!one.record) return;
  auto& call = calls_[*one.record];
  call.returned = true;
  const bool may_sleep = one.call && kind_of_wait(*one.call) != wait_kind::none;
  call.slept = may_sleep && files.voluntary_switches(one.thread) > one.switches + 1;
  one.record.reset();
}

void recorder::mark_asleep(tracee& one) {
  if (one.record && one.call) calls_[*one.record].slept = kind_of_wait(*one.call) != wait_kind::none;
}

void recorder::mark_first_wait() {
  if (!first_wait_) first_wait_ = calls_.size();
}

std::vector<recorded_call> recorder::take(bool up_to_wait) {
  if (up_to_wait && first_wait_) calls_.resize(*first_wait_);
  return std::move(calls_);
}

} // namespace checker
