// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/process_hooks.hpp"

#include "sys/admit.hpp"

namespace lastcall::sys {

int make_thread_end_key(pthread_key_t& key, void (*ended)(void*)) noexcept {
  if (const int refused = admit(call::thread_key)) return -refused;
  return -::pthread_key_create(&key, ended);
}

int set_at_thread_end(pthread_key_t key, void* value) noexcept {
  if (const int refused = admit(call::thread_key)) return -refused;
  return -::pthread_setspecific(key, value);
}

int at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
  if (const int refused = admit(call::at_fork)) return -refused;
  return -::pthread_atfork(before, in_parent, in_child);
}

} // namespace lastcall::sys
