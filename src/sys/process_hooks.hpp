// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <pthread.h>

/// What libc calls back: at a thread's end and around fork. 0 or minus an errno.
namespace lastcall::sys {

/// `ended` is called at the end of each thread that has a value set, with that value, after the thread's
/// thread_local objects are gone. One that sets a value again is called for again, a few times.
int make_thread_end_key(pthread_key_t& key, void (*ended)(void*)) noexcept;
int set_at_thread_end(pthread_key_t key, void* value) noexcept;

/// Around every fork through libc, on the forking thread: `before`, then `in_parent` and `in_child`.
int at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept;

} // namespace lastcall::sys
