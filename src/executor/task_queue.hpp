// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/executor/task.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace lastcall::detail {

/// Tasks in their order, linked by themselves. Does not own: whoever takes one out does.
///
/// They hang together in strings, so that many are taken without a look at each: whoever does that holds a
/// pool's lock, and a task that somebody else has written is a cache miss. The first of a string knows how
/// many are in it and where the next one begins.
class task_queue {
public:
  static constexpr std::uint32_t longest_string = 32;

  bool empty() const noexcept { return count_ == 0; }
  std::size_t size() const noexcept { return count_; }

  void push(task* one) noexcept {
    one->next = nullptr;
    if (count_ != 0 && last_ != nullptr && last_string_->in_string < longest_string) {
      last_->next = one;
      ++last_string_->in_string;
    } else {
      one->in_string = 1;
      one->next_string = nullptr;
      (count_ == 0 ? first_ : last_string_->next_string) = one;
      last_string_ = one;
    }
    last_ = one;
    ++count_;
  }

  task* pop() noexcept {
    if (count_ == 0) return nullptr;
    --count_;
    task* const one = first_;
    if (one->in_string == 1) {
      first_ = one->next_string;
      return one;
    }
    task* const next = one->next;
    next->in_string = one->in_string - 1;
    next->next_string = one->next_string;
    __builtin_prefetch(next->next, 1); // the next look here, which is some ten nanoseconds away
    first_ = next;
    if (last_string_ == one) last_string_ = next;
    return one;
  }

  /// `count` of the first, or some fewer where that spares a look at each; at least one if there is one.
  task_queue take(std::size_t count) noexcept {
    task_queue taken;
    if (count_ == 0) return taken;
    if (count >= count_) return std::exchange(*this, {});
    if (first_->in_string > count) {
      do taken.push(pop());
      while (taken.count_ < count);
      return taken;
    }
    taken.first_ = first_;
    while (count_ != 0 && taken.count_ + first_->in_string <= count) {
      taken.last_string_ = first_;
      taken.count_ += first_->in_string;
      count_ -= first_->in_string;
      first_ = first_->next_string;
    }
    taken.close();
    return taken;
  }

  void append(const task_queue& others) noexcept {
    if (others.empty()) return;
    (count_ == 0 ? first_ : last_string_->next_string) = others.first_;
    last_string_ = others.last_string_;
    last_ = others.last_;
    count_ += others.count_;
  }

private:
  // Nothing is added to its last string any more, whose end nobody has looked for.
  void close() noexcept {
    last_string_->next_string = nullptr;
    last_ = nullptr;
  }

  task* first_ = nullptr;       ///< of the first string
  task* last_string_ = nullptr; ///< the first of the last string
  task* last_ = nullptr;        ///< of all; null where strings were taken from another queue
  std::size_t count_ = 0;
};

} // namespace lastcall::detail
