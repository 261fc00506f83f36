// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "judge/known_trees.hpp"

#include "judge/name_shape.hpp"

#include <algorithm>

// All trees are sorted maps, so one pass over them side by side meets every path once, with its entry (or
// none) in each tree. Paths that have the same name in every undisturbed run are decided on the spot; names
// that do not ("unsteady") and names that only the judged tree has ("unknown") are put aside and matched by
// their shape afterwards.

namespace checker {
namespace {

using entries = std::vector<const entry*>; ///< one for each tree of a group; null: the tree has no such path

struct cursor {
  tree::const_iterator at;
  tree::const_iterator end;
};

/// One path and what it is in every tree.
struct row {
  const std::string* path = nullptr;
  const entry* final = nullptr;
  const entry* initial = nullptr;
  entries undisturbed;
  entries stopped;
};

struct unsteady_name {
  const std::string* path;
  const entry* what;
  std::size_t tree; ///< number of the tree it was seen in
  bool afterwards;  ///< seen in a tree that shows an end, not only while the program waits
};

struct unsteady_shape {
  name_shape shape;
  const entry* like;
  bool afterwards;
  bool found = false;
};

bool same(const entry* left, const entry* right) {
  return left == right || (left && right && *left == *right);
}

bool present(const entry* what) { return what != nullptr; }

bool empty_file(const entry& what) { return what.type == entry::kind::file && what.size == 0; }

/// Contents that vary by themselves cannot be compared; a file cut in the middle still shows in its size.
bool plausible(const entry& seen, const entry& known) {
  if (seen.type != known.type || seen.mode != known.mode) return false;
  if (seen.type != entry::kind::file) return true;
  const auto slack = std::min<std::uint64_t>(16, known.size / 4);
  return seen.size + slack >= known.size && seen.size <= known.size + slack;
}

bool varies(const entries& undisturbed) {
  const entry* first = nullptr;
  for (const entry* each : undisturbed) {
    if (first && each && !(*first == *each)) return true;
    if (!first) first = each;
  }
  return false;
}

leftover::kind kind_of(const entry* final, const row& known) {
  if (!final) return leftover::kind::missing;
  const auto knows_it_empty = [](const entry* each) { return each && empty_file(*each); };
  const bool ever_empty = knows_it_empty(known.initial) ||
                          std::any_of(known.undisturbed.begin(), known.undisturbed.end(), knows_it_empty);
  return empty_file(*final) && !ever_empty ? leftover::kind::empty : leftover::kind::partial;
}

class comparing {
public:
  comparing(bool ends_by_itself, bool has_stopped)
      : completed_is_stopped_(!ends_by_itself && has_stopped), stopped_counts_(has_stopped) {}

  void steady(const row& at) {
    const bool loose = varies(at.undisturbed);
    const auto equals_final = [&](const entry* known) {
      if (same(known, at.final)) return true;
      return loose && known && at.final && plausible(*at.final, *known);
    };
    const entries& completed = completed_is_stopped_ ? at.stopped : at.undisturbed;
    const bool as_completed = std::any_of(completed.begin(), completed.end(), equals_final);
    const bool as_initial = same(at.initial, at.final);
    const bool changed =
        !completed.empty() &&
        std::none_of(completed.begin(), completed.end(), [&](auto each) { return same(each, at.initial); });
    result_.is_initial &= as_initial;
    result_.is_completed &= as_completed;
    result_.has_work |= changed;
    result_.is_incomplete |= changed && !as_completed;
    if (as_initial || as_completed) return;
    if (stopped_counts_ && std::any_of(at.stopped.begin(), at.stopped.end(), equals_final)) return;
    const bool belongs = at.initial || std::any_of(completed.begin(), completed.end(), present) ||
                         std::any_of(at.stopped.begin(), at.stopped.end(), present);
    add(at.final && !belongs ? leftover::kind::stray : kind_of(at.final, at), *at.path);
  }

  void unknown(const row& at) { unknown_.emplace_back(at.path, at.final); }

  void unsteady(const row& at) {
    std::size_t tree = 0;
    for (const entry* each : at.undisturbed) remember(at, each, tree++, !completed_is_stopped_);
    for (const entry* each : at.stopped) remember(at, each, tree++, true);
    if (at.final) unknown_.emplace_back(at.path, at.final);
  }

  comparison finish() {
    make_shapes();
    for (const auto& [path, final] : unknown_) match(*path, *final);
    for (const auto& each : shapes_) {
      if (!each.afterwards) continue;
      result_.has_work = true;
      result_.is_completed &= each.found;
      result_.is_incomplete |= !each.found;
    }
    return std::move(result_);
  }

private:
  void add(leftover::kind what, const std::string& path) { result_.leftovers.push_back({what, path}); }

  void remember(const row& at, const entry* seen, std::size_t tree, bool afterwards) {
    if (seen) names_.push_back({at.path, seen, tree, afterwards});
  }

  void make_shapes() {
    for (std::size_t i = 0; i < names_.size(); ++i)
      for (std::size_t j = i + 1; j < names_.size(); ++j) {
        if (names_[i].tree == names_[j].tree) continue;
        const auto common = name_shape::of(*names_[i].path, *names_[j].path);
        if (!common) continue;
        const auto known = std::find_if(shapes_.begin(), shapes_.end(), [&](const auto& each) {
          return each.shape.matches(*names_[i].path) && each.like->type == names_[i].what->type;
        });
        const bool afterwards = names_[i].afterwards || names_[j].afterwards;
        if (known == shapes_.end())
          shapes_.push_back({*common, names_[i].what, afterwards});
        else
          known->afterwards |= afterwards;
      }
  }

  void match(const std::string& path, const entry& final) {
    result_.is_initial = false;
    for (auto& each : shapes_) {
      if (!each.afterwards || each.like->type != final.type || !each.shape.matches(path)) continue;
      each.found = true;
      if (plausible(final, *each.like)) return;
      result_.is_completed = false;
      result_.is_incomplete = true;
      return add(empty_file(final) ? leftover::kind::empty : leftover::kind::partial, path);
    }
    // A name that only some undisturbed runs leave and that resembles no other is accepted as it is.
    const auto seen_before = std::find_if(names_.begin(), names_.end(), [&](const auto& each) {
      return each.afterwards && *each.path == path;
    });
    if (seen_before != names_.end()) {
      if (!plausible(final, *seen_before->what))
        add(empty_file(final) ? leftover::kind::empty : leftover::kind::partial, path);
      return;
    }
    result_.is_completed = false;
    add(leftover::kind::stray, path);
  }

  bool completed_is_stopped_;
  bool stopped_counts_;
  comparison result_;
  std::vector<std::pair<const std::string*, const entry*>> unknown_;
  std::vector<unsteady_name> names_;
  std::vector<unsteady_shape> shapes_;
};

} // namespace

std::string_view to_string(leftover::kind what) noexcept {
  switch (what) {
  case leftover::kind::stray: return "STRAY";
  case leftover::kind::empty: return "EMPTY";
  case leftover::kind::partial: return "PARTIAL";
  case leftover::kind::missing: return "MISSING";
  }
  return "?";
}

known_trees::known_trees(const reference& known, tree run::*which) : ends_by_itself_(known.ends_by_itself) {
  static const tree nothing;
  initial_ = which == &run::tmp ? &nothing : &known.initial;
  for (const run& each : known.undisturbed) undisturbed_.push_back(&(each.*which));
  for (const run& each : known.stopped)
    if (each.end.how != ending::how::hung) stopped_.push_back(&(each.*which));
}

comparison known_trees::compare(const tree& final) const {
  std::vector<cursor> cursors;
  cursors.push_back({final.begin(), final.end()});
  cursors.push_back({initial_->begin(), initial_->end()});
  for (const tree* each : undisturbed_) cursors.push_back({each->begin(), each->end()});
  for (const tree* each : stopped_) cursors.push_back({each->begin(), each->end()});

  comparing judged{ends_by_itself_, !stopped_.empty()};
  row at;
  at.undisturbed.resize(undisturbed_.size());
  at.stopped.resize(stopped_.size());
  for (;;) {
    at.path = nullptr;
    for (const auto& each : cursors)
      if (each.at != each.end && (!at.path || each.at->first < *at.path)) at.path = &each.at->first;
    if (!at.path) return judged.finish();

    const auto take = [&](cursor& from) -> const entry* {
      if (from.at == from.end || from.at->first != *at.path) return nullptr;
      return &(from.at++)->second;
    };
    auto next = cursors.begin();
    at.final = take(*next++);
    at.initial = take(*next++);
    for (const entry*& each : at.undisturbed) each = take(*next++);
    for (const entry*& each : at.stopped) each = take(*next++);

    const auto count = [](const entries& all) {
      return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), present));
    };
    const auto before = count(at.undisturbed);
    const auto after = count(at.stopped);
    const bool unsteady =
        before > 0 ? before < at.undisturbed.size() : after > 0 && after < at.stopped.size();
    if (!at.initial && before == 0 && after == 0)
      judged.unknown(at);
    else if (!at.initial && unsteady)
      judged.unsteady(at);
    else
      judged.steady(at);
  }
}

} // namespace checker
