// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "compiler.hpp"

#include "code_writer.hpp"
#include "lexer.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace tiny {
namespace {

constexpr std::array<std::string_view, 19> reserved{
    "print", "sleep", "raise",  "return", "if",  "else", "while", "fn",     "with",   "try",
    "end",   "input", "object", "spawn",  "nil", "lock", "not",   "daemon", "finally"};
constexpr int deepest = 100; // of what is inside of each other
constexpr std::int32_t most_arguments = 100;

std::string quoted(std::string_view word) { return '\'' + std::string{word.substr(0, 40)} + '\''; }

class compiler {
public:
  compiler(std::string_view source, layout how) : words_{source}, out_{how}, how_{how} { advance(); }

  program whole() {
    block({});
    finish_function();
    return out_.finish();
  }

private:
  // --- tokens
  void advance() { now_ = words_.next(); }
  [[noreturn]] static void fail(position at, const std::string& what) { throw problem{at, what}; }
  bool is(std::string_view symbol) const {
    return (now_.is == token::type::symbol || now_.is == token::type::word) && now_.spelled == symbol;
  }
  std::string seen() const {
    switch (now_.is) {
    case token::type::newline: return "the end of the line";
    case token::type::end: return "the end of the script";
    case token::type::text: return "a text";
    default: return quoted(now_.spelled);
    }
  }
  bool accept(std::string_view symbol) {
    if (!is(symbol)) return false;
    advance();
    return true;
  }
  void expect(std::string_view symbol) {
    if (!accept(symbol)) fail(now_.at, "expected " + quoted(symbol) + ", there is " + seen());
  }
  void end_line() {
    if (now_.is != token::type::newline && now_.is != token::type::end)
      fail(now_.at, "expected the end of the line, there is " + seen());
    while (now_.is == token::type::newline) advance();
  }
  token name() {
    if (now_.is != token::type::word || std::ranges::find(reserved, now_.spelled) != reserved.end())
      fail(now_.at, "expected a name, there is " + seen());
    const token it = now_;
    advance();
    return it;
  }

  /// One level of what is inside of each other: the machine's own stack has an end, too.
  class level {
  public:
    level(compiler& of, position at) : of_{of} {
      if (++of_.levels_ > deepest) fail(at, "more than " + std::to_string(deepest) + " levels");
    }
    ~level() { --of_.levels_; }
    level(const level&) = delete;
    level& operator=(const level&) = delete;

  private:
    compiler& of_;
  };

  // --- statements
  /// Statements up to one of `ends`, whose name is returned; none: up to the end of the script.
  std::string_view block(std::initializer_list<std::string_view> ends) {
    const level inside{*this, now_.at};
    const position opened = now_.at;
    while (now_.is == token::type::newline) advance();
    while (now_.is != token::type::end) {
      for (const auto end : ends)
        if (accept(end)) return end;
      statement();
    }
    if (ends.size() != 0)
      fail(now_.at, "no 'end' for what was begun before line " + std::to_string(opened.line));
    return {};
  }

  void statement() {
    const position at = now_.at;
    if (now_.is != token::type::word) fail(at, "expected a statement, there is " + seen());
    if (accept("print")) {
      std::int32_t count = 0;
      do expression(), ++count;
      while (accept(","));
      out_.put(opcode::print, at, count);
    } else if (accept("sleep")) {
      expression(), out_.put(opcode::sleep, at);
    } else if (accept("raise")) {
      expression(), out_.put(opcode::raise, at);
    } else if (accept("return")) {
      give_back(at);
    } else if (accept("if")) {
      choice(at);
    } else if (accept("while")) {
      loop(at);
    } else if (accept("fn")) {
      definition(at);
    } else if (accept("with")) {
      with(at);
    } else if (accept("try")) {
      attempt(at);
    } else if (is("end") || is("else") || is("finally")) {
      fail(at, quoted(now_.spelled) + " without a beginning");
    } else {
      assignment_or_call(at);
    }
    end_line();
  }

  void give_back(position at) {
    if (in_finally_ > 0) fail(at, "a 'finally' cannot return: it would swallow what it was entered for");
    if (!out_.in_function()) fail(at, "'return' outside of a function");
    if (now_.is == token::type::newline || now_.is == token::type::end)
      out_.put(opcode::constant, at, out_.nil());
    else
      expression();
    out_.put(opcode::give_back, at);
  }

  void choice(position at) {
    expression();
    const auto past = out_.put(opcode::jump_if_false, at);
    end_line();
    if (block({"else", "end"}) == "end") return out_.lead_here(past);
    const auto to_end = out_.put(opcode::jump, at);
    out_.lead_here(past);
    end_line();
    block({"end"});
    out_.lead_here(to_end);
  }

  void loop(position at) {
    const auto begin = static_cast<std::int32_t>(out_.here());
    expression();
    const auto past = out_.put(opcode::jump_if_false, at);
    end_line();
    block({"end"});
    out_.put(opcode::jump, at, begin);
    out_.lead_here(past);
  }

  void definition(position at) {
    if (out_.in_function() || levels_ > 1) fail(at, "a function inside of something else");
    const token its_name = name();
    const auto number = out_.begin_function(std::string{its_name.spelled});
    expect("(");
    while (!is(")")) {
      const token one = name();
      if (out_.is_local(one.spelled)) fail(one.at, quoted(one.spelled) + " is there twice");
      out_.parameter(one.spelled);
      if (!accept(",")) break;
    }
    expect(")");
    end_line();
    block({"end"});
    finish_function();
    out_.end_function();
    out_.put(opcode::constant, at, out_.constant_of(function_number{number}));
    out_.put(opcode::store_global, at, out_.global(its_name.spelled));
  }

  void finish_function() {
    out_.put(opcode::constant, now_.at, out_.nil());
    out_.put(opcode::give_back, now_.at);
  }

  // Here and in `attempt` lies all the difference between the layouts.
  void with(position at) {
    expression();
    const auto handler = out_.put(opcode::setup_with, at);
    end_line();
    block({"end"});
    leave_body(at);
    out_.lead_here(handler);
    out_.put(opcode::exit_with, at);
    out_.put(opcode::end_finally, at);
  }

  void attempt(position at) {
    std::optional<std::size_t> handler;
    if (now_.is != token::type::newline) {
      const position entry = now_.at;
      postfix();
      if (out_.last() != opcode::call) fail(entry, "'try' takes a call, or nothing");
      if (how_ == layout::whole) {
        const instruction call = out_.take_back();
        handler = out_.put(opcode::enter_try, entry, 0, static_cast<std::uint8_t>(call.a));
      } else {
        out_.put(opcode::pop, entry);
      }
    }
    if (!handler) handler = out_.put(opcode::setup_finally, at);
    end_line();
    block({"finally"});
    leave_body(at);
    out_.lead_here(*handler);
    end_line();
    ++in_finally_;
    block({"end"});
    --in_finally_;
    out_.put(opcode::end_finally, at);
  }

  void leave_body(position at) {
    if (how_ == layout::whole) {
      out_.put(opcode::enter_finally, at);
    } else {
      out_.put(opcode::pop_block, at);
      out_.put(opcode::constant, at, out_.nil());
    }
  }

  void assignment_or_call(position at) {
    const bool known = std::ranges::find(reserved, now_.spelled) != reserved.end();
    const token first = known ? now_ : name();
    if (!known && accept("=")) {
      expression();
      if (out_.in_function())
        out_.put(opcode::store, at, out_.local(first.spelled));
      else
        out_.put(opcode::store_global, at, out_.global(first.spelled));
      return;
    }
    if (known) {
      postfix(); // spawn f(…), or nonsense
    } else {
      if (!is("(") && !is(".")) fail(at, "there is no statement " + quoted(first.spelled));
      variable(first);
      suffixes();
    }
    if (out_.last() == opcode::load_attribute && accept("=")) {
      const instruction target = out_.take_back();
      expression();
      out_.put(opcode::store_attribute, at, target.a);
    } else if (out_.last() == opcode::call || out_.last() == opcode::spawn) {
      out_.put(opcode::pop, at);
    } else {
      fail(at, "a value that nobody uses");
    }
  }

  // --- expressions
  void expression() {
    const level inside{*this, now_.at};
    const position at = now_.at;
    if (accept("not")) {
      expression();
      out_.put(opcode::invert, at);
      return;
    }
    sum();
    const position compared = now_.at;
    if (accept("<"))
      sum(), out_.put(opcode::less, compared);
    else if (accept("=="))
      sum(), out_.put(opcode::equal, compared);
  }

  void sum() {
    product();
    for (;;) {
      const position at = now_.at;
      if (accept("+"))
        product(), out_.put(opcode::add, at);
      else if (accept("-"))
        product(), out_.put(opcode::subtract, at);
      else
        return;
    }
  }

  void product() {
    postfix();
    for (;;) {
      const position at = now_.at;
      if (accept("*"))
        postfix(), out_.put(opcode::multiply, at);
      else if (accept("/"))
        postfix(), out_.put(opcode::divide, at);
      else
        return;
    }
  }

  void postfix() {
    primary();
    suffixes();
  }

  void suffixes() {
    for (;;) {
      const position at = now_.at;
      if (is("(")) {
        out_.put(opcode::call, at, arguments());
      } else if (accept(".")) {
        if (now_.is != token::type::word) fail(now_.at, "expected a name, there is " + seen());
        out_.put(opcode::load_attribute, at, out_.attribute(now_.spelled));
        advance();
      } else {
        return;
      }
    }
  }

  std::int32_t arguments() {
    std::int32_t count = 0;
    expect("(");
    while (!is(")")) {
      expression();
      if (++count > most_arguments)
        fail(now_.at, "more than " + std::to_string(most_arguments) + " arguments");
      if (!accept(",")) break;
    }
    expect(")");
    return count;
  }

  void primary() {
    const token it = now_;
    if (it.is == token::type::number) {
      advance();
      out_.put(opcode::constant, it.at, out_.constant_of(it.number));
    } else if (it.is == token::type::text) {
      advance();
      out_.put(opcode::constant, it.at, out_.constant_of(it.spelled));
    } else if (accept("(")) {
      expression();
      expect(")");
    } else if (accept("nil")) {
      out_.put(opcode::constant, it.at, out_.nil());
    } else if (accept("input")) {
      expect("("), expect(")");
      out_.put(opcode::input, it.at);
    } else if (accept("lock")) {
      expect("("), expect(")");
      out_.put(opcode::make, it.at, 0);
    } else if (accept("object")) {
      object(it.at);
    } else if (is("spawn") || is("daemon")) {
      const std::uint8_t daemon = is("daemon") ? 1 : 0;
      advance();
      variable(name());
      out_.put(opcode::spawn, it.at, arguments(), daemon);
    } else {
      if (it.is != token::type::word || std::ranges::find(reserved, it.spelled) != reserved.end())
        fail(it.at, "expected a value, there is " + seen());
      variable(name());
    }
  }

  void object(position at) {
    expect("(");
    if (is(")"))
      out_.put(opcode::constant, at, out_.nil());
    else
      expression();
    expect(")");
    out_.put(opcode::make, at, 1);
  }

  void variable(const token& its) {
    if (out_.is_local(its.spelled))
      out_.put(opcode::load, its.at, out_.local(its.spelled));
    else
      out_.put(opcode::load_global, its.at, out_.global(its.spelled));
  }

  lexer words_;
  token now_{};
  code_writer out_;
  layout how_;
  int levels_ = 0;
  int in_finally_ = 0;
};

} // namespace

program compile(std::string_view source, layout how) { return compiler{source, how}.whole(); }

} // namespace tiny
