// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/failure_text.hpp"

#include <cstdlib>
#include <exception>
#include <memory>
#include <typeinfo>

#include <cxxabi.h>

namespace lastcall::detail {
namespace {

std::string readable(const char* mangled) {
  struct freed {
    void operator()(char* text) const noexcept { std::free(text); }
  };
  int status = 0;
  const std::unique_ptr<char, freed> text{abi::__cxa_demangle(mangled, nullptr, nullptr, &status)};
  return text ? text.get() : mangled;
}

std::string spelled_out() {
  try {
    throw;
  } catch (const std::exception& error) {
    std::string text = error.what();
    try {
      std::rethrow_if_nested(error);
    } catch (...) {
      text += ": " + spelled_out();
    }
    return text;
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    return type ? "exception of type " + readable(type->name()) : "exception of a foreign language";
  }
}

} // namespace

std::string failure_text() noexcept {
  try {
    return spelled_out();
  } catch (...) {
    return "out of memory"; // short enough to need none
  }
}

} // namespace lastcall::detail
