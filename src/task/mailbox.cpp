// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "task/mailbox.hpp"

#include <asio/post.hpp>

#include <utility>

namespace lastcall::detail {

bool mailbox::post(std::function<void()> fn) {
  const std::scoped_lock guard{lock_};
  if (to_ == nullptr) return false;
  asio::post(*to_, std::move(fn));
  return true;
}

void mailbox::close() noexcept {
  const std::scoped_lock guard{lock_};
  to_ = nullptr;
}

} // namespace lastcall::detail
