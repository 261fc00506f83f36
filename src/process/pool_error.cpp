// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/process/pool_error.hpp>

namespace lastcall {

namespace {

struct pool_errors final : std::error_category {
  const char* name() const noexcept override { return "lastcall.pool"; }
  std::string message(int value) const override {
    switch (static_cast<pool_errc>(value)) {
    case pool_errc::stopped_while_waiting: return "the pool was stopped while the call waited";
    case pool_errc::stopped: return "the pool has been stopped";
    case pool_errc::deadline: return "the call's deadline has passed";
    case pool_errc::worker_ended: return "the worker ended during the call";
    case pool_errc::call_failed: return "the call failed in the worker";
    case pool_errc::start_failed: return "a worker did not start";
    case pool_errc::broken: return "the pool is broken: workers end faster than they may be replaced";
    case pool_errc::full: return "the pool's queue is full";
    }
    return "unknown";
  }
};

} // namespace

const std::error_category& pool_category() noexcept {
  static const pool_errors category;
  return category;
}

std::error_code make_error_code(pool_errc what) noexcept { return {static_cast<int>(what), pool_category()}; }

} // namespace lastcall
