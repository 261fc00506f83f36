// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/waiting_call.hpp"

#include <sys/syscall.h>

namespace lastcall::sys {

namespace {

struct row {
  long number;
  waiting_call call;
};

using enum first_argument;

// Those in which the kernel may keep a thread, for long or, with a slow file system, unexpectedly. The upper
// ones do not exist on processors that came later.
constexpr row rows[] = {
#if defined(__x86_64__)
    {SYS_open, {"open"}},
    {SYS_stat, {"stat"}},
    {SYS_lstat, {"lstat"}},
    {SYS_access, {"access"}},
    {SYS_unlink, {"unlink"}},
    {SYS_rename, {"rename"}},
    {SYS_mkdir, {"mkdir"}},
    {SYS_poll, {"poll"}},
    {SYS_select, {"select"}},
    {SYS_epoll_wait, {"epoll_wait", descriptor}},
    {SYS_accept, {"accept", descriptor}},
    {SYS_pause, {"pause"}},
    {SYS_vfork, {"vfork"}},
#else
    {SYS_accept, {"accept", descriptor}},
#endif
    {SYS_read, {"read", descriptor}},
    {SYS_readv, {"readv", descriptor}},
    {SYS_pread64, {"pread", descriptor}},
    {SYS_preadv, {"preadv", descriptor}},
    {SYS_write, {"write", descriptor}},
    {SYS_writev, {"writev", descriptor}},
    {SYS_pwrite64, {"pwrite", descriptor}},
    {SYS_pwritev, {"pwritev", descriptor}},
    {SYS_recvfrom, {"recvfrom", descriptor}},
    {SYS_recvmsg, {"recvmsg", descriptor}},
    {SYS_recvmmsg, {"recvmmsg", descriptor}},
    {SYS_sendto, {"sendto", descriptor}},
    {SYS_sendmsg, {"sendmsg", descriptor}},
    {SYS_sendmmsg, {"sendmmsg", descriptor}},
    {SYS_accept4, {"accept4", descriptor}},
    {SYS_connect, {"connect", descriptor}},
    {SYS_ppoll, {"ppoll"}},
    {SYS_pselect6, {"pselect"}},
    {SYS_epoll_pwait, {"epoll_pwait", descriptor}},
#if defined(SYS_epoll_pwait2)
    {SYS_epoll_pwait2, {"epoll_pwait2", descriptor}},
#endif
    {SYS_futex, {"futex", word}},
    {SYS_nanosleep, {"nanosleep"}},
    {SYS_clock_nanosleep, {"clock_nanosleep"}},
    {SYS_rt_sigsuspend, {"sigsuspend"}},
    {SYS_rt_sigtimedwait, {"sigtimedwait"}},
    {SYS_wait4, {"wait4"}},
    {SYS_waitid, {"waitid"}},
    {SYS_flock, {"flock", descriptor}},
    {SYS_fcntl, {"fcntl", descriptor}},
    {SYS_ioctl, {"ioctl", descriptor}},
    {SYS_openat, {"openat"}},
    {SYS_newfstatat, {"fstatat"}},
    {SYS_statx, {"statx"}},
    {SYS_faccessat, {"faccessat"}},
    {SYS_unlinkat, {"unlinkat"}},
    {SYS_mkdirat, {"mkdirat"}},
    {SYS_renameat2, {"renameat2"}},
    {SYS_close, {"close", descriptor}},
    {SYS_fsync, {"fsync", descriptor}},
    {SYS_fdatasync, {"fdatasync", descriptor}},
    {SYS_syncfs, {"syncfs", descriptor}},
    {SYS_sync, {"sync"}},
    {SYS_msync, {"msync"}},
    {SYS_getdents64, {"getdents64", descriptor}},
    {SYS_sendfile, {"sendfile", descriptor}},
    {SYS_splice, {"splice", descriptor}},
    {SYS_copy_file_range, {"copy_file_range", descriptor}},
    {SYS_getrandom, {"getrandom"}},
    {SYS_semop, {"semop"}},
    {SYS_semtimedop, {"semtimedop"}},
    {SYS_msgrcv, {"msgrcv"}},
    {SYS_msgsnd, {"msgsnd"}},
    {SYS_mq_timedreceive, {"mq_timedreceive", descriptor}},
    {SYS_mq_timedsend, {"mq_timedsend", descriptor}},
    {SYS_io_getevents, {"io_getevents"}},
    {SYS_io_pgetevents, {"io_pgetevents"}},
    {SYS_io_uring_enter, {"io_uring_enter", descriptor}},
    {SYS_mmap, {"mmap"}},
    {SYS_munmap, {"munmap"}},
    {SYS_mprotect, {"mprotect"}},
    {SYS_membarrier, {"membarrier"}},
    {SYS_clone, {"clone"}},
    {SYS_execve, {"execve"}},
    {SYS_exit, {"exit"}},
    {SYS_exit_group, {"exit_group"}},
    {SYS_restart_syscall, {"restart_syscall"}},
};

} // namespace

waiting_call waiting_call_of(long number) noexcept {
  for (const row& each : rows)
    if (each.number == number) return each.call;
  return {};
}

} // namespace lastcall::sys
