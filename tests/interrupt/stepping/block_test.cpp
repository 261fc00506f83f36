// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// SIGINT at every instruction of what a program protects: blocks, locks, gates, exceptions.
///
/// The places that a subject passes say where its checkpoints are; what follows the second mark says what
/// "whole" means for it.

#include "interrupt/stepping/expect_proof.hpp"
#include "interrupt/stepping/judge.hpp"

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/with.hpp>
#include <lastcall/scope/gate.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <mutex>
#include <stdexcept>

using namespace lastcall;
using namespace stepping;

namespace {

bool is_free(std::mutex& mutex) {
  if (!mutex.try_lock()) return false;
  mutex.unlock();
  return true;
}

// A lock whose ends are full of checkpoints, as those of a lock are that waits through the library.
class talkative_lock {
public:
  void acquire() {
    checkpoint();
    mutex_.lock();
    checkpoint();
  }
  void release() {
    checkpoint();
    mutex_.unlock();
    checkpoint();
  }
  void lock() { acquire(); }
  void unlock() { release(); }
  bool free() { return is_free(mutex_); }

private:
  std::mutex mutex_;
};

void shielded_steps(stretch& s) {
  signal_scope scope;
  pair_of_steps steps;
  marked(s, [&] {
    checkpoint();
    s.at(1);
    {
      const shield whole;
      steps.taken = 1;
      checkpoint();
      steps.given = 1;
    }
    s.at(2);
    checkpoint();
    s.at(3);
  });
  s.require(s.errno_kept, "errno has changed");
  s.require(s.delivered_at == 0 ? steps.none() : steps.both(), "the shielded steps were cut in two");
  judge_promptness(s, {0, 2});
  judge_custody(s, scope);
}

void a_locked_block(stretch& s) {
  signal_scope scope;
  std::mutex mutex;
  pair_of_steps steps;
  marked(s, [&] {
    checkpoint();
    s.at(1);
    {
      const std::lock_guard held{mutex};
      steps.taken = 1;
      steps.given = 1;
    }
    s.at(2);
    checkpoint();
    s.at(3);
  });
  s.require(is_free(mutex), "the lock was left held");
  s.require(s.errno_kept, "errno has changed");
  s.require(s.delivered_at == 0 ? steps.none() : steps.both(), "the block was cut in two");
  judge_promptness(s, {0, 2});
  judge_custody(s, scope);
}

void with_a_lock(stretch& s) {
  signal_scope scope;
  talkative_lock lock;
  pair_of_steps steps;
  marked(s, [&] {
    with(lock, [&] {
      s.at(1);
      steps.taken = 1;
      steps.given = 1;
      checkpoint();
      s.at(2);
    });
    s.at(3);
    checkpoint();
    s.at(4);
  });
  s.require(lock.free(), "the lock was left held");
  s.require(s.errno_kept, "errno has changed");
  s.require(steps.both(), "entering delivered a request");
  judge_promptness(s, {1, 3});
  judge_custody(s, scope);
}

void with_a_pass(stretch& s) {
  signal_scope scope;
  gate door;
  marked(s, [&] {
    with(
        [&] {
          checkpoint();
          return door.enter("subject");
        },
        [&](pass&) {
          s.at(1);
          checkpoint();
          s.at(2);
        });
    s.at(3);
    checkpoint();
    s.at(4);
  });
  s.require(door.size() == 0, "somebody was left inside");
  door.close();
  s.require(door.wait_until(deadline::after(std::chrono::seconds{30})), "the gate does not empty");
  judge_promptness(s, {1, 3});
  judge_custody(s, scope);
}

void a_pass(stretch& s) {
  signal_scope scope;
  gate door;
  marked(s, [&] {
    checkpoint();
    s.at(1);
    {
      const pass inside = door.enter();
      s.at(2);
      checkpoint();
      s.at(3);
    }
    s.at(4);
    checkpoint();
    s.at(5);
  });
  s.require(door.size() == 0, "somebody was left inside");
  door.close();
  s.require(door.wait_until(deadline::after(std::chrono::seconds{30})), "the gate does not empty");
  judge_promptness(s, {0, 2, 4});
  judge_custody(s, scope);
}

void an_exception_meanwhile(stretch& s) {
  struct cleanup {
    ~cleanup() { checkpoint(); } // while unwinding: a delivery here would end the program
  };
  signal_scope scope;
  volatile bool caught = false;
  marked(s, [&] {
    try {
      const cleanup last;
      throw std::runtime_error{"another failure"};
    } catch (const std::runtime_error&) {
      caught = true;
    }
    s.at(1);
    checkpoint();
    s.at(2);
  });
  s.require(caught, "the other exception was not caught");
  judge_promptness(s, {1});
  judge_custody(s, scope);
}

// The example of the text on Control-C in Python and Trio:
//     lock.acquire()
//     try: ...
//     finally: lock.release()
void acquire_try_finally(stretch& s) {
  signal_scope scope;
  talkative_lock lock;
  volatile bool released = false;
  const auto release = [&]() {
    const shield whole;
    lock.release();
    released = true;
  };
  marked(s, [&] {
    shielded([&] { lock.acquire(); });
    try {
      s.at(1);
      checkpoint();
      s.at(2);
    } catch (...) {
      release();
      throw;
    }
    release();
    s.at(3);
    checkpoint();
    s.at(4);
  });
  s.require(released && lock.free(), "the lock was left held");
  judge_promptness(s, {1, 3});
  judge_custody(s, scope);
}

} // namespace

TEST(Stepping, AShieldedStretchIsWholeOrNotBegun) {
  expect_proof("shield, between two checkpoints", {shielded_steps});
}

TEST(Stepping, ALockGuardBlockIsWholeOrNotBegun) {
  expect_proof("std::lock_guard block, between two checkpoints", {a_locked_block});
}

TEST(Stepping, WithNeverLeavesTheLockHeld) { expect_proof("with(lock, fn)", {with_a_lock}); }

TEST(Stepping, WithNeverLeavesAPassBehind) { expect_proof("with(factory, fn)", {with_a_pass}); }

TEST(Stepping, AGateIsNeverLeftEntered) { expect_proof("gate enter and leave", {a_pass}); }

TEST(Stepping, NothingIsDeliveredWhileAnExceptionIsUnderWay) {
  expect_proof("an exception thrown and caught", {an_exception_meanwhile});
}

TEST(Stepping, AcquireTryFinallyNeverLeavesTheLockHeld) {
  expect_proof("lock.acquire(); try { ... } finally { lock.release(); }", {acquire_try_finally});
}
