// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/run.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace checker {

/// A path that is in none of its known states after a run.
struct leftover {
  enum class kind {
    stray,   ///< a name that belongs to neither the initial nor the completed tree
    empty,   ///< a file without content that has some in both
    partial, ///< content, mode or type equal neither state
    missing, ///< gone, though it is there both before and after an undisturbed run
  } what;
  std::string path;
};

[[nodiscard]] std::string_view to_string(leftover::kind) noexcept; ///< "STRAY", "EMPTY", …

/// One tree after a run, held against the known ones.
struct comparison {
  std::vector<leftover> leftovers;
  bool is_initial = true;     ///< equals the tree before any run
  bool is_completed = true;   ///< equals the tree after an undisturbed run, up to what varies by itself
  bool has_work = false;      ///< an undisturbed run changes something
  bool is_incomplete = false; ///< a path that an undisturbed run changes is not in its completed state
};

/// The states in which a directory may be found: the initial tree and those after undisturbed runs.
///
/// A path is fine in any of its known states, whatever state its neighbours are in: a program that writes
/// three files one by one may be interrupted between two of them. Two undisturbed runs show what varies by
/// itself: where they give a path different contents (a time, a pid, stat data), any content of a plausible
/// size is accepted; where they give different names (`out.k3JxQ9`, `out.Zb81ka`), any name of that shape.
///
/// A program that does not end by itself has no completed tree; the trees after it was asked to stop while
/// it waited take its place. What is there only while it waits (a pid file, a socket) must be gone then.
///
/// Source: the idea that the final tree must equal the initial or the completed one is from research on
/// crash consistency; a path at a time, it also fits programs whose work has several steps.
class known_trees {
public:
  /// `which` is `&run::work` or `&run::tmp`. The reference must outlive this.
  known_trees(const reference&, tree run::*which);

  /// Never fails. One pass over the trees, without copies: about a microsecond for each path.
  [[nodiscard]] comparison compare(const tree& final) const;

private:
  const tree* initial_;
  std::vector<const tree*> undisturbed_;
  std::vector<const tree*> stopped_;
  bool ends_by_itself_;
};

} // namespace checker
