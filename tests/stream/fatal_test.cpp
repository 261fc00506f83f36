// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// stuck_stream::fatal: what it says, and that nothing keeps it from ending the process.

#include "stream/a_stream.hpp"

#include <lastcall/runtime/runtime.hpp>
#include <lastcall/trace/whereabouts.hpp>

#include "interrupt/child.hpp"

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include <unistd.h>

using namespace lastcall;
using namespace streams;

namespace {

std::atomic<bool> in_handler{false};
void never_returns(int) {
  in_handler = true;
  for (;;) ::pause();
}

// Ends the calling process by the policy.
int end_fatally(const two_ends& errors) {
  ::dup2(errors.in(), 2);
  struct ::sigaction action {};
  action.sa_handler = never_returns;
  ::sigaction(SIGUSR1, &action, nullptr);
  const two_ends pipe;
  pipe.fill();
  runtime program{{.stream_grace = 10ms, .on_stuck_stream = stuck_stream::fatal}};
  auto& out = *new buffered_writer{raw_fd::borrow(pipe.in()), {.name = "journal", .buffer = 16}};
  out.write("0123456789");
  auto& holder = *new blocked_writer{out, "needs room"};
  ::pthread_kill(holder.id, SIGUSR1);
  while (!in_handler) std::this_thread::yield();
  program.finalize(deadline::after(300ms));
  return 0;
}

} // namespace

// The text went out by a write that waited for its reader.
TEST(FatalStream, EndsTheProcessWhereStandardErrorTakesNothing) {
  const two_ends errors;
  errors.fill();
  const int status = testing_child::run([&] { return end_fatally(errors); });
  EXPECT_TRUE(testing_child::ended_by(status, SIGABRT)) << status;
}

// It left out those beyond the 256th, and asked where each was by a look of its own.
TEST(FatalStream, SaysWhereEachThreadIs) {
  constexpr int others = 300;
  const two_ends errors, ids;
  const int status = testing_child::run([&] {
    std::atomic<int> there{0};
    for (int i = 0; i < others; ++i)
      std::thread{[&] {
        const pid_t me = ::gettid();
        if (::write(ids.in(), &me, sizeof me) == sizeof me) ++there;
        for (;;) ::pause();
      }}.detach();
    while (there != others) std::this_thread::yield();
    std::atomic<int> looks{0};
    static std::atomic<int>* count = nullptr;
    count = &looks;
    exchange_stack_source([](std::span<const pid_t> threads, deadline) {
      std::vector<std::string> all;
      const std::string look = std::to_string(++*count);
      for (const pid_t each : threads) all.push_back("look " + look + " at <" + std::to_string(each) + ">");
      return all;
    });
    return end_fatally(errors);
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGABRT)) << status;
  const std::string text = errors.drained();
  EXPECT_EQ(text.rfind("lastcall: fatal: the lock of the stream 'journal' could not be had at the end", 0),
            0U);
  for (int i = 0; i < others; ++i) {
    pid_t id = 0;
    ASSERT_EQ(::read(ids.out(), &id, sizeof id), static_cast<ssize_t>(sizeof id));
    ASSERT_NE(text.find("look 1 at <" + std::to_string(id) + ">\n"), std::string::npos) << text;
  }
}
