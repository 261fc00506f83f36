// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

namespace lastcall::detail {

/// Somebody who wants to know of each place at which a request could be delivered to this thread: the
/// testing module. While `thread_word::due` has the bit `points_counted`, checkpoints and interruptible calls
/// take their slow path, which tells it before it looks whether something is due.
class point_probe {
public:
  virtual void reached() noexcept = 0;

protected:
  ~point_probe() = default;
};

/// Sets the calling thread's probe, or takes it away with nullptr. After the scope is made, before it is
/// closed.
void set_probe(point_probe* probe) noexcept;

} // namespace lastcall::detail
