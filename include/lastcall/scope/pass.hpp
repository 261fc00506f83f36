// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/scope/gate_words.hpp>

#include <utility>

namespace lastcall {

/// The right to be inside a gate, given back when it is destroyed. Movable; an empty one holds nothing.
///
/// Threads: it may be given back on another thread than it was taken on; one pass is used by one thread at a
///   time, as any object.
class [[nodiscard]] pass {
public:
  pass() noexcept = default;
  pass(pass&& other) noexcept : words_{std::exchange(other.words_, nullptr)}, home_{other.home_} {}
  pass& operator=(pass&& other) noexcept {
    if (this != &other) {
      leave();
      words_ = std::exchange(other.words_, nullptr);
      home_ = other.home_;
    }
    return *this;
  }
  ~pass() { leave(); }

  /// Goes out now instead of at destruction. Any thread.
  void leave() noexcept {
    if (detail::gate_words* words = std::exchange(words_, nullptr)) detail::go_out(*words, *home_);
  }
  explicit operator bool() const noexcept { return words_ != nullptr; }

private:
  friend class gate;
  pass(detail::gate_words& words, detail::gate_home& home) noexcept : words_{&words}, home_{&home} {}

  // Not the gate: it may be destroyed by whoever waits for it as soon as this pass is counted out.
  // Mutable, although no const function changes them: GCC keeps a const object without anything mutable in
  // memory, and `const auto inside = door.enter()` would cost twice as much.
  mutable detail::gate_words* words_ = nullptr;
  mutable detail::gate_home* home_ = nullptr;
};

} // namespace lastcall
