// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io/process.hpp>

#include "interrupt/blocking_call.hpp"
#include "sys/call_number.hpp"

namespace lastcall::io {

namespace number = sys::number;
using detail::as_owner;
using detail::make_call;
using detail::until_stopped;
using std::error_code;
using std::stop_token;

namespace {

// With WNOHANG and no child to tell of, the kernel leaves it alone.
siginfo_t* emptied(siginfo_t& what) noexcept {
  what = {};
  return &what;
}
detail::blocking_call waitid_call(int which, unsigned id, siginfo_t& what, int options) noexcept {
  return make_call("waitid", number::waitid, which, id, emptied(what), options, nullptr);
}

} // namespace

void waitid(int which, unsigned id, siginfo_t& what, int options) {
  as_owner(waitid_call(which, id, what, options));
}
void waitid(int which, unsigned id, siginfo_t& what, int options, error_code& error) noexcept {
  as_owner(waitid_call(which, id, what, options), error);
}
bool waitid(int which, unsigned id, siginfo_t& what, int options, const stop_token& stop) {
  return until_stopped(waitid_call(which, id, what, options), stop).has_value();
}
void waitid(int which, unsigned id, siginfo_t& what, int options, const stop_token& stop,
            error_code& error) noexcept {
  until_stopped(waitid_call(which, id, what, options), stop, error);
}

} // namespace lastcall::io
