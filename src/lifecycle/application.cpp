// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/lifecycle/application.hpp>

#include "lifecycle/assembly.hpp"
#include "lifecycle/course.hpp"

#include <stdexcept>
#include <utility>

namespace lastcall {

using detail::assembly;

application::application(std::string name, application_options options)
    : assembly_{std::make_unique<assembly>(std::move(name), std::move(options))} {}

application::~application() = default;

int application::run() { return run_middle({}); }
int application::run_for(duration lasting) { return run_middle({.lasting = lasting}); }
int application::run_main(detail::any_main fn) { return run_middle({.fn = std::move(fn)}); }

int application::run_middle(const detail::middle& between) {
  auto expected = assembly::state::assembling;
  if (!assembly_->now.compare_exchange_strong(expected, assembly::state::running))
    throw std::logic_error("application '" + name() + "' was run already; an application runs once");
  std::optional<detail::course> course;
  try {
    course.emplace(*assembly_);
  } catch (...) {
    assembly_->now.store(assembly::state::assembling); // nothing was started
    throw;
  }
  return course->run(between);
}

void application::stop(std::string_view why) noexcept { assembly_->stop(why); }

timeline& application::events() noexcept { return assembly_->events; }
const report& application::last_report() const noexcept { return assembly_->last; }
const std::string& application::name() const noexcept { return assembly_->name; }

void application::require_open(std::string_view what) const {
  if (assembly_->now.load() == assembly::state::assembling) return;
  throw std::logic_error(std::string{what} + ": application '" + name() +
                         "' is running or has run; components are added and ordered before");
}

std::size_t application::adopt(std::string name, std::unique_ptr<detail::any_component> object) {
  assembly_->parts.reserve(assembly_->parts.size() + 1); // so that graph and parts cannot part
  const auto index = assembly_->graph.add(std::move(name));
  assembly_->parts.push_back({std::move(object), {}});
  return index;
}

void application::set_after(std::size_t later, const application* owner, std::size_t earlier) {
  const auto& graph = assembly_->graph;
  if (owner != this)
    throw std::logic_error("'" + graph.name(later) + "' of application '" + name() + "' cannot come after '" +
                           owner->assembly_->graph.name(earlier) + "', which belongs to application '" +
                           owner->name() + "'");
  require_open("after('" + graph.name(earlier) + "')");
  assembly_->graph.after(later, earlier);
}

void application::set_stop_within(std::size_t index, duration span) {
  require_open("stop_within of '" + assembly_->graph.name(index) + "'");
  if (span < duration::zero())
    throw std::logic_error("stop_within of '" + assembly_->graph.name(index) +
                           "' is negative; none at all is 0");
  assembly_->parts[index].stop_within = span;
}

} // namespace lastcall
