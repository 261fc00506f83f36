// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/launched_process.hpp"

#include "process/process_watch.hpp"
#include "sys/channel.hpp"
#include "sys/process_calls.hpp"

#include <cerrno>

namespace lastcall::detail {

launched_process launched_process::by_certificate(raw_fd certificate) noexcept {
  launched_process it;
  it.certificate_ = std::move(certificate);
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
    const auto size = sys::receive_with_fds(certificate_.number(), &note, sizeof note, {&fd, 1}, fds);
    if (size == -EAGAIN || size == -EINTR) return;
    if (size == sizeof note)
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
    if (signal_due_ != 0) signal(signal_due_);
    break;
  case certificate_note::what::not_born:
    birth_error_ = note.value;
    end_ = process_end{};
    break;
  case certificate_note::what::ended: end_ = process_end{note.pid, note.how, note.value, false}; break;
  }
}

// The zygote has ended: its last words on this child are all that were heard.
void launched_process::orphaned() noexcept {
  certificate_ = {};
  if (pidfd_.is_open()) return;
  birth_error_ = ESRCH;
  end_ = process_end{};
}

void launched_process::signal(int number) noexcept {
  if (pidfd_.is_open())
    sys::pidfd_send_signal(pidfd_.number(), number);
  else if (signal_due_ != SIGKILL)
    signal_due_ = number;
}

} // namespace lastcall::detail
