// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/launched_process.hpp"

#include "process/process_watch.hpp"
#include "sys/channel.hpp"
#include "sys/process_calls.hpp"

#include <cerrno>

namespace lastcall::detail {

launched_process launched_process::by_certificate(raw_fd certificate, raw_fd place) noexcept {
  launched_process it;
  it.certificate_ = std::move(certificate);
  it.place_ = std::move(place);
  return it;
}

launched_process launched_process::by_pidfd(pid_t pid, raw_fd pidfd) noexcept {
  launched_process it;
  it.pid_ = pid;
  it.pidfd_ = std::move(pidfd);
  return it;
}

void launched_process::look() noexcept {
  while (certificate_.is_open() && !end_) {
    certificate_note note;
    int fd = -1;
    std::size_t fds = 0;
    place_ = {};
    const auto size = sys::receive_with_fds(certificate_.number(), &note, sizeof note, {&fd, 1}, fds);
    if (size == -EAGAIN || size == -EINTR) {
      if (pid_ == 0) place_ = raw_fd::own(sys::open_nothing());
      return;
    }
    if (size == sizeof note || size == -EMFILE)
      take(note, fds == 1 ? fd : -1);
    else
      orphaned();
  }
  if (!end_ && pidfd_.is_open()) end_ = reaped(pid_, pidfd_.number());
}

void launched_process::take(const certificate_note& note, int fd) noexcept {
  switch (note.kind) {
  case certificate_note::what::born:
    pid_ = note.pid;
    pidfd_ = raw_fd::own(fd);
    // One that cannot be signalled is of no use; it ends by its lifeline, which is cut with its slot.
    if (!pidfd_.is_open()) return not_born(sys::call::recvmsg, EMFILE);
    if (signal_due_ != 0) signal(signal_due_);
    break;
  case certificate_note::what::not_born: return not_born(note.at, note.value);
  case certificate_note::what::ended: end_ = process_end{note.pid, note.how, note.value, false}; break;
  }
}

// The zygote has ended: its last words on this child are all that were heard.
void launched_process::orphaned() noexcept {
  certificate_ = {};
  is_orphan_ = true;
  if (pidfd_.is_open()) return;
  not_born(sys::call::recvmsg, ESRCH);
}

void launched_process::not_born(sys::call at, int error) noexcept {
  failed_at_ = at;
  birth_error_ = error;
  end_ = process_end{pid_};
}

void launched_process::signal(int number) noexcept {
  if (pidfd_.is_open())
    sys::pidfd_send_signal(pidfd_.number(), number);
  else if (signal_due_ != SIGKILL)
    signal_due_ = number;
}

} // namespace lastcall::detail
