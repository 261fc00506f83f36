// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Opcodes that wait. Each is a call of the library: it gives the big lock up, ends at a request (main), at
// the token (joined threads) or at the end of the runtime (daemons), and takes the lock back before it says
// so.
#include "machine.hpp"

#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/stream/standard_streams.hpp>

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <utility>

using namespace std::chrono_literals;

namespace tiny {

// Somebody who reads along sees what was printed, before it gets quiet.
void machine::input() {
  world_.how().out->flush();
  if (watcher_ != nullptr && watcher_->when_it_waits) {
    std::array<::pollfd, 1> standard_input{{{lastcall::in().fd(), POLLIN, 0}}};
    if (lastcall::io::poll(standard_input, lastcall::deadline::after(0ms)) == 0) request_now();
  }
  std::string line;
  const bool there = lastcall::in().read_line(line);
  push(there ? value{*new text{world_, std::move(line)}} : value{});
}

void machine::sleep() {
  constexpr std::chrono::milliseconds century = std::chrono::hours{24 * 366 * 100};
  const value& span = top();
  if (!span.is_number() || span.number() < 0 || span.number() > century.count())
    fail("one sleeps for a number of milliseconds");
  const auto time = std::min(std::chrono::milliseconds{span.number()}, world_.how().longest_sleep);
  world_.how().out->flush();
  if (watcher_ != nullptr && watcher_->when_it_waits && time > 1min) request_now();
  if (role_ != role::joined || shields_ > 0)
    lastcall::io::sleep_for(time);
  else if (!lastcall::io::sleep_for(time, stop_))
    throw stopped{};
  pop();
}

void machine::request_now() {
  if (watcher_->made) return;
  watcher_->made = watcher_->waited = true;
  watcher_->request();
}

void machine::acquire(lock& it) {
  // Relaxed, all of them: the big lock orders what scripts see.
  if (it.held.load(std::memory_order_relaxed) != 0 && it.holder == this)
    fail("this thread has the lock already");
  while (it.held.load(std::memory_order_relaxed) != 0) wait_while(it.held, 1);
  it.held.store(1, std::memory_order_relaxed);
  it.holder = this;
  if (role_ != role::daemon) world_.counts().locks_held.fetch_add(1, std::memory_order_relaxed);
}

void machine::release(lock& it) {
  if (it.held.load(std::memory_order_relaxed) == 0 || it.holder != this)
    fail("this thread does not have the lock");
  it.holder = nullptr;
  it.held.store(0, std::memory_order_relaxed);
  lastcall::wait::futex_wake_one(it.held);
  if (role_ != role::daemon) world_.counts().locks_held.fetch_sub(1, std::memory_order_relaxed);
}

void machine::join(thread& it) {
  if (&it == self_) fail("a thread that waits for itself");
  while (it.over.load(std::memory_order_relaxed) == 0) wait_while(it.over, 0);
}

void machine::join_all() {
  for (std::size_t i = 0; i < world_.handles.size(); ++i) { // they may start more meanwhile
    push(world_.handles[i]);
    join(top().as<thread>());
    pop();
    bury();
  }
}

void machine::wait_while(const std::atomic<std::uint32_t>& word, std::uint32_t value) {
  // Whoever is to end the wait may have been a daemon, which has ended.
  const auto until = role_ == role::last ? lastcall::deadline::after(1s) : lastcall::deadline::never();
  if (role_ == role::joined && shields_ == 0) {
    if (!lastcall::io::futex_wait(word, value, until, stop_)) throw stopped{};
  } else if (lastcall::io::futex_wait(word, value, until) == lastcall::wait::futex_result::timed_out) {
    fail("nobody is left who would end this wait");
  }
}

void machine::stop_point() const {
  if (shields_ == 0 && stop_.stop_requested()) throw stopped{};
}

namespace {

void live(std::unique_ptr<machine>& its, const lastcall::stop_token& stop) {
  const std::unique_lock turn{lastcall::the_big_lock()};
  its->run_thread(stop);
  its.reset(); // while the lock is there: it counts references
}

} // namespace

void machine::spawn(std::size_t arguments, bool daemon) {
  if (top(arguments).kind() != kind::function) fail("a thread runs a function");
  if (++world_.started > world_.how().threads)
    fail("more than " + std::to_string(world_.how().threads) + " threads");
  const std::string name = world_.code().functions[static_cast<std::size_t>(top(arguments).number())].name;
  need(1);
  push(value{*new thread{world_}});
  auto its = std::make_unique<machine>(world_, daemon ? role::daemon : role::joined);
  its->prepare(top().as<thread>(), &top(arguments + 1), arguments + 1);
  if (daemon) {
    lastcall::daemon_thread{name, "the script does not wait for it",
                            [its = std::move(its)]() mutable { live(its, {}); }};
  } else {
    // Made first: this may give the big lock up, and others start threads meanwhile.
    lastcall::thread started{name,
                             [its = std::move(its)](lastcall::stop_token stop) mutable { live(its, stop); }};
    world_.threads.push_back(std::move(started));
    world_.handles.push_back(top());
  }
  top(arguments + 1) = std::move(top());
  cut_to(stack_.used - arguments - 1);
}

} // namespace tiny
