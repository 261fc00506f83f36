// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/errors.hpp>

#include <string>

namespace lastcall {

namespace {

class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "lastcall.runtime"; }
  std::string message(int value) const override {
    switch (static_cast<runtime_errc>(value)) {
    case runtime_errc::no_runtime: return "there is no runtime: make a lastcall::runtime first";
    case runtime_errc::live: return "a runtime is live already in this process";
    case runtime_errc::ending: return "the runtime is ending, nothing new can begin";
    case runtime_errc::over: return "the runtime that this belongs to has ended";
    case runtime_errc::never_ends:
      return "this wait would never end: whom it is for is parked or cannot be had";
    case runtime_errc::forbidden: return "this runtime allows no daemons";
    }
    return "unknown runtime error";
  }
};

} // namespace

const std::error_category& runtime_category() noexcept {
  static constinit category the_category;
  return the_category;
}

std::error_code make_error_code(runtime_errc what) noexcept {
  return {static_cast<int>(what), runtime_category()};
}

} // namespace lastcall
