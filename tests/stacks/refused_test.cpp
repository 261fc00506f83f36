// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Where stacks cannot be had, or not in time.
#include "stacks/working_thread.hpp"

#include "stacks/look.hpp"

#include <lastcall/stacks/stacks.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace stacks_test;
using lastcall::stack_of;
using lastcall::text_of;

namespace {

IN_THE_SAMPLER void kill_the_sampler() { ::syscall(SYS_kill, ::syscall(SYS_getpid), SIGKILL); }
std::uint32_t stopping = 0;
IN_THE_SAMPLER void stop_the_sampler() {
  __atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
  ::syscall(SYS_kill, ::syscall(SYS_getpid), SIGSTOP);
}
void await_its_stop() {
  while (__atomic_load_n(&stopping, __ATOMIC_ACQUIRE) == 0) std::this_thread::yield();
}

// Runs in a process of its own, which may give up rights, and says what it got as text.
std::string in_a_child(const std::function<std::string()>& run) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    const std::string said = run();
    static_cast<void>(!::write(ends[1], said.data(), said.size()));
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  std::array<char, 4096> bytes{};
  for (ssize_t size = 0; (size = ::read(ends[0], bytes.data(), bytes.size())) > 0;)
    said.append(bytes.data(), static_cast<std::size_t>(size));
  ::close(ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << said;
  return said;
}

std::string own_stack() { return text_of(stack_of(::getpid(), some_time())); }

// As an ordinary user, so that the kernel does refuse.
void become_nobody() {
  if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(1);
}

// One system call, answered by what a filter may do with it.
void filter(int call, std::uint32_t answer) {
  std::array<sock_filter, 4> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0}, // its number
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(call)},
      {BPF_RET | BPF_K, 0, 0, answer},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog whole{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) != 0)
    ::_exit(1);
}

std::string behind_a_filter(int call, std::uint32_t answer) {
  return in_a_child([&] {
    filter(call, answer);
    return own_stack();
  });
}

std::string line(const std::string& reason) { return "\n    no stack: " + reason; }

} // namespace

TEST(Refused, AProcessThatIsNotDumpable) {
  const std::string said = in_a_child([] {
    become_nobody();
    ::prctl(PR_SET_DUMPABLE, 0);
    return own_stack();
  });
  EXPECT_EQ(said.front(), '"') << said;
  EXPECT_TRUE(
      said.ends_with(line("ptrace is not permitted (the process is not dumpable, or a security module or "
                          "container forbids it)")))
      << said;
}

TEST(Refused, AnOrdinaryUserIsNot) {
  const std::string said = in_a_child([] {
    become_nobody();
    ::prctl(PR_SET_DUMPABLE, 1);
    return own_stack();
  });
  EXPECT_NE(said.find("own_stack()"), std::string::npos) << said;
}

TEST(Refused, AThreadThatIsTracedAlready) {
  const a_pipe go;
  const pid_t parent = ::getpid();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    go.take();
    const std::string said = own_stack();
    static_cast<void>(!::write(ends[1], said.data(), said.size()));
    ::_exit(0);
  }
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, child, nullptr, nullptr), 0);
  go.send();
  std::array<char, 4096> bytes{};
  ASSERT_GT(::read(ends[0], bytes.data(), bytes.size() - 1), 0);
  EXPECT_NE(std::string{bytes.data()}.find(line("process " + std::to_string(parent) +
                                                " traces the thread already (a debugger, strace)")),
            std::string::npos)
      << bytes.data();
  ::waitpid(child, nullptr, 0);
}

TEST(Refused, AFilterThatForbidsTracing) {
  const std::string said = behind_a_filter(SYS_ptrace, SECCOMP_RET_ERRNO | EACCES);
  EXPECT_TRUE(said.ends_with(line("ptrace: Permission denied"))) << said;
}

// Only the sampler ends, not the process.
TEST(Refused, AFilterThatEndsWhoTraces) {
  for (const std::uint32_t answer : {SECCOMP_RET_TRAP, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD}) {
    const std::string said = behind_a_filter(SYS_ptrace, answer);
    EXPECT_TRUE(said.ends_with(line("the process that was to take it has been killed"))) << said;
  }
}

TEST(Refused, AFilterThatForbidsProcesses) {
  const std::string said = behind_a_filter(SYS_clone, SECCOMP_RET_ERRNO | EAGAIN);
  EXPECT_TRUE(said.ends_with(line("no process could be made to take it: Resource temporarily unavailable")))
      << said;
}

TEST(Refused, AFilterThatForbidsCopies) {
  const std::string said = behind_a_filter(SYS_process_vm_readv, SECCOMP_RET_ERRNO | EPERM);
  EXPECT_NE(said.find("\n    … "), std::string::npos) << said;
}

TEST(Refused, NoThreadMayBeStarted) {
  const std::string said = in_a_child([] {
    become_nobody();
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NPROC, &none);
    return own_stack();
  });
  EXPECT_TRUE(said.ends_with(line("no thread could be started for it: Resource temporarily unavailable")))
      << said;
}

TEST(Refused, NoDescriptor) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer of undefined behaviour needs one to look at objects";
#endif
  const std::string said = in_a_child([] {
    const rlimit few{3, 3};
    ::setrlimit(RLIMIT_NOFILE, &few);
    return own_stack();
  });
  EXPECT_NE(
      said.find("\n    no stack: libdwfl cannot look at this process: /proc/self/maps: Too many open files"),
      std::string::npos)
      << said;
}

TEST(Refused, NoMemoryForCopies) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer has taken all addresses";
#elif defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer needs memory of its own";
#endif
  const std::string said = in_a_child([] {
    const rlimit few{1, 1};
    ::setrlimit(RLIMIT_AS, &few);
    return own_stack();
  });
  EXPECT_NE(said.find("\n    no stack: "), std::string::npos) << said;
}

TEST(Refused, TheSamplerIsKilledInTheMiddle) {
  std::atomic<bool> enough{false};
  std::atomic<long> rounds{0};
  const working_thread busy{[&] {
    while (!enough) ++rounds;
  }};
  lastcall::stacks::in_the_middle = &kill_the_sampler;
  EXPECT_EQ(stack_of(busy.id(), some_time()).missing, "the process that was to take it has been killed");
  lastcall::stacks::in_the_middle = nullptr;
  for (const long before = rounds; rounds == before;) std::this_thread::yield(); // it goes on
  EXPECT_FALSE(stack_of(busy.id(), some_time()).frames.empty());
  enough = true;
  EXPECT_EQ(::waitpid(-1, nullptr, __WALL | WNOHANG), -1);
}

TEST(Refused, TheSamplerIsStuck) {
  std::atomic<bool> enough{false};
  std::atomic<long> rounds{0};
  const working_thread busy{[&] {
    while (!enough) ++rounds;
  }};
  lastcall::stacks::in_the_middle = &stop_the_sampler;
  // Whose deadline is short does not wait until the sampler has been given up …
  EXPECT_EQ(stack_of(busy.id(), lastcall::deadline::after(std::chrono::seconds{1})).missing,
            "there was no time left for it");
  await_its_stop();
  EXPECT_EQ(stack_of(busy.id(), lastcall::deadline::after(std::chrono::milliseconds{1})).missing,
            "another look at stacks has not ended yet");
  lastcall::stacks::in_the_middle = nullptr;
  // … which lets go of the threads, and of the next to look.
  EXPECT_FALSE(stack_of(busy.id(), some_time()).frames.empty());
  for (const long before = rounds; rounds == before;) std::this_thread::yield();
  enough = true;
  EXPECT_EQ(::waitpid(-1, nullptr, __WALL | WNOHANG), -1);
}

// A look that is under way in the parent is none of the child's.
TEST(Refused, AForkedChildLooksForItself) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer ends a child of a process with threads that starts one";
#endif
  const a_pipe bytes;
  const working_thread other{[&] { bytes.take(); }};
  lastcall::stacks::in_the_middle = &stop_the_sampler;
  stack_of(other.id(), lastcall::deadline::after(std::chrono::seconds{1}));
  await_its_stop();
  lastcall::stacks::in_the_middle = nullptr;
  const std::string said = in_a_child([] { return own_stack(); });
  bytes.send();
  EXPECT_NE(said.find("own_stack()"), std::string::npos) << said;
}

namespace {

int read_a_byte_as_a_guest(void* from) { return static_cast<const a_pipe*>(from)->take() ? 0 : 1; }

} // namespace

// A thread that waits for a child of vfork, or for a disk, does not come to a halt.
TEST(Refused, AThreadThatCannotBeStoppedHoldsUpNoOther) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the guest in its memory confuses ThreadSanitizer";
#endif
  const a_pipe bytes, others;
  alignas(16) static std::array<char, 64UL * 1024> stack;
  const working_thread stuck{[&] {
    const int guest = ::clone(&read_a_byte_as_a_guest, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK,
                              const_cast<a_pipe*>(&bytes));
    ::waitpid(guest, nullptr, __WALL);
  }};
  const working_thread reader{[&] { others.take(); }};
  reader.asleep_in("read");
  while (lastcall::kernel_whereabouts_of(stuck.id()).find("uninterruptibly") == std::string::npos)
    std::this_thread::yield();
  const std::array both{stuck.id(), reader.id()};
  const auto stacks = lastcall::stacks_of(both, some_time());
  bytes.send();
  others.send();
  EXPECT_EQ(stacks[0].missing, "the thread did not come to a halt in time") << text_of(stacks[0]);
  EXPECT_EQ(stacks[1].missing, "") << text_of(stacks[1]);
  EXPECT_FALSE(stacks[1].frames.empty());
}
