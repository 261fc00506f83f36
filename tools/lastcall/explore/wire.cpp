// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "explore/wire.hpp"

#include <nlohmann/json.hpp>

namespace nlohmann {

template <class T>
struct adl_serializer<std::optional<T>> {
  static void to_json(json& j, const std::optional<T>& value) { j = value ? json(*value) : json(nullptr); }
  static void from_json(const json& j, std::optional<T>& value) {
    if (j.is_null()) {
      value.reset();
    } else {
      value = j.get<T>();
    }
  }
};

template <>
struct adl_serializer<checker::seconds> {
  static void to_json(json& j, const checker::seconds& value) { j = value.count(); }
  static void from_json(const json& j, checker::seconds& value) { value = checker::seconds{j.get<double>()}; }
};

} // namespace nlohmann

namespace checker {

// The structs themselves are defined where they belong; here is only what of them travels.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(point, role, call, ordinal, at)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(injection, where, signal, scope)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ending, how, value, core)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(thread_state, role, command, state, call, channel)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(hang, kind, threads)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(child_death, role, command, signal, core)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(rerun, end, changed_nothing)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(verification, status, output)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(entry, type, mode, size, digest)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(run, asked, index, occurrence, delivered, not_injected, end, hung,
                                   survivors, crashes, work, tmp, out, err, elapsed, after_request, again,
                                   verified)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(reference, initial, undisturbed, from_completed, ends_by_itself, stopped)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(candidate, where, can_during, can_after)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(call_mask, before, after, length, shown)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(survey, known, candidates, masks, has_alarm, timed_idle, sleeping_share,
                                   used, undisturbed_limit, limit_processor, limit_after, grace)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(observation, what, signature, files, sentence)

namespace wire {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(answer, known, moved, seen, observations, failure, undisturbed_failed)

std::vector<std::uint8_t> encode(const answer& what) { return nlohmann::json::to_cbor(nlohmann::json(what)); }

answer decode(const std::vector<std::uint8_t>& bytes) {
  return nlohmann::json::from_cbor(bytes).get<answer>();
}

} // namespace wire
} // namespace checker
