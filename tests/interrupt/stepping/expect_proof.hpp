// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "interrupt/stepping/proof.hpp"
#include "interrupt/stepping/stretch.hpp"

#include <lastcall/interrupt/interrupted.hpp>

#include <string>

namespace stepping {

/// Interrupts the subject everywhere and expects no failure; prints one line that says what came of it.
/// Skips the test where nothing can be proven.
void expect_proof(const std::string& name, const subject& what);

/// Goes through `fn` between the marks, once the other threads have come to rest, and notes where a request
/// left it.
template <class Fn>
void marked(stretch& s, Fn&& fn) {
  settle();
  s.begin();
  try {
    fn();
  } catch (const lastcall::interrupted&) {
    s.delivered();
  }
  s.end();
}

} // namespace stepping
