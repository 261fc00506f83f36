// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What the language of 12_tiny_vm means, apart from requests.
#include "examples/tiny_vm_run.hpp"

#include <gtest/gtest.h>

namespace {

using tiny_test::run;

std::string printed(std::string_view source) {
  std::string all;
  for (const auto how : {tiny::layout::whole, tiny::layout::y2017}) {
    const auto it = run(source, how);
    EXPECT_EQ(it.err, "");
    EXPECT_TRUE(it.clean);
    EXPECT_EQ(it.counts->locks_held, 0);
    EXPECT_EQ(it.counts->finalizers_owed, 0);
    if (!all.empty()) {
      EXPECT_EQ(it.out, all) << "the layouts differ";
    }
    all = it.out;
  }
  return all;
}

TEST(TinyVmLanguage, CalculatesAndCompares) {
  EXPECT_EQ(printed("print 1 + 2 * 3, (1 + 2) * 3, 7 / 2 - 1, 0 - 5\n"), "7 9 2 -5\n");
  EXPECT_EQ(printed("print 1 < 2, 2 < 1, 1 == 1, \"a\" == \"a\", \"a\" < \"b\", nil == 0, not nil, not 3\n"),
            "1 0 1 1 1 0 1 0\n");
  EXPECT_EQ(printed("print \"n = \" + 5 + nil\n"), "n = 5nil\n");
}

TEST(TinyVmLanguage, ChoosesLoopsAndCalls) {
  EXPECT_EQ(
      printed("fn fib(n)\n  if n < 2\n    return n\n  else\n    return fib(n - 1) + fib(n - 2)\n  end\nend\n"
              "i = 0\nwhile i < 10\n  i = i + 1\nend\nprint i, fib(i)\n"),
      "10 55\n");
  EXPECT_EQ(printed("fn nothing()\nend\nprint nothing()\n"), "nil\n");
}

TEST(TinyVmLanguage, AFunctionsNamesAreItsOwnAndOthersAreTheScripts) {
  EXPECT_EQ(printed("x = 1\nfn f(a)\n  x = a + 1\n  return x\nend\nprint f(5), x\n"), "6 1\n");
  EXPECT_EQ(printed("fn f(of)\n  if 0\n    x = 1\n  end\n  return x\nend\nof = 5\nprint f(1), of\n"),
            "nil 5\n");
}

TEST(TinyVmLanguage, ObjectsHaveAttributesAndMethods) {
  EXPECT_EQ(printed("fn more(self, by)\n  self.n = self.n + by\nend\n"
                    "o = object()\no.n = 1\no.more = more\no.more(4)\nm = o.more\nm(5)\nprint o.n, o, m\n"),
            "10 an object a method\n");
}

TEST(TinyVmLanguage, FinallyRunsOnEachWayOut) {
  EXPECT_EQ(printed("fn f(way)\n  try\n    try\n      if way == 1\n        return \"returned\"\n      end\n"
                    "      print \"body\"\n    finally\n      print \"inner\"\n    end\n  finally\n    print "
                    "\"outer\"\n"
                    "  end\n  return \"end\"\nend\nprint f(0)\nprint f(1)\n"),
            "body\ninner\nouter\nend\ninner\nouter\nreturned\n");
  const auto raised =
      run("try\n  try\n    raise \"first\"\n  finally\n    print 1\n    raise \"second\"\n  end\n"
          "finally\n  print 2\nend\nprint 3\n");
  EXPECT_TRUE(raised.failed);
  EXPECT_EQ(raised.out, "1\n2\n");
  EXPECT_EQ(raised.err, "script:6:5: second\n");
}

TEST(TinyVmLanguage, WithLeavesWhatItHasEntered) {
  EXPECT_EQ(
      printed("l = lock()\nfn f()\n  with l\n    print l\n    return 5\n  end\nend\nprint f()\nprint l\n"),
      "a held lock\n5\na lock\n");
  const auto raised = run("l = lock()\nwith l\n  raise \"no\"\nend\n");
  EXPECT_TRUE(raised.failed);
  EXPECT_EQ(raised.counts->locks_held, 0);
}

TEST(TinyVmLanguage, WhatEnteringRaisesEntersNothing) {
  const auto it = run("fn enter(self)\n  raise \"closed\"\nend\nfn exit(self)\n  print \"left\"\nend\n"
                      "o = object()\no.enter = enter\no.exit = exit\nwith o\n  print \"inside\"\nend\n");
  EXPECT_TRUE(it.failed);
  EXPECT_EQ(it.out, "");
  EXPECT_EQ(it.err, "script:2:3: closed\n");
}

TEST(TinyVmLanguage, ThreadsShareTheWorldAndAreWaitedFor) {
  EXPECT_EQ(
      printed("fn add(o, n)\n  i = 0\n  while i < n\n    with o.lock\n      o.sum = o.sum + 1\n    end\n"
              "    i = i + 1\n  end\nend\no = object()\no.sum = 0\no.lock = lock()\n"
              "a = spawn add(o, 500)\nb = spawn add(o, 500)\na.join()\nb.join()\nprint o.sum\n"),
      "1000\n");
  EXPECT_EQ(printed("fn f()\n  sleep 1\n  print \"late\"\nend\nspawn f()\n"), "late\n");
}

TEST(TinyVmLanguage, WhatAThreadDoesNotHandleIsSaidAndEndsThatThreadOnly) {
  const auto it = run("fn f()\n  raise \"oh\"\nend\nt = spawn f()\nt.join()\nprint \"on\"\n");
  EXPECT_FALSE(it.failed);
  EXPECT_EQ(it.out, "on\n");
  EXPECT_EQ(it.err, "script:2:3: oh\n");
}

TEST(TinyVmLanguage, FinalizersRunWhenNobodyRefersToTheObject) {
  EXPECT_EQ(
      printed("fn bye(self)\n  print \"bye\", self.n\nend\nfn f()\n  o = object(bye)\n  o.n = 1\nend\nf()\n"
              "print \"then\"\no = object(bye)\no.n = 2\no.self = o\no = object(bye)\no.n = 3\no = nil\n"
              "print \"last\"\n"),
      "bye 1\nthen\nbye 3\nlast\nbye 2\n");
}

TEST(TinyVmLanguage, AnObjectInsideOneThatDiesDiesToo) {
  EXPECT_EQ(
      printed("fn bye(self)\n  print \"bye\", self.n\nend\no = object(bye)\no.n = 1\no.in = object(bye)\n"
              "i = o.in\ni.n = 2\ni = nil\no = nil\nprint \"last\"\n"),
      "bye 1\nbye 2\nlast\n");
}

TEST(TinyVmLanguage, ListsItsOpcodes) {
  const auto whole = tiny::listing(*tiny_test::compiled(tiny_test::text_of("lock_with")));
  EXPECT_NE(whole.find("SETUP_WITH"), whole.npos);
  EXPECT_EQ(whole.find("POP_BLOCK"), whole.npos);
  const auto then = tiny::listing(*tiny_test::compiled(tiny_test::text_of("lock_with"), tiny::layout::y2017));
  EXPECT_NE(then.find("POP_BLOCK\n  7    CONST           nil\n  8    EXIT_WITH"), then.npos) << then;
}

} // namespace
