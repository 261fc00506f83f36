// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/cancel_scope.hpp>

#include <string>
#include <system_error>

namespace lastcall {

cancel_scope::cancel_scope(const scope_options& options)
    : node_{detail::activity::must_be_in_one().its_loop(), options.name} {
  if (options.shielded) node_.shield(detail::shielding::up);
  node_.cancel_at(options.until);
}

void cancel_scope::cancel(std::string_view why) noexcept { node_.cancel(reason{.text = why}); }

namespace detail {

void throw_timed_out(std::string_view what) {
  throw std::system_error{std::make_error_code(std::errc::timed_out), std::string{what}};
}

} // namespace detail
} // namespace lastcall
