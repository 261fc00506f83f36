// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/a_pipe.hpp"
#include "interrupt/random_moments.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

struct a_directory {
  a_directory() { EXPECT_NE(::mkdtemp(name.data()), nullptr); }
  ~a_directory() { std::filesystem::remove_all(name); }
  std::string at(const char* what) const { return name + "/" + what; }
  std::string name = (std::filesystem::temp_directory_path() / "lastcall-io-XXXXXX").string();
};

struct a_socket {
  explicit a_socket(int family = AF_UNIX) : fd{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)} {}
  ~a_socket() { ::close(fd); }
  a_socket(const a_socket&) = delete;
  a_socket& operator=(const a_socket&) = delete;
  int fd;
};

struct address {
  explicit address(const std::string& path) { path.copy(where.sun_path, sizeof where.sun_path - 1); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&where); }
  static constexpr unsigned size = sizeof(sockaddr_un);
  sockaddr_un where{AF_UNIX, {}};
};

struct listening : a_socket {
  explicit listening(const address& at) {
    EXPECT_EQ(::bind(fd, at.get(), at.size), 0);
    EXPECT_EQ(::listen(fd, 0), 0);
  }
};

// A child that waits for its end.
struct a_child {
  a_child() : pid{::fork()} {
    if (pid != 0) return;
    ::alarm(100);
    for (;;) ::pause();
  }
  ~a_child() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  pid_t pid;
};

// Everything each call needs to wait for ever.
struct situation {
  situation() {
    full.fill();
    EXPECT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_EQ(::flock(locked, LOCK_EX), 0);
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    const std::array<char, 4096> junk{};
    while (::send(pair[0], junk.data(), junk.size(), MSG_DONTWAIT) > 0) {
    }
    // A backlog of 0 takes one; the next one waits.
    EXPECT_EQ(::connect(in_backlog.fd, crowded.get(), crowded.size), 0);
  }
  ~situation() {
    for (const int fd : {pair[0], pair[1], locked, lock_wanted}) ::close(fd);
  }

  a_directory directory;
  a_pipe empty, full;
  std::string fifo = directory.at("fifo"), file = directory.at("file");
  int locked = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  int lock_wanted = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  int pair[2];
  address quiet{directory.at("quiet")}, crowded{directory.at("crowded")};
  listening nobody_comes{quiet}, nobody_accepts{crowded};
  a_socket in_backlog, waiting;
  a_child child;
};

// Each call with its name; `how` stands for the forms' last arguments.
template <class Fn, class... How>
void for_the_call(const std::string& name, situation& at, Fn&& run, const How&... how) {
  char byte = 0;
  iovec piece{&byte, 1};
  pollfd watched{at.empty.out(), POLLIN, 0};
  siginfo_t info{};
  const std::atomic<std::uint32_t> word{0};
  const std::span<const iovec> pieces{&piece, 1};
  if (name == "read") run([&] { return io::read(at.empty.out(), &byte, 1, how...); });
  if (name == "readv") run([&] { return io::readv(at.empty.out(), pieces, how...); });
  if (name == "write") run([&] { return io::write(at.full.in(), &byte, 1, how...); });
  if (name == "writev") run([&] { return io::writev(at.full.in(), pieces, how...); });
  if (name == "accept4") run([&] { return io::accept4(at.nobody_comes.fd, nullptr, nullptr, 0, how...); });
  if (name == "connect")
    run([&] { return io::connect(at.waiting.fd, at.crowded.get(), at.crowded.size, how...); });
  if (name == "recv") run([&] { return io::recv(at.pair[0], &byte, 1, 0, how...); });
  if (name == "send") run([&] { return io::send(at.pair[0], &byte, 1, 0, how...); });
  if (name == "open") run([&] { return io::open(at.fifo.c_str(), O_RDONLY | O_CLOEXEC, 0, how...); });
  if (name == "flock") run([&] { return io::flock(at.lock_wanted, LOCK_EX, how...); });
  if (name == "poll") run([&] { return io::poll({&watched, 1}, deadline::after(1h), how...); });
  if (name == "waitid")
    run([&] { return io::waitid(P_PID, static_cast<unsigned>(at.child.pid), info, WEXITED, how...); });
  if (name == "futex") run([&] { return io::futex_wait(word, 0, deadline::after(1h), how...); });
  if (name == "sleep") run([&] { return io::sleep_until(deadline::after(1h), how...); });
  if (name == "call") run([&] { return io::call("read", SYS_read, {at.empty.out(), &byte, 1}, how...); });
}

class EachCall : public testing::TestWithParam<const char*> {};

} // namespace

INSTANTIATE_TEST_SUITE_P(Io, EachCall,
                         testing::Values("read", "readv", "write", "writev", "accept4", "connect", "recv",
                                         "send", "open", "flock", "poll", "waitid", "futex", "sleep", "call"),
                         [](const auto& info) { return std::string{info.param}; });

TEST_P(EachCall, IsEndedBySignalsAtRandomMoments) {
  situation at;
  signal_scope scope{{.ladder = ladder_policy::patient}};
  for_the_call(GetParam(), at, [&](auto&& fn) {
    random_moments::interrupt_owner(scope, random_moments::rounds(100'000), fn);
  });
}

TEST_P(EachCall, IsEndedBySignalsOnAnotherThreadAtRandomMoments) {
  situation at;
  signal_scope scope{{.ladder = ladder_policy::patient}};
  for_the_call(GetParam(), at, [&](auto&& fn) {
    random_moments::interrupt_from_elsewhere(scope, random_moments::rounds(5'000), fn);
  });
}

TEST_P(EachCall, IsEndedByATokenThatFiresOnAnotherThread) {
  situation at;
  const int rounds = random_moments::rounds(10'000);
  std::stop_source stop;
  random_moments::ticker firing{rounds, [&](int) { stop.request_stop(); }};
  for (int round = 0; round < rounds; ++round) {
    firing.wait_for_last();
    stop = {};
    const auto token = stop.get_token();
    firing.next();
    for_the_call(
        GetParam(), at, [](auto&& fn) { ASSERT_FALSE(fn()); }, token);
  }
  firing.wait_for_last();
}

// The program's own handler, with and without SA_RESTART, is no reason for a call to end.
TEST_P(EachCall, GoesOnAfterHandlersOfTheProgram) {
  situation at;
  for (const int flags : {0, SA_RESTART}) {
    signal_scope scope;
    struct sigaction own {};
    own.sa_handler = [](int) {};
    own.sa_flags = flags;
    ASSERT_EQ(::sigaction(SIGUSR1, &own, nullptr), 0);
    const pthread_t owner = ::pthread_self();
    std::thread sender{[&] {
      for (int i = 0; i < 500; ++i) {
        ::pthread_kill(owner, SIGUSR1);
        for (int spins = 0; spins < 2'000; ++spins) asm volatile("");
      }
      ::pthread_kill(owner, SIGINT);
    }};
    for_the_call(GetParam(), at, [&](auto&& fn) { EXPECT_THROW(fn(), interrupted); });
    sender.join();
    EXPECT_EQ(scope.acknowledge().size(), 1U);
  }
}

TEST(Io, AcceptConnectSendAndRecvDoTheirWork) {
  a_directory directory;
  const address where{directory.at("socket")};
  listening server{where};
  a_socket client;
  io::connect(client.fd, where.get(), where.size);
  const int accepted = io::accept4(server.fd, nullptr, nullptr, SOCK_CLOEXEC);
  EXPECT_EQ(io::send(client.fd, "abc", 3, 0), 3U);
  char got[4]{};
  EXPECT_EQ(io::recv(accepted, got, 3, MSG_WAITALL), 3U);
  EXPECT_STREQ(got, "abc");
  ::close(accepted);
}

TEST(Io, AConnectThatWasInterruptedIsCompletedByTheNext) {
  signal_scope scope;
  a_socket server{AF_INET};
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  unsigned size = sizeof where;
  const auto* at = reinterpret_cast<sockaddr*>(&where);
  ASSERT_EQ(::bind(server.fd, at, size), 0);
  ASSERT_EQ(::getsockname(server.fd, reinterpret_cast<sockaddr*>(&where), &size), 0);
  ASSERT_EQ(::listen(server.fd, 1), 0);
  a_socket first, second;
  std::vector<std::unique_ptr<a_socket>> crowd; // until the queue is full and a connect waits
  const pthread_t owner = ::pthread_self();
  for (bool waited = false; !waited;) {
    crowd.push_back(std::make_unique<a_socket>(AF_INET));
    std::jthread alarm{[&](std::stop_token done) {
      std::mutex lock;
      std::unique_lock guard{lock};
      std::condition_variable_any{}.wait_for(guard, done, 200ms, [] { return false; });
      if (!done.stop_requested()) ::pthread_kill(owner, SIGINT);
    }};
    try {
      io::connect(crowd.back()->fd, at, size);
    } catch (const interrupted&) {
      waited = true;
    }
  }
  scope.acknowledge();
  for (std::size_t i = 0; i + 1 < crowd.size(); ++i) ::close(io::accept4(server.fd, nullptr, nullptr, 0));
  io::connect(crowd.back()->fd, at, size);
  pollfd watched{crowd.back()->fd, POLLOUT, 0};
  EXPECT_EQ(io::poll({&watched, 1}, deadline::after(0s)), 1U);
  EXPECT_EQ(watched.revents, POLLOUT);
}

TEST(Io, PollAndFutexEndAtTheirDeadline) {
  a_pipe p;
  pollfd watched{p.out(), POLLIN, 0};
  const auto start = clock::now();
  EXPECT_EQ(io::poll({&watched, 1}, deadline::after(5ms)), 0U);
  const std::atomic<std::uint32_t> word{7};
  EXPECT_EQ(io::futex_wait(word, 7, deadline::after(5ms)), wait::futex_result::timed_out);
  EXPECT_GE(clock::now() - start, 10ms);
  EXPECT_EQ(io::poll({&watched, 1}, deadline::after(-1s)), 0U);
  EXPECT_EQ(io::futex_wait(word, 7, deadline::after(-1s)), wait::futex_result::timed_out);
  EXPECT_EQ(io::futex_wait(word, 6, deadline::never()), wait::futex_result::woken);
  p.put('x');
  EXPECT_EQ(io::poll({&watched, 1}, deadline::never()), 1U);
}

TEST(Io, WaitidTellsOfTheChild) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(7);
  siginfo_t info;
  io::waitid(P_PID, static_cast<unsigned>(child), info, WEXITED);
  EXPECT_EQ(info.si_pid, child);
  EXPECT_EQ(info.si_status, 7);
  std::error_code error;
  io::waitid(P_PID, static_cast<unsigned>(child), info, WEXITED, error);
  EXPECT_EQ(error, std::errc::no_child_process);
}

TEST(Io, BadInputIsNamed) {
  const auto fails = [](const char* call, std::errc why, auto&& fn) {
    try {
      fn();
      ADD_FAILURE() << call;
    } catch (const std::system_error& failure) {
      EXPECT_EQ(failure.code(), why) << failure.what();
      EXPECT_TRUE(std::string{failure.what()}.starts_with(call)) << failure.what();
    }
  };
  using enum std::errc;
  siginfo_t info;
  const std::vector<iovec> too_many(2000);
  const address somewhere{"somewhere"};
  a_pipe p;
  fails("accept4", bad_file_descriptor, [] { io::accept4(-1, nullptr, nullptr, 0); });
  fails("connect", not_a_socket, [&] { io::connect(p.out(), somewhere.get(), somewhere.size); });
  fails("recv", not_a_socket, [&] { io::recv(p.out(), nullptr, 0, 0); });
  fails("send", bad_file_descriptor, [] { io::send(-1, nullptr, 0, 0); });
  fails("open", bad_address, [] { io::open(nullptr, O_RDONLY, 0); });
  fails("open", no_such_file_or_directory, [] { io::open("/nowhere/at/all", O_RDONLY, 0); });
  fails("flock", bad_file_descriptor, [] { io::flock(-1, LOCK_EX); });
  fails("flock", invalid_argument, [&] { io::flock(p.out(), 0); });
  fails("waitid", invalid_argument, [&] { io::waitid(P_PID, 1, info, 0); });
  fails("readv", invalid_argument, [&] { io::readv(p.out(), too_many); });
  fails("writev", invalid_argument, [&] { io::writev(p.in(), too_many); });
  fails("poll", bad_address, [] { io::poll({static_cast<pollfd*>(nullptr), 3}, deadline::never()); });
  fails("poll", invalid_argument, [] {
    pollfd one{};
    io::poll({&one, std::size_t{1} << 31U}, deadline::never());
  });
  fails("nothing", function_not_supported, [] { io::call("nothing", 100'000, {}); });
  pollfd closed{9999, POLLIN, 0};
  EXPECT_EQ(io::poll({&closed, 1}, deadline::never()), 1U);
  EXPECT_EQ(closed.revents, POLLNVAL);
}
