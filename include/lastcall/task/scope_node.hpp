// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/cancelled.hpp>
#include <lastcall/task/timer.hpp>
#include <lastcall/wait/deadline.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace lastcall::detail {

class activity;
class loop_core;
class scope_node;

/// Something that a scope holds: an activity, or a scope in it. A place in an intrusive list.
class member {
public:
  member* older = nullptr;
  member* newer = nullptr;
  scope_node* in = nullptr;
  const bool is_scope;

protected:
  explicit member(bool scope) noexcept : is_scope{scope} {}
  ~member() = default;
};

/// Whether a cancellation from outside gets in.
enum class shielding : std::uint8_t { none, up };

/// A stretch of activities' work that can be cancelled as one. Scopes are a tree; the loop's is its root.
///
/// The members stand in the order in which they began. A scope that an activity enters takes that activity's
/// place among them, with the activity inside; so whoever goes through the tree backwards meets the newest
/// first, however deep it is.
///
/// `due` is what the next suspension of a member delivers, kept up to date so that asking costs a load. Of
/// several cancellations the outermost counts: an inner scope must not take for its own what was meant for
/// more. A shield hides what is outside; with a *hold*, for that long at most, from the first cancellation
/// that it holds back.
///
/// Level-triggered: a scope stays cancelled until it is left (or, for the request to main, acknowledged).
/// Threads: the loop's alone. Nothing here allocates but the arming of a timer.
class scope_node : public member, private timer {
public:
  scope_node(loop_core& loop, std::string_view name) noexcept;
  virtual ~scope_node();
  scope_node(const scope_node&) = delete;
  scope_node& operator=(const scope_node&) = delete;

  [[nodiscard]] loop_core& its_loop() const noexcept { return loop_; }
  [[nodiscard]] std::string_view name() const noexcept { return name_.view(); }

  /// Becomes the newest member of `parent`.
  void attach(scope_node& parent) noexcept;
  void detach() noexcept;
  /// Comes between `who` and the scope it is in, and out again. Scopes are left in the reverse order.
  void enter(activity& who) noexcept;
  void leave(activity& who) noexcept;
  void add(member& newest) noexcept;
  void remove(member& one) noexcept;

  [[nodiscard]] const cancellation* due() const noexcept { return due_; }
  [[nodiscard]] const std::optional<cancellation>& own() const noexcept { return own_; }
  /// What is due comes from here: whoever leaves this scope may forget it.
  [[nodiscard]] bool is_mine() const noexcept { return own_ && due_ == &*own_; }

  /// The first one counts.
  void cancel(const reason& why) noexcept { cancel({why, name_.view()}); }
  void cancel(const cancellation& what) noexcept;
  /// Takes it back: what was due here is due no more.
  void acknowledge() noexcept;

  /// Cancels at that moment; a moment that has passed cancels now. Throws std::bad_alloc.
  void cancel_at(deadline until);
  [[nodiscard]] const deadline& cancels_at() const noexcept { return until_; }

  void shield(shielding now) noexcept;
  /// … and gives way when it has held something back for `longest`.
  void shield_for(duration longest);
  /// In this and all scopes in it: whatever holds back does so until then at most.
  void hurry(deadline until) noexcept;

protected:
  /// Whether the members hear of a cancellation in the order in which they began; else newest first.
  void tell_oldest_first() noexcept { oldest_first_ = true; }
  /// `due` has become something, or something else.
  virtual void on_due() noexcept {}

private:
  void fire() noexcept override;
  void arm() noexcept;
  void refresh() noexcept;
  void tell_members() noexcept;
  void tell(member& one) noexcept;
  void replace(member& old, member& by) noexcept;

  loop_core& loop_;
  inline_text<48> name_;
  member* oldest_ = nullptr;
  member* newest_ = nullptr;
  const cancellation* due_ = nullptr;
  std::optional<cancellation> own_{};
  deadline until_ = deadline::never();
  bool oldest_first_ = false;
  shielding shield_ = shielding::none;
  duration hold_ = duration::max();
  deadline held_until_ = deadline::never(); ///< once a shield with a hold holds something back
};

} // namespace lastcall::detail
