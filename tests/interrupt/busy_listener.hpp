// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/signal_scope.hpp>

#include <semaphore>

/// A listener that stays in its call, and keeps the herald there, until it is let go.
struct busy_listener {
  std::binary_semaphore entered{0}, let_go{0};

  lastcall::subscription listen(lastcall::signal_scope& scope, int signal) {
    return scope.subscribe(signal, [this](const lastcall::request&) {
      entered.release();
      let_go.acquire();
    });
  }
};
