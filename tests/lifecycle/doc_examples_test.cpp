// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The examples of the module's headers and of docs/lifecycle.md, compiled and run.
#include <lastcall/interrupt/io.hpp>
#include <lastcall/lifecycle/application.hpp>
#include <lastcall/lifecycle/order.hpp>
#include <lastcall/lifecycle/run.hpp>
#include <lastcall/scope/gate.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

TEST(DocExample, Order) {
  lastcall::order o;
  auto http = o.add("http");
  auto db = o.add("db");
  o.after(http, db);
  EXPECT_EQ(o.sorted(), (std::vector{db, http}));
}

class database {
public:
  explicit database(std::string path) : path_{std::move(path)} {}
  void start() {}
  void stop(lastcall::context& at) { at.progress("3 tables to write"); }

private:
  std::string path_;
};

class server {
public:
  explicit server(int) {}
  void start() {}
  void stop(lastcall::context& at) {
    requests_.close();
    while (!requests_.wait_until(earlier(at.due(), lastcall::deadline::after(1s)))) {
      at.progress(std::to_string(requests_.size()) + " requests in flight");
      if (at.out_of_time()) return cut_connections();
    }
  }

private:
  lastcall::gate requests_;
  void cut_connections() {}
};

TEST(DocExample, Application) {
  lastcall::application app{"shop", {.grace = 25s}};
  auto db = app.add<database>("db", "/var/lib/shop");
  app.add<server>("http", 8080).after(db).stop_within(15s);
  EXPECT_EQ(app.run_for(1ms), 0);
}

TEST(DocExample, Run) {
  EXPECT_EQ(lastcall::run([] {
              for (;;) {
                std::raise(SIGTERM);
                lastcall::io::sleep_for(1s);
              }
            }),
            0);
}

void on_usr1(int) { std::raise(SIGTERM); }

TEST(DocExample, AHandlerOfOnesOwnAsksForTheStopByRaisingSigterm) {
  std::signal(SIGUSR1, on_usr1);
  lastcall::application app{"shop"};
  EXPECT_EQ(app.run([] {
    std::raise(SIGUSR1);
    lastcall::io::sleep_for(1h);
  }),
            0);
  EXPECT_EQ(app.last_report().why.find("stopped by SIGTERM"), 0u);
}

} // namespace
