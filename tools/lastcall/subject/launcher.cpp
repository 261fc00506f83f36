// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "subject/launcher.hpp"

#include "subject/cannot_check.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Who is whose parent.
//
//   worker ── init     PID 1 of a new pid namespace, forked with CLONE_NEWPID
//      └───── subject  PID 2 there: the worker enters the namespace for its children only, and leaves it
//      again
//
// The worker is to be the subject's real parent, so that it sees the end of it as any parent does, and its
// tracer. (Init cannot make it with CLONE_PARENT: that is forbidden to a PID 1.) The subject takes a mount
// namespace of its own, for a /proc that shows its pid namespace.
//
// The handshake: the subject says that it is there, waits until it is being traced, then execs. The socket
// closes on a successful exec; on a failed one it carries the errno.
//
// Between fork and exec only plain system calls are made: the worker has one thread, so malloc would be
// safe, but an allocation would cost a copied page.

namespace checker {
namespace {

constexpr std::size_t pipe_size = std::size_t{1} << 20;

struct child_plan {
  char* const* argv;
  char* const* environment;
  const char* program;
  const char* directory;
  const char* input;
  int out;
  int err;
  int control;
  int workers_control;
  bool has_namespace;
};

[[noreturn]] void run_init() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::syscall(SYS_close_range, 0U, ~0U, 0U);
  while (true) {
    // Without a child it has nothing to do until it is killed.
    if (::waitpid(-1, nullptr, 0) < 0) ::pause();
  }
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) (void)::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void fail(const child_plan& plan, int error) {
  (void)::send(plan.control, &error, sizeof error, MSG_NOSIGNAL);
  ::_exit(127); // NOLINT(readability-magic-numbers): what shells use
}

/// From here on calls of this number stop for the tracer. Where a filter is refused there are no such stops,
/// and the tracer sees that its point was not reached.
void install_filter(std::int64_t stop_at) {
#if defined(__x86_64__)
  constexpr std::uint32_t processor = AUDIT_ARCH_X86_64;
#else
  constexpr std::uint32_t processor = AUDIT_ARCH_AARCH64;
#endif
  std::array<sock_filter, 6> steps{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, processor, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(stop_at), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{static_cast<unsigned short>(steps.size()), steps.data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) return;
  // Without privileges only for those who give up gaining any, which a traced program cannot do anyway.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
    (void)::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

[[noreturn]] void become_subject(const child_plan& plan) {
  if (plan.has_namespace && ::unshare(CLONE_NEWNS) == 0) {
    // Where it is not permitted the outer /proc stays.
    (void)::mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, nullptr);
  }
  // With our copy of the worker's end open, recv() below would outlive a worker that was killed.
  ::close(plan.workers_control);
  ::setsid();
  reset_signals();
  const int input = ::open(plan.input, O_RDONLY | O_CLOEXEC);
  if (input < 0 || ::dup2(input, 0) < 0 || ::dup2(plan.out, 1) < 0 || ::dup2(plan.err, 2) < 0)
    fail(plan, errno);
  if (::chdir(plan.directory) != 0) fail(plan, errno);
  // Nothing of ours stays open in it, and addresses are the same in every run.
  ::syscall(SYS_close_range, 3U, ~0U, static_cast<unsigned>(CLOSE_RANGE_CLOEXEC));
  ::personality(static_cast<unsigned long>(ADDR_NO_RANDOMIZE));
  constexpr int ready = 0;
  std::int64_t stop_at = launcher::no_call;
  if (::send(plan.control, &ready, sizeof ready, MSG_NOSIGNAL) < 0) fail(plan, errno);
  if (::recv(plan.control, &stop_at, sizeof stop_at, 0) <= 0)
    ::_exit(127); // NOLINT(readability-magic-numbers)
  if (stop_at != launcher::no_call) install_filter(stop_at);
  ::execvpe(plan.program, plan.argv, plan.environment);
  fail(plan, errno);
}

/// fork() with extra flags, which glibc does not offer; nor does it run the hooks of a sanitizer's runtime,
/// which would start a thread in the child.
pid_t fork_with(unsigned long flags) {
#if defined(__x86_64__)
  return static_cast<pid_t>(::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, 0));
#else
  return static_cast<pid_t>(::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, 0, nullptr));
#endif
}

/// What the subject says before it waits: 0, or the errno of what failed. EPROTO: it was gone before.
int receive_hello(int socket) {
  int error = EPROTO;
  return ::recv(socket, &error, sizeof error, 0) == sizeof error ? error : EPROTO;
}

/// The environment of the subject: ours with TMPDIR and PWD replaced.
std::vector<std::string> environment_for(const std::string& directory, const std::string& tmp) {
  std::vector<std::string> result;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string one{*at};
    if (!one.starts_with("TMPDIR=") && !one.starts_with("PWD=") && !one.starts_with("OLDPWD="))
      result.push_back(one);
  }
  result.push_back("TMPDIR=" + tmp);
  result.push_back("PWD=" + directory);
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

void make_pipe(int& read_end, int& write_end) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_cannot("create a pipe");
  read_end = ends[0];
  write_end = ends[1];
  (void)::fcntl(read_end, F_SETFL, O_NONBLOCK);
  (void)::fcntl(read_end, F_SETPIPE_SZ, static_cast<int>(pipe_size));
}

void close_fd(int& fd) noexcept {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

} // namespace

launcher::launcher(isolation how, std::filesystem::path input) : how_(how), input_(std::move(input)) {
  if (how_ != isolation::namespaces) return;
  own_namespace_ = ::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
  if (own_namespace_ < 0) throw_cannot("open its own pid namespace");
}

launcher::~launcher() { close_fd(own_namespace_); }

/// Makes PID 1 of a new namespace and lets the next child be born there.
void launcher::create_init(launched& what) const {
  const pid_t init = fork_with(CLONE_NEWPID);
  if (init == 0) run_init();
  if (init < 0) throw_cannot("create a process");
  what.init = init;
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, init, 0));
  const bool entered = handle >= 0 && ::setns(handle, CLONE_NEWPID) == 0;
  const int error = errno;
  if (handle >= 0) ::close(handle);
  if (!entered) {
    ::kill(init, SIGKILL);
    (void)::waitpid(init, nullptr, __WALL);
    throw_cannot("enter a pid namespace", error);
  }
}

void launcher::leave_run_namespace() const {
  if (::setns(own_namespace_, CLONE_NEWPID) != 0) throw_cannot("leave a pid namespace");
}

launched launcher::create(const std::string& program, const std::vector<std::string>& argv,
                          const std::filesystem::path& directory, const std::filesystem::path& tmp) const {
  auto arguments = argv;
  auto environment = environment_for(directory, tmp);
  const auto argument_pointers = pointers_to(arguments);
  const auto environment_pointers = pointers_to(environment);

  launched result;
  result.program = program;
  std::array<int, 2> control{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control.data()) != 0)
    throw_cannot("create a socket");
  result.control = control[0];
  int subject_end = control[1];
  int out = -1;
  int err = -1;
  make_pipe(result.out, out);
  make_pipe(result.err, err);

  const bool namespaced = how_ == isolation::namespaces;
  const child_plan plan{argument_pointers.data(),
                        environment_pointers.data(),
                        program.c_str(),
                        directory.c_str(),
                        input_.c_str(),
                        out,
                        err,
                        subject_end,
                        result.control,
                        namespaced};
  if (namespaced) create_init(result);
  result.subject = fork_with(0);
  const int error = errno;
  if (result.subject == 0) become_subject(plan);
  if (namespaced) leave_run_namespace();
  close_fd(subject_end);
  close_fd(out);
  close_fd(err);
  const int failure = result.subject < 0 ? error : receive_hello(result.control);
  if (failure == 0) return result;
  close_all(result);
  if (result.subject > 0) ::kill(result.subject, SIGKILL);
  if (result.init > 0) ::kill(result.init, SIGKILL);
  while (::waitpid(-1, nullptr, __WALL) > 0) {
  }
  throw_cannot("prepare the program's process", failure);
}

void launcher::release(const launched& what, std::int64_t stop_at) noexcept {
  (void)::send(what.control, &stop_at, sizeof stop_at, MSG_NOSIGNAL);
}

int launcher::exec_error(const launched& what) noexcept {
  int error = 0;
  return ::recv(what.control, &error, sizeof error, MSG_DONTWAIT) == sizeof error ? error : 0;
}

void launcher::close_all(launched& what) noexcept {
  close_fd(what.out);
  close_fd(what.err);
  close_fd(what.control);
}

} // namespace checker
