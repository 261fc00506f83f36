// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/ladder.hpp>

namespace lastcall {

std::string_view name_of(ladder_step step) noexcept {
  switch (step) {
  case ladder_step::none: return "none";
  case ladder_step::request: return "request";
  case ladder_step::hurry: return "hurry";
  case ladder_step::force: return "force";
  }
  return "unknown";
}

ladder_step next_step(ladder_step now, ladder_policy policy) noexcept {
  if (now == ladder_step::none) return ladder_step::request;
  switch (policy) {
  case ladder_policy::patient: return now;
  case ladder_policy::eager: return ladder_step::force;
  case ladder_policy::normal: break;
  }
  return now == ladder_step::request ? ladder_step::hurry : ladder_step::force;
}

} // namespace lastcall
