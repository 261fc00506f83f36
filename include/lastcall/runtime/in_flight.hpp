// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace lastcall {

namespace detail {
class operation;
}

/// Memory into or out of which somebody else works on our behalf (the kernel with io_uring, a device, a loop
/// of Asio's) until an operation is over.
///
/// Freeing it before is a write into whatever lies there next, so at the end of the runtime the operation is
/// cancelled and awaited; where it does not answer by the deadline the memory is leaked, on purpose, and
/// counted in the report.
///
///     auto buffer = std::make_shared<std::array<std::byte, 4096>>();
///     lastcall::in_flight reading{"read of the journal", buffer,
///                                 [&] { ring.cancel(id); },
///                                 [&](lastcall::deadline until) { return ring.wait_for(id, until); }};
///     …
///     reading.over();                      // it came back; the memory is the buffer's own again
///
/// `cancel` asks and does not wait; `wait` says whether the operation is over. They run on a thread of the
/// runtime, where one that hangs can be left behind, or on the one that destroys this; what they throw counts
/// as "not over".
/// Errors: the constructor throws std::bad_alloc. Works without a runtime, too: the destructor then does the
/// same.
class in_flight {
public:
  /// How long the destructor waits.
  static constexpr duration patience = std::chrono::seconds{1};

  in_flight(std::string_view name, std::shared_ptr<void> memory, std::function<void()> cancel,
            std::function<bool(deadline)> wait);
  /// Cancels and waits, unless it is over.
  ~in_flight();
  in_flight(in_flight&&) noexcept = default;
  in_flight& operator=(in_flight&&) = delete;

  /// The operation has come back. Any thread.
  void over() noexcept;

private:
  std::shared_ptr<detail::operation> it_;
};

} // namespace lastcall
