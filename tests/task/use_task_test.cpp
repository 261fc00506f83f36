// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/async_event.hpp>
#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/loop.hpp>
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/sleep.hpp>
#include <lastcall/task/use_task.hpp>

#include <asio/buffer.hpp>
#include <asio/connect_pipe.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/readable_pipe.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/writable_pipe.hpp>
#include <asio/write.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <system_error>

namespace {

using namespace std::chrono_literals;
using lastcall::loop;
using lastcall::task;
using lastcall::use_task;
using lastcall::use_task_code;

struct a_pipe {
  explicit a_pipe(loop& in) : reads{in.context()}, writes{in.context()} { asio::connect_pipe(reads, writes); }
  asio::readable_pipe reads;
  asio::writable_pipe writes;
};

TEST(UseTask, AwaitsAnOperationAndGivesItsValue) {
  loop it;
  it.run([&]() -> task<> {
    a_pipe pipe{it};
    EXPECT_EQ(co_await asio::async_write(pipe.writes, asio::buffer("hello", 5), use_task), 5U);
    std::array<char, 16> got{};
    EXPECT_EQ(co_await pipe.reads.async_read_some(asio::buffer(got), use_task), 5U);
    EXPECT_EQ(std::string(got.data(), 5), "hello");
  });
}

TEST(UseTask, ThrowsAnErrorAsASystemError) {
  loop it;
  it.run([&]() -> task<> {
    a_pipe pipe{it};
    pipe.writes.close();
    std::array<char, 16> got{};
    try {
      co_await pipe.reads.async_read_some(asio::buffer(got), use_task);
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), asio::error::eof);
    }
    const auto [error, n] = co_await pipe.reads.async_read_some(asio::buffer(got), use_task_code);
    EXPECT_EQ(error, asio::error::eof);
    EXPECT_EQ(n, 0U);
  });
}

TEST(UseTask, ACancellationCancelsTheOperationItself) {
  loop it;
  it.run([&]() -> task<> {
    a_pipe pipe{it};
    std::array<char, 16> got{};
    EXPECT_FALSE(co_await lastcall::move_on_after(1ms, [&]() -> task<> {
      co_await pipe.reads.async_read_some(asio::buffer(got), use_task);
      ADD_FAILURE();
    }));
    // The descriptor is as it was.
    co_await asio::async_write(pipe.writes, asio::buffer("x", 1), use_task);
    EXPECT_EQ(co_await pipe.reads.async_read_some(asio::buffer(got), use_task), 1U);
  });
}

TEST(UseTask, ACodeSaysThatItWasCutAndHowFarItCame) {
  loop it;
  it.run([&]() -> task<> {
    a_pipe pipe{it};
    co_await asio::async_write(pipe.writes, asio::buffer("abc", 3), use_task);
    std::array<char, 16> got{};
    EXPECT_TRUE(co_await lastcall::move_on_after(5ms, [&]() -> task<> {
      const auto [error, n] = co_await asio::async_read(pipe.reads, asio::buffer(got), use_task_code);
      EXPECT_EQ(error, asio::error::operation_aborted);
      EXPECT_EQ(n, 3U);
      // Cancelled before it begins: not started at all.
      const auto [again, none] = co_await pipe.reads.async_read_some(asio::buffer(got), use_task_code);
      EXPECT_EQ(again, asio::error::operation_aborted);
      EXPECT_EQ(none, 0U);
    }));
  });
}

TEST(UseTask, SuccessWinsAndTheNextSuspensionDelivers) {
  loop it;
  it.run([&]() -> task<> {
    a_pipe pipe{it};
    lastcall::cancel_scope scope;
    std::size_t read = 0;
    EXPECT_FALSE(co_await scope.run([&]() -> task<> {
      std::array<char, 16> got{};
      // Both happen before the coroutine runs again.
      asio::post(it.context(), [&] {
        asio::write(pipe.writes, asio::buffer("xyz", 3));
        asio::post(it.context(), [&] { scope.cancel("too late"); });
      });
      const auto [error, n] = co_await pipe.reads.async_read_some(asio::buffer(got), use_task_code);
      read = n;
      co_await lastcall::sleep_for(1h);
    }));
    EXPECT_TRUE(read == 3U || read == 0U); // whichever was first; nothing in between
  });
}

TEST(UseTask, AcceptsAndConnects) {
  loop it;
  it.run([&]() -> task<> {
    using asio::ip::tcp;
    tcp::acceptor door{it.context(), {asio::ip::address_v4::loopback(), 0}};
    std::string heard;
    co_await lastcall::with_nursery([&](lastcall::nursery& n) -> task<> {
      n.start([&]() -> task<> {
        auto guest = co_await door.async_accept(use_task);
        std::array<char, 3> got{};
        co_await asio::async_read(guest, asio::buffer(got), use_task);
        heard.assign(got.data(), got.size());
      });
      tcp::socket socket{it.context()};
      co_await socket.async_connect(door.local_endpoint(), use_task);
      co_await asio::async_write(socket, asio::buffer("abc", 3), use_task);
    });
    EXPECT_EQ(heard, "abc");
    EXPECT_FALSE(
        co_await lastcall::move_on_after(1ms, [&]() -> task<> { co_await door.async_accept(use_task); }));
  });
}

TEST(UseTask, TimersAndSignalSetsOfAsiosAreCancelledByScopes) {
  loop it;
  it.run([&]() -> task<> {
    asio::steady_timer timer{it.context(), 1h};
    EXPECT_FALSE(
        co_await lastcall::move_on_after(1ms, [&]() -> task<> { co_await timer.async_wait(use_task); }));
    asio::signal_set signals{it.context(), SIGUSR1};
    EXPECT_FALSE(
        co_await lastcall::move_on_after(1ms, [&]() -> task<> { co_await signals.async_wait(use_task); }));
    std::raise(SIGUSR1);
    EXPECT_EQ(co_await signals.async_wait(use_task), SIGUSR1);
  });
}

/// An operation that knows no cancellation: it ends when `end` is called.
struct stubborn {
  loop& in;
  std::function<void()> end;
  template <class Token>
  auto async_wait(Token&& token) {
    return asio::async_initiate<Token, void(std::error_code)>(
        [this](auto handler) {
          auto kept = std::make_shared<decltype(handler)>(std::move(handler));
          end = [this, kept] { asio::post(in.context(), [kept] { (*kept)(std::error_code{}); }); };
        },
        token);
  }
};

TEST(UseTask, OneThatRefusesToBeCancelledIsWaitedForAndTheNextSuspensionDelivers) {
  loop it;
  stubborn operation{it, {}};
  bool came_back = false;
  it.run([&]() -> task<> {
    EXPECT_FALSE(co_await lastcall::move_on_after(1ms, [&]() -> task<> {
      co_await lastcall::with_nursery([&](lastcall::nursery& n) -> task<> {
        n.start([&]() -> task<> {
          co_await lastcall::shielded(1h, []() -> task<> { co_await lastcall::sleep_for(3ms); });
          EXPECT_FALSE(came_back);
          operation.end();
        });
        co_await operation.async_wait(use_task);
        came_back = true;
        co_await lastcall::sleep_for(1h);
        ADD_FAILURE();
      });
    }));
  });
  EXPECT_TRUE(came_back);
}

// Whoever writes into the frame's buffer may do so after the loop's end: the frame is kept, never freed.
TEST(UseTask, AnOperationThatDoesNotComeBackKeepsItsMemory) {
  testing::internal::CaptureStderr();
  std::array<char, 4096>* buffer = nullptr;
  {
    loop it{{.name = "shop", .patience = 1ms}};
    auto* const operation = new stubborn{it, {}}; // its handler holds the frame, for ever
    lastcall::nursery others{it};
    it.run([&]() -> task<> {
      others.start([&]() -> task<> {
        std::array<char, 4096> mine{};
        buffer = &mine;
        co_await operation->async_wait(use_task);
      });
      co_await lastcall::sleep_for(1ms);
    });
  }
  buffer->fill('x'); // AddressSanitizer would tell
  EXPECT_NE(testing::internal::GetCapturedStderr().find("1 coroutine does not end; its memory is kept"),
            std::string::npos);
}

} // namespace
