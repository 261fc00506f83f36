// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stacks/working_thread.hpp"

#include <lastcall/stacks/stacks.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <pthread.h>
#include <signal.h>

using namespace stacks_test;
using lastcall::stack_frame;
using lastcall::stack_of;
using lastcall::text_of;
using lastcall::thread_stack;

namespace {

// Each of these stands on the line after the one that notes it.
std::atomic<int> line_of_read{0}, line_of_wait{0}, line_of_loop{0}, line_of_asking{0}, line_of_inlined{0};
std::atomic<unsigned> after{0}; // written after a call, so that it is no last one

[[gnu::noinline]] void read_a_byte(const a_pipe& from) {
  char byte = 0;
  line_of_read = __LINE__ + 1;
  after += static_cast<unsigned>(::read(from.out(), &byte, 1));
}

[[gnu::noinline]] void wait_for_a_word(std::atomic<std::uint32_t>& word) {
  line_of_wait = __LINE__ + 1;
  while (word == 0) after += static_cast<unsigned>(::syscall(SYS_futex, &word, 0, 0, nullptr, nullptr, 0));
}

[[gnu::noinline]] void go_round(const std::atomic<bool>& enough) {
  line_of_loop = __LINE__ + 1;
  while (!enough.load(std::memory_order_relaxed)) ++after;
}

[[gnu::noinline]] thread_stack ask_for_oneself() {
  line_of_asking = __LINE__ + 1;
  thread_stack own = stack_of(static_cast<pid_t>(::syscall(SYS_gettid)), some_time());
  ++after;
  return own;
}

[[gnu::always_inline]] inline void part_of_another(const a_pipe& from) { read_a_byte(from); }

[[gnu::noinline]] void with_a_part(const a_pipe& from) {
  line_of_inlined = __LINE__ + 1;
  part_of_another(from);
  ++after;
}

[[gnu::noinline]] unsigned go_down(int levels, const a_pipe& from) { // NOLINT(misc-no-recursion)
  if (levels == 0) read_a_byte(from);
  return levels == 0 ? 1 : go_down(levels - 1, from) / 2 + after.load() % 2;
}

a_pipe* for_the_handler = nullptr;
void handle(int) { read_a_byte(*for_the_handler); }

const stack_frame* frame_of(const thread_stack& stack, const std::string& function) {
  const auto found = std::find_if(stack.frames.begin(), stack.frames.end(), [&](const stack_frame& each) {
    return each.function.find(function) != std::string::npos;
  });
  return found == stack.frames.end() ? nullptr : &*found;
}

// By name and line, as the debug information has them.
void expect_frame(const thread_stack& stack, const std::string& function, int line) {
  const stack_frame* const frame = frame_of(stack, function);
  ASSERT_NE(frame, nullptr) << text_of(stack);
  EXPECT_EQ(frame->line, line) << text_of(stack);
  EXPECT_TRUE(frame->file.ends_with("stacks_test.cpp")) << text_of(stack);
  EXPECT_TRUE(frame->module.ends_with("stacks_test")) << text_of(stack);
  EXPECT_EQ(stack.missing, "");
}

} // namespace

TEST(Stacks, AThreadAsleepInASystemCall) {
  const a_pipe bytes;
  const working_thread reader{[&] { read_a_byte(bytes); }};
  const thread_stack stack = stack_of(reader.asleep_in("read").id(), some_time());
  bytes.send();
  EXPECT_EQ(stack.thread, reader.id());
  EXPECT_NE(stack.whereabouts.find("asleep in read"), std::string::npos) << stack.whereabouts;
  expect_frame(stack, "read_a_byte(stacks_test::a_pipe const&)", line_of_read);
}

TEST(Stacks, AThreadThatWaitsForAWord) {
  std::atomic<std::uint32_t> word{0};
  const working_thread waiting{[&] { wait_for_a_word(word); }};
  const thread_stack stack = stack_of(waiting.asleep_in("futex").id(), some_time());
  word = 1;
  ::syscall(SYS_futex, &word, 1, 1, nullptr, nullptr, 0);
  expect_frame(stack, "wait_for_a_word(", line_of_wait);
}

TEST(Stacks, AThreadThatComputes) {
  std::atomic<bool> enough{false};
  const working_thread busy{[&] { go_round(enough); }};
  while (after == 0) std::this_thread::yield();
  const thread_stack stack = stack_of(busy.id(), some_time());
  enough = true;
  expect_frame(stack, "go_round(", line_of_loop);
}

TEST(Stacks, TheOneThatAsks) {
  const thread_stack stack = ask_for_oneself();
  expect_frame(stack, "ask_for_oneself()", line_of_asking);
  EXPECT_NE(frame_of(stack, "main"), nullptr) << text_of(stack);
}

TEST(Stacks, InlinedCallsAreFrames) {
  const a_pipe bytes;
  const working_thread reader{[&] { with_a_part(bytes); }};
  const thread_stack stack = stack_of(reader.asleep_in("read").id(), some_time());
  bytes.send();
  expect_frame(stack, "with_a_part(", line_of_inlined);
  const stack_frame* const inlined = frame_of(stack, "part_of_another");
  ASSERT_NE(inlined, nullptr) << text_of(stack);
  EXPECT_TRUE(inlined->inlined);
  EXPECT_EQ(inlined + 1, frame_of(stack, "with_a_part(")) << text_of(stack);
  EXPECT_EQ(inlined - 1, frame_of(stack, "read_a_byte(")) << text_of(stack);
}

TEST(Stacks, WhatASignalHasInterruptedIsBelowItsHandler) {
  const a_pipe inner;
  for_the_handler = const_cast<a_pipe*>(&inner);
  struct sigaction action {};
  action.sa_handler = &handle;
  ::sigaction(SIGUSR1, &action, nullptr);
  std::atomic<bool> enough{false};
  const working_thread busy{[&] { go_round(enough); }};
  ::syscall(SYS_tgkill, ::getpid(), busy.id(), SIGUSR1);
  const thread_stack stack = stack_of(busy.asleep_in("read").id(), some_time());
  inner.send();
  enough = true;
  expect_frame(stack, "go_round(", line_of_loop);
  expect_frame(stack, "read_a_byte(", line_of_read);
  EXPECT_LT(frame_of(stack, "handle(int)"), frame_of(stack, "go_round(")) << text_of(stack);
}

TEST(Stacks, AllOfSixtyFourThreads) {
  const a_pipe bytes;
  std::vector<std::unique_ptr<working_thread>> readers;
  readers.reserve(64);
  for (int i = 0; i < 64; ++i)
    readers.push_back(std::make_unique<working_thread>([&] { read_a_byte(bytes); }));
  for (const auto& each : readers) each->asleep_in("read");
  const std::vector<thread_stack> all = lastcall::all_stacks(some_time());
  bytes.send(std::string(64, '.'));
  EXPECT_GE(all.size(), 65U); // a sanitizer has threads of its own
  for (const auto& each : readers) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.thread == each->id(); });
    ASSERT_NE(found, all.end());
    expect_frame(*found, "read_a_byte(", line_of_read);
  }
}

TEST(Stacks, AThreadThatHasEndedSaysSo) {
  pid_t ended = 0;
  {
    const working_thread brief{[] {}};
    ended = brief.id();
  }
  while (lastcall::kernel_whereabouts_of(ended).find("no such thread") == std::string::npos)
    std::this_thread::yield();
  const std::array both{ended, ::getpid()};
  const auto stacks = lastcall::stacks_of(both, some_time());
  EXPECT_EQ(text_of(stacks[0]),
            "(" + std::to_string(ended) + "): no such thread any more\n    no stack: the thread has ended");
  EXPECT_EQ(stacks[1].missing, "");
}

TEST(Stacks, ThreadsThatComeAndGoMeanwhileAreNoHindrance) {
  std::atomic<bool> enough{false};
  const working_thread source{[&] {
    while (!enough) std::thread{[] { ++after; }}.join();
  }};
  for (int i = 0; i < 10; ++i) {
    const auto all = lastcall::all_stacks(some_time());
    EXPECT_NE(frame_of(all.front(), "main"), nullptr) << text_of(all.front());
  }
  enough = true;
}

TEST(Stacks, ADeepOneIsCutOffAndSaysSo) {
  const a_pipe bytes;
  const working_thread deep{[&] { after += go_down(1000, bytes); }};
  const thread_stack stack = stack_of(deep.asleep_in("read").id(), some_time());
  bytes.send();
  EXPECT_GE(stack.frames.size(), 256U);
  EXPECT_EQ(stack.missing, "only the innermost 256 are shown");
  EXPECT_NE(frame_of(stack, "read_a_byte("), nullptr) << text_of(stack);
}

TEST(Stacks, NoThreadsAreNoQuestion) { EXPECT_TRUE(lastcall::stacks_of({}).empty()); }

TEST(Stacks, ReportsShowThemWhileAsked) {
  EXPECT_EQ(lastcall::whereabouts_of(::getpid()).find('\n'), std::string::npos);
  {
    const lastcall::stacks_in_reports outer;
    { const lastcall::stacks_in_reports inner; }
    EXPECT_NE(lastcall::whereabouts_of(::getpid()).find('\n'), std::string::npos);
  }
  EXPECT_EQ(lastcall::whereabouts_of(::getpid()).find('\n'), std::string::npos);
}

TEST(Stacks, TheirTextIsALineForEachFrame) {
  thread_stack stack;
  stack.whereabouts = "\"store\" (12): asleep in read(fd 3)";
  stack.frames.push_back({0x1234, "store::flush()", "/src/store.cpp", 12, "/bin/shop", 0x34, true});
  stack.frames.push_back({0x1234, "store::stop()", "/src/store.cpp", 0, "/bin/shop", 0x34, false});
  stack.frames.push_back({0xabcdef, "", "", 0, "/lib/libx.so.1", 0xdef, false});
  stack.frames.push_back({0xabcdef, "x_run", "", 0, "/lib/libx.so.1", 0xdef, false});
  stack.frames.push_back({0xff, "", "", 0, "", 0, false});
  stack.missing = "it ends";
  EXPECT_EQ(text_of(stack), "\"store\" (12): asleep in read(fd 3)\n"
                            "    store::flush() at /src/store.cpp:12 (inlined)\n"
                            "    store::stop() at /src/store.cpp\n"
                            "    0xabcdef in libx.so.1+0xdef\n"
                            "    x_run in libx.so.1\n"
                            "    0xff\n"
                            "    … it ends");
}
