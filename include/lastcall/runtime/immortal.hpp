// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <memory>
#include <new>
#include <utility>

namespace lastcall {

/// An object that is never destroyed: for globals that a thread may still use while the program ends.
///
/// Static destruction takes away what daemons, detached threads and late destructors may be using. An object
/// in here is still there; the kernel takes its memory back with the process.
///
///     lastcall::immortal<std::mutex> registry_lock;                 // constant-initialized, if std::mutex
///     is lastcall::immortal<std::string> greeting{"hello"}; greeting->append(", world");
///
/// Threads: as T. Limits: a leak checker takes what T has allocated for reachable, because the object is.
/// What
///   its destructor would have done (flushing, unlinking) is not done: register it with `at_exit`.
template <class T>
class immortal {
public:
  template <class... Arguments>
  constexpr explicit(sizeof...(Arguments) == 1) immortal(Arguments&&... arguments) {
    std::construct_at(&held_.object, std::forward<Arguments>(arguments)...);
  }
  immortal(const immortal&) = delete;
  immortal& operator=(const immortal&) = delete;

  constexpr T& operator*() noexcept { return held_.object; }
  constexpr const T& operator*() const noexcept { return held_.object; }
  constexpr T* operator->() noexcept { return &held_.object; }
  constexpr const T* operator->() const noexcept { return &held_.object; }

private:
  union storage {
    constexpr storage() noexcept : none{} {}
    constexpr ~storage() {}
    char none;
    T object;
  } held_;
};

} // namespace lastcall
