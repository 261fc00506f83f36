// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/errors.hpp>

#include <lastcall/task/cancelled.hpp>
#include <lastcall/task/task_end.hpp>

#include "runtime/failure_text.hpp"

#include <cxxabi.h>
#include <typeinfo>
#include <utility>

namespace lastcall {

namespace {

class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "lastcall.task"; }
  std::string message(int value) const override {
    switch (static_cast<task_errc>(value)) {
    case task_errc::loop_over: return "the loop ends or has ended; it takes no calls any more";
    case task_errc::loop_used: return "a loop runs once; make another one";
    case task_errc::nursery_closed: return "the nursery was left; nothing is started in it any more";
    case task_errc::stuck: return "nothing will ever happen that could wake the main task";
    }
    return "unknown";
  }
};

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const cancelled& by) {
    return "cancelled by " + describe(by.by());
  } catch (...) {
    return detail::failure_text();
  }
}

} // namespace

const std::error_category& task_category() noexcept {
  static const category it;
  return it;
}

std::error_code make_error_code(task_errc what) noexcept { return {static_cast<int>(what), task_category()}; }

failures::failures(std::vector<std::exception_ptr> each, std::size_t unkept)
    : each_{std::move(each)}, unkept_{unkept} { // NOLINT(bugprone-throw-keyword-missing)
  const std::size_t all = each_.size() + unkept_;
  text_ = all == 1 ? std::string{} : std::to_string(all) + " failures: ";
  for (std::size_t i = 0; i < each_.size(); ++i) text_ += (i == 0 ? "" : "; ") + text_of(each_[i]);
  if (unkept_ != 0) text_ += "; no memory for " + std::to_string(unkept_) + " of them";
}

std::string describe(const cancellation& what) {
  std::string text{what.source.view()};
  if (!text.empty()) text += ": ";
  return text + describe(what.why);
}

namespace detail {

bool handling_cancelled() noexcept {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  return type != nullptr && *type == typeid(cancelled);
}

} // namespace detail
} // namespace lastcall
