// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/admit.hpp"

#include <cstdint>

#include <pthread.h>

namespace lastcall::sys {

/// Starts a thread that has every signal blocked but the synchronous ones (a fault in it must still
/// kill), and names it. The mask comes with the thread's attributes, so the caller's own mask is never
/// touched: there is no stretch in which a signal to the caller would wait. 0 or minus an errno.
int start_deaf_thread(pthread_t& thread, void* (*run)(void*), void* argument, const char* name) noexcept;

/// Starts a thread with its creator's mask. 0 or minus an errno.
int start_thread(pthread_t& thread, void* (*run)(void*), void* argument) noexcept;
/// Names the calling thread. The name must not be longer than 15.
void name_this_thread(const char* name) noexcept;

/// Waits for the thread's end; false when it has not ended within `ns`. Then it may be left to itself.
bool join(pthread_t thread, std::int64_t ns) noexcept;
void detach(pthread_t thread) noexcept;

} // namespace lastcall::sys
