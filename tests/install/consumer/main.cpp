// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io.hpp>
#include <lastcall/lifecycle/application.hpp>

#include <chrono>
#include <iostream>
#include <thread>

using namespace std::chrono_literals;

struct store { // a component is anything with a start and a stop; neither is ever cut in two
  void start() { std::cerr << "store: open\n"; }
  void stop() { std::cerr << "store: everything written\n"; }
};

struct server {
  explicit server(int port) : port_(port) {}
  void start() {
    worker_ = std::jthread([this](std::stop_token stop) {
      while (lastcall::io::sleep_for(100ms, stop))
        std::cerr << "server: at your service on " << port_ << '\n';
    });
  }
  void stop() { worker_ = {}; } // asks the thread to stop, which ends its sleep, and joins it
  int port_;
  std::jthread worker_;
};

int main() {
  lastcall::application app{"shop", {.grace = 25s}}; // SIGINT and SIGTERM stop it, within 25 seconds
  auto data = app.add<store>("store");
  app.add<server>("server", 8080).after(data); // started after the store, stopped before it
  return app.run();                            // after Ctrl-C the process ends by SIGINT
}
