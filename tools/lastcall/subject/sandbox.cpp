// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "subject/sandbox.hpp"

#include "subject/cannot_check.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace checker {
namespace fs = std::filesystem;
namespace {

bool write_file(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool wrote = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  return ::close(fd) == 0 && wrote;
}

/// Makes this process privileged in a user namespace of its own, in which it keeps its ids.
bool enter_user_namespace() {
  const auto user = std::to_string(::geteuid());
  const auto group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER) != 0) return false;
  return write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", user + ' ' + user + " 1") &&
         write_file("/proc/self/gid_map", group + ' ' + group + " 1");
}

bool make_mounts_private() { return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0; }

/// The same in a chroot, whose root is no mount point: from the real root of our own mount namespace.
/// Entering the namespace we are in leads there; the way back is by the descriptor.
bool make_mounts_private_in_chroot() {
  const int root = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  const int here = ::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  const bool left = root >= 0 && here >= 0 && ::setns(here, CLONE_NEWNS) == 0;
  const bool made = left && make_mounts_private();
  const bool back = left && ::fchdir(root) == 0 && ::chroot(".") == 0;
  if (root >= 0) ::close(root);
  if (here >= 0) ::close(here);
  return made && back;
}

/// A mount namespace of this process's own, privileged or in a user namespace.
bool enter_mount_namespace() {
  if (::geteuid() != 0 && !enter_user_namespace()) return false;
  return ::unshare(CLONE_NEWNS) == 0 && (make_mounts_private() || make_mounts_private_in_chroot());
}

bool mount_proc() { return ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, nullptr) == 0; }

/// Goes on as PID 1 of a new pid namespace, with a /proc that shows it. The process that was stays behind
/// as a shell: it waits for the new one and ends as it does.
bool enter_pid_namespace() {
  if (::unshare(CLONE_NEWPID) != 0) return false;
  const pid_t next = ::fork();
  if (next < 0) return false;
  if (next == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    return mount_proc();
  }
  int status = 0;
  while (::waitpid(next, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/// Tried by a process that is thrown away: a half-entered sandbox could not be left again.
bool namespaces_permitted() {
  const pid_t probe = ::fork();
  if (probe == 0) ::_exit(enter_mount_namespace() && enter_pid_namespace() ? 0 : 1);
  int status = 1;
  while (probe > 0 && ::waitpid(probe, &status, 0) < 0 && errno == EINTR) {
  }
  return probe > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void make_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    throw_cannot("create directory " + path.string());
}

} // namespace

sandbox::sandbox(const std::optional<fs::path>& original, const tree_image& initial, fs::path base,
                 unsigned index, isolation how)
    : initial_(initial), base_(std::move(base)), used_(how) {
  if (how != isolation::subreaper) enter_namespaces();
  if (used_ == isolation::namespaces) {
    base_ /= "run";
    if (original) {
      seen_as_ = fs::canonical(*original);
      covers_original_ = true;
    }
  } else {
    base_ /= "run" + std::to_string(index);
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) throw_cannot("adopt orphans");
  }
  make_directory(base_);
  work_ = base_ / "work";
  tmp_ = base_ / "tmp";
  if (!covers_original_) seen_as_ = work_;
}

sandbox::~sandbox() {
  if (used_ == isolation::namespaces) return; // the mounts go with the process
  std::error_code ignored;
  fs::remove_all(base_, ignored);
}

void sandbox::enter_namespaces() {
  if (used_ == isolation::automatic && !namespaces_permitted()) {
    used_ = isolation::subreaper;
    return;
  }
  used_ = isolation::namespaces;
  if (!enter_mount_namespace() || !enter_pid_namespace()) throw_cannot("enter namespaces of its own");
}

void sandbox::remount() {
  if (mounted_) {
    if (covers_original_) (void)::umount2(seen_as_.c_str(), MNT_DETACH);
    (void)::umount2(base_.c_str(), MNT_DETACH);
  }
  mounted_ = false;
  if (::mount("lastcall", base_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) {
    throw_cannot("mount a tmpfs on " + base_.string());
  }
  mounted_ = true;
  make_directory(work_);
  make_directory(tmp_);
  if (covers_original_ && ::mount(work_.c_str(), seen_as_.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    throw_cannot("lay a copy over " + seen_as_.string());
  }
}

void sandbox::lay_out() {
  if (used_ == isolation::namespaces) {
    remount();
  } else {
    fs::remove_all(work_);
    fs::remove_all(tmp_);
    make_directory(work_);
    make_directory(tmp_);
  }
  initial_.lay_out(work_);
}

} // namespace checker
