// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/session.hpp"

#include <chrono>
#include <sched.h>
#include <thread>

// When the request is sent, and what it means for the threads that wait for it. See tracer.cpp for the whole.

namespace checker {
namespace {

using namespace std::chrono_literals;

constexpr auto short_watch = 200us;
constexpr auto watch_pause = 50us;

} // namespace

void session::ask_now(tracee* at) {
  note_processor();
  interrupter_->fire(family_, what_.subject, at);
  asked_ = time_.total();
  stillness_.begin();
  follows_calls_ = false;
  release_held();
}

void session::release_held() {
  for (auto& [thread, one] : family_.members()) {
    if (one.is_stopped && one.call && thread != sleeper_) resume(one); // stopped in an entry stop
  }
}

void session::watch_sleeper() {
  auto* one = family_.find(sleeper_);
  if (one != nullptr && files_.state(sleeper_) == 'S') {
    ask_now(one);
    if (!one->takes_request) sleeper_ = 0; // somebody else's: it may sleep on
    return;
  }
  const auto watched = clock::now() - sleeper_since_;
  if (watched > longest_hold) release_held();
  if (watched < short_watch) {
    ::sched_yield(); // it needs this processor to fall asleep
  } else {
    std::this_thread::sleep_for(watch_pause);
  }
}

} // namespace checker
