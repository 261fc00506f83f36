// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "value.hpp"

#include <lastcall/runtime/finalizer.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tiny {

struct text final : cell {
  text(world& home, std::string its) : cell{home, tiny::kind::text}, letters{std::move(its)} {}
  std::string letters;
};

/// Attributes by name, and perhaps a finalizer: a function that is called with the object once, when nobody
/// refers to it any more, or at the end of the runtime. That it is once and at the latest then is the promise
/// of lastcall::finalizer.
struct object final : cell {
  object(world& home, value its_finalizer);
  void forget() noexcept override;
  value* find(std::int32_t name) noexcept;
  void set(std::int32_t name, const value& to);

  std::vector<std::pair<std::int32_t, value>> attributes;
  value finalizer; ///< nil: none
  std::optional<lastcall::finalizer> last;
};

/// Held by one thread until that gives it back. 1 while it is.
struct lock final : cell {
  explicit lock(world& home) : cell{home, tiny::kind::lock} {}
  std::atomic<std::uint32_t> held{0};
  const void* holder = nullptr; ///< the thread's own_thread
};

/// A thread of the script. 1 when it has come to its end.
struct thread final : cell {
  explicit thread(world& home) : cell{home, tiny::kind::thread} {}
  std::atomic<std::uint32_t> over{0};
};

/// A function, or a word of the machine's, with the object before the dot.
struct method final : cell {
  method(world& home, value its_self, value its_function, std::int32_t its_name)
      : cell{home, tiny::kind::method},
        self{std::move(its_self)},
        function{std::move(its_function)},
        name{its_name} {}
  void forget() noexcept override {
    self.forget();
    function.forget();
  }
  value self;
  value function; ///< nil: `name` is one of the machine's words
  std::int32_t name;
};

} // namespace tiny
