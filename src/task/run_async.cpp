// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/run_async.hpp>

namespace lastcall::detail {

int run_async(const async_options& options, const std::function<std::optional<int>(loop&)>& main) {
  return lastcall::run(
      [&]() -> int {
        loop in{options.loop};
        int status = 0;
        try {
          status = main(in).value_or(0);
        } catch (const cancelled&) {
          if (!in.was_cancelled()) throw; // a stray one is a failure, and told as such
        }
        if (in.running() != 0) return options.run.statuses.deadline_passed;
        if (status == 0 && in.unhandled() != 0) return options.run.statuses.failed;
        return status;
      },
      options.run);
}

} // namespace lastcall::detail
