// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Bytes that are no frame and no order, from whichever side: each costs the worker that they came from or
// went to, or nobody, and is named.
#include "process/frame.hpp"
#include "process/launched_process.hpp"
#include "process/subject.hpp"
#include "sys/channel.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <sys/syscall.h>

namespace {

using namespace process_test;
using lastcall::pool_errc;
using lastcall::detail::frame_head;
using lastcall::detail::frame_kind;
using lastcall::detail::process_setup;

/// This process's sockets of a kind: in a worker SOCK_STREAM is that of its calls, and SOCK_SEQPACKET its
/// lifeline; in a manager with one of each the same; with a zygote alone SOCK_SEQPACKET is its control.
std::vector<int> sockets(int kind) {
  std::vector<int> all;
  for (int fd = 3; fd < 200; ++fd) {
    int type = 0, domain = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != kind) continue;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX) all.push_back(fd);
  }
  return all;
}

std::string bytes_of(frame_head head, const std::string& body = {}) {
  std::string bytes(sizeof head, '\0');
  std::memcpy(bytes.data(), &head, sizeof head);
  return bytes + body;
}

frame_head head_of(frame_kind kind, std::uint64_t size = 0) {
  frame_head head;
  head.kind = kind;
  head.size = size;
  return head;
}

/// Says what it is told on its own channel, beside what the library says there.
struct wild {
  void say(std::string bytes) { put(sockets(SOCK_STREAM).front(), bytes); }
  void say_and_leave(std::string bytes, int status) {
    say(std::move(bytes));
    std::exit(status);
  }
  void say_for_ever(std::string bytes) {
    for (;;) say(bytes);
  }
  void say_on_lifeline(std::string bytes) { put(sockets(SOCK_SEQPACKET).front(), bytes); }
  int add(int a, int b) { return a + b; }
  int pid() { return ::getpid(); }

private:
  static void put(int fd, const std::string& bytes) { ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
};

class Garbage : public testing::Test {
protected:
  void SetUp() override { ::alarm(90); }
  static std::string shown(const std::string& what) {
    std::string text = what;
    if (const auto from = text.find(" (pid "); from != std::string::npos)
      text.erase(from, text.find(')', from) + 1 - from);
    return text;
  }
  lastcall::zygote nursery;
  lastcall::worker_pool<wild> pool{nursery, {.workers = 1, .replacements = 10'000, .frame_limit = 1U << 20U}};

  /// The error of a call in which the worker says that; a replacement serves after it.
  std::string said(const std::string& bytes) {
    const auto error = error_of([&] { pool.call<&wild::say>(bytes).get(); });
    EXPECT_EQ(error.code(), pool_errc::worker_ended) << error.what();
    EXPECT_EQ(pool.call<&wild::add>(1, 1).get(), 2);
    return shown(error.what());
  }
};

TEST_F(Garbage, OfAWorkerEndsItAndIsNamed) {
  const std::string ended = "worker 0 killed by SIGKILL during a call: ";
  EXPECT_EQ(said(std::string(100, 'x')), ended + "what came is no frame");
  auto old = head_of(frame_kind::result);
  ++old.version;
  EXPECT_EQ(said(bytes_of(old)), ended + "a frame of another version");
  EXPECT_EQ(said(bytes_of(head_of(frame_kind{99}))), ended + "a frame of an unknown kind");
  EXPECT_EQ(said(bytes_of(head_of(frame_kind::result, ~std::uint64_t{0}))),
            ended + "a frame is longer than the limit");
}

TEST_F(Garbage, OfAWorkerWithoutEndIsBounded) {
  const auto error = error_of([&] { pool.call<&wild::say_for_ever>(std::string(5000, 'x')).get(); });
  EXPECT_EQ(shown(error.what()), "worker 0 killed by SIGKILL during a call: what came is no frame");
}

TEST_F(Garbage, OfAWorkerThatIsAFrameCutShortIsItsEnd) {
  const auto bytes = bytes_of(head_of(frame_kind::result, 100), "only this");
  for (const std::size_t size : {std::size_t{1}, sizeof(frame_head), bytes.size()}) {
    const auto error = error_of([&] { pool.call<&wild::say_and_leave>(bytes.substr(0, size), 5).get(); });
    EXPECT_EQ(shown(error.what()), "worker 0 exited with status 5 during a call");
  }
}

// A worker that is up and says once more that it has started was taken for one that is free twice over: it
// was given two calls at a time, and nobody answered the first.
TEST_F(Garbage, OfAWorkerThatIsAFrameOutOfItsTurnIsOfNoMeaning) {
  const int pid = pool.call<&wild::pid>().get();
  std::string all;
  for (const auto kind : {frame_kind::bootstrapped, frame_kind::started, frame_kind::call, frame_kind::stop,
                          frame_kind::construct, frame_kind::result, frame_kind::failure, frame_kind::cut})
    all += bytes_of(head_of(kind, 4), "body");
  for (int round = 0; round < 3; ++round) pool.call<&wild::say>(all + all).get();
  std::vector<lastcall::reply<int, lastcall::plain_codec>> sums;
  constexpr int calls = 20;
  sums.reserve(calls);
  for (int i = 0; i < calls; ++i) sums.push_back(pool.call<&wild::add>(i, 1));
  for (int i = 0; i < calls; ++i) EXPECT_EQ(sums[static_cast<std::size_t>(i)].get(), i + 1);
  EXPECT_EQ(pool.call<&wild::pid>().get(), pid);
}

TEST_F(Garbage, OfAWorkerAtRandomHarmsNoOtherCall) {
  std::mt19937_64 random{3};
  const auto good = bytes_of(head_of(frame_kind::result, 4), "body");
  for (int round = 0; round < 100; ++round) {
    std::string bytes = good + good;
    for (std::size_t i = 0; i < 1 + random() % 4; ++i)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto until =
        deadline::after(200ms); // one that seems the beginning of a long frame swallows the result
    const auto how = error_of([&] { pool.call_within<&wild::say>(until, bytes).get(); });
    EXPECT_TRUE(how.code() == lastcall::pool_errc{} || how.code() == pool_errc::worker_ended ||
                how.code() == pool_errc::deadline)
        << round << ": " << how.what();
    EXPECT_EQ(pool.call<&wild::add>(round, 1).get(), round + 1);
  }
}

TEST_F(Garbage, OnALifelineEndsTheWorker) {
  const int pid = pool.call<&wild::pid>().get();
  pool.call<&wild::say_on_lifeline>("no note").get();
  while (pool.pids().front() == pid) std::this_thread::yield();
  EXPECT_EQ(pool.call<&wild::add>(1, 1).get(), 2);
}

/// What the manager's side writes into the worker's channel, as if the pool had.
TEST_F(Garbage, OfAManagerEndsItsWorkerWhichSaysWhy) {
  const auto end_by = [&](const std::string& bytes) {
    const int pid = pool.call<&wild::pid>().get();
    const int fd = sockets(SOCK_STREAM).front();
    EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    while (pool.pids().front() == pid) std::this_thread::yield();
    EXPECT_EQ(pool.call<&wild::add>(1, 1).get(), 2);
  };
  auto old = head_of(frame_kind::call);
  ++old.version;
  end_by(std::string(100, 'x'));
  end_by(bytes_of(old));
  end_by(bytes_of(head_of(frame_kind{99})));
  end_by(bytes_of(head_of(frame_kind::call, ~std::uint64_t{0})));
  std::vector<std::string> ends;
  for (const auto& each : pool.stop().ends) ends.push_back(shown(each.text));
  ASSERT_EQ(ends.size(), 5U);
  ends.pop_back();
  EXPECT_EQ(ends,
            (std::vector<std::string>{"worker 0 exited with status 70: what came is no frame",
                                      "worker 0 exited with status 70: a frame of another version",
                                      "worker 0 exited with status 70: a frame of an unknown kind",
                                      "worker 0 exited with status 70: a frame is longer than the limit"}));
}

class GarbageOrders : public testing::Test {
protected:
  void SetUp() override { ::alarm(90); }
  /// Once it waits for orders again.
  std::size_t descriptors_of_zygote() const {
    const std::string call = "/proc/" + std::to_string(nursery.pid()) + "/syscall";
    for (long number = 0; number != SYS_ppoll; std::this_thread::yield()) std::ifstream{call} >> number;
    const std::filesystem::directory_iterator all{"/proc/" + std::to_string(nursery.pid()) + "/fd"};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }
  void order(const void* bytes, std::size_t size, std::vector<int> fds) const {
    std::array<iovec, 1> piece{{{const_cast<void*>(bytes), size}}};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 50)> room{};
    msghdr message{};
    message.msg_iov = piece.data();
    message.msg_iovlen = 1;
    if (!fds.empty()) {
      message.msg_control = room.data();
      message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
      cmsghdr* const head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
      std::memcpy(CMSG_DATA(head), fds.data(), fds.size() * sizeof(int));
    }
    EXPECT_EQ(::sendmsg(control, &message, MSG_NOSIGNAL), static_cast<ssize_t>(size));
  }
  /// It serves; and so has done what was ordered before.
  void expect_service() {
    pool_of_subjects pool{nursery, {.workers = 1}};
    EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
  }
  lastcall::zygote nursery;
  int control = sockets(SOCK_SEQPACKET).front();
};

TEST_F(GarbageOrders, WithoutSenseOrDescriptorsAreDropped) {
  expect_service();
  const auto before = descriptors_of_zygote();
  const process_setup setup;
  std::string longer(2 * sizeof setup, 'x');
  order("no order", 8, {});
  order("no order", 8, {0, 1, 2});
  order(&setup, sizeof setup, {});
  order(&setup, sizeof setup - 1, {0});
  order(longer.data(), longer.size(), {0, 1});
  std::mt19937_64 random{4};
  for (int round = 0; round < 500; ++round) {
    std::string bytes(random() % sizeof setup + 1, '\0');
    if (bytes.size() == sizeof setup) continue;
    for (char& each : bytes) each = static_cast<char>(random());
    order(bytes.data(), bytes.size(), std::vector<int>(random() % 10));
  }
  expect_service();
  EXPECT_EQ(descriptors_of_zygote(), before);
}

TEST_F(GarbageOrders, ThatMakeAProcessWithoutItsDescriptorsAreToldOfItsEnd) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  process_setup setup;
  setup.manager = ::getpid();
  for (const auto what : {process_setup::role::worker, process_setup::role::log_writer}) {
    setup.what = what;
    for (const bool known : {false, true}) {
      setup.version = process_setup::the_version + (known ? 0 : 1);
      order(&setup, sizeof setup, {ends[1]});
      auto it = lastcall::detail::launched_process::by_certificate(
          lastcall::raw_fd::own(::fcntl(ends[0], F_DUPFD_CLOEXEC, 3)), {});
      for (it.look(); !it.end(); it.look()) {
        lastcall::sys::awaited note{it.watched(), lastcall::sys::readable};
        lastcall::sys::poll_many({&note, 1}, -1);
      }
      EXPECT_EQ(describe(*it.end()), "exited with status 70");
    }
  }
  ::close(ends[0]);
  ::close(ends[1]);
  expect_service();
}

TEST_F(GarbageOrders, WithTooManyDescriptorsAreRefusedAndNoneIsKept) {
  expect_service();
  const auto before = descriptors_of_zygote();
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const process_setup setup;
  order(&setup, sizeof setup, std::vector<int>(50, ends[1]));
  ::close(ends[1]);
  auto it = lastcall::detail::launched_process::by_certificate(lastcall::raw_fd::own(ends[0]), {});
  for (it.look(); !it.end(); it.look()) {
    lastcall::sys::awaited note{it.watched(), lastcall::sys::readable};
    lastcall::sys::poll_many({&note, 1}, -1);
  }
  EXPECT_EQ(it.birth_error(), EMFILE);
  EXPECT_EQ(it.birth_failed_at(), lastcall::sys::call::recvmsg);
  expect_service();
  EXPECT_EQ(descriptors_of_zygote(), before);
}

} // namespace
