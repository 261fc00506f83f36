// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/executor/errors.hpp>

#include <string>

namespace lastcall {

namespace {

class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "lastcall.executor"; }
  std::string message(int value) const override {
    switch (static_cast<executor_errc>(value)) {
    case executor_errc::closed: return "it has been closed and takes nothing more";
    case executor_errc::full: return "it is full";
    case executor_errc::dropped: return "it was discarded before it ran";
    case executor_errc::unfinished: return "its thread ended before it did";
    case executor_errc::broken: return "it is broken: none of its threads can run anything";
    case executor_errc::forked: return "it belongs to the parent of this process";
    case executor_errc::shut_down: return "the queue has been shut down";
    }
    return "unknown executor error";
  }
};

} // namespace

const std::error_category& executor_category() noexcept {
  static constinit category the_category;
  return the_category;
}

std::error_code make_error_code(executor_errc what) noexcept {
  return {static_cast<int>(what), executor_category()};
}

} // namespace lastcall
