#include "pullback/generators/torch/source_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "pullback/generators/torch/zip.h"

namespace pullback::internal {
namespace {

constexpr int kDeepestBrackets = 100;
constexpr int kDeepestBlocks = 100;
// Operators, dots and brackets between two commas; LibTorch's printer breaks expressions long before.
constexpr int kLongestExpression = 500;
constexpr int kMostAlternatives = 200;  // "elif", of which LibTorch's printer writes none
constexpr int kSpacesPerBlock = 2;      // as LibTorch's printer indents

// Operators of aten:: and prim:: that reach outside of the computation.
constexpr std::array<std::string_view, 24> kForbidden = {
    "save",       "load",        "from_file",    "to_file",       "from_blob",     "data_ptr",
    "PythonOp",   "fork",        "wait",         "awaitable",     "rpc_async",     "rpc_sync",
    "rpc_remote", "manual_seed", "seed",         "record_stream", "pin_memory",    "set_data",
    "_save",      "_from_file",  "AddStatValue", "TimePoint",     "FallbackGraph", "BailOut"};
// Those of them that compiling could run, and methods that loading runs. A program may use the others as names.
constexpr std::array<std::string_view, 10> kForbiddenNames = {"save",       "from_file", "_save",     "_from_file",
                                                              "from_blob",  "PythonOp",  "rpc_async", "rpc_sync",
                                                              "rpc_remote", "data_ptr"};

// Operators that start with an underscore are LibTorch's own and often unchecked. These are met in saved models.
constexpr std::array<std::string_view, 32> kPrivate = {"_convolution",
                                                       "_convolution_mode",
                                                       "_softmax",
                                                       "_log_softmax",
                                                       "_weight_norm",
                                                       "_weight_norm_interface",
                                                       "_unsafe_view",
                                                       "_reshape_alias",
                                                       "_shape_as_tensor",
                                                       "_reshape_from_tensor",
                                                       "_set_item",
                                                       "_batch_norm_impl_index",
                                                       "_adaptive_avg_pool2d",
                                                       "_adaptive_avg_pool3d",
                                                       "_to_copy",
                                                       "_conj",
                                                       "_neg_view",
                                                       "_trilinear",
                                                       "_cast_Double",
                                                       "_cast_Float",
                                                       "_cast_Int",
                                                       "_cast_Long",
                                                       "_stack",
                                                       "_cat",
                                                       "_dim_arange",
                                                       "_linalg_svd",
                                                       "_fft_c2c",
                                                       "_fft_r2c",
                                                       "_fft_c2r",
                                                       "_transformer_encoder_layer_fwd",
                                                       "_native_multi_head_attention",
                                                       "_infer_size"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_name_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

struct Token {
  enum class Kind { kName, kText, kSign, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text;  // of a text without its quotes
};

// Splits a program into names, texts and signs, keeping count of lines.
class Tokens {
 public:
  explicit Tokens(std::string_view source) : source_(source) {}

  int line() const { return line_; }
  std::size_t indentation() const { return indentation_; }

  Token next() {
    skip_space();
    if (at_ == source_.size()) return {};
    const std::size_t begin = at_;
    const char c = source_[at_];
    if (c == '"' || c == '\'') return text(c);
    ++at_;
    if (!is_name_character(c)) return {Token::Kind::kSign, source_.substr(begin, 1)};
    while (at_ < source_.size() && is_name_character(source_[at_])) ++at_;
    return {Token::Kind::kName, source_.substr(begin, at_ - begin)};
  }

 private:
  void skip_space() {
    while (at_ < source_.size()) {
      const char c = source_[at_];
      if (c == '#') {
        while (at_ < source_.size() && source_[at_] != '\n') ++at_;
      } else if (c == '\n') {
        ++line_;
        ++at_;
        indentation_ = 0;
        while (at_ + indentation_ < source_.size() && source_[at_ + indentation_] == ' ') ++indentation_;
      } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
        ++at_;
      } else {
        return;
      }
    }
  }

  Token text(char quote) {
    const std::string three(3, quote);
    const bool triple = source_.substr(at_).starts_with(three);
    const std::string_view end = triple ? std::string_view(three) : std::string_view(three).substr(0, 1);
    const std::size_t begin = at_ + end.size();
    at_ = begin;
    while (at_ < source_.size() && !source_.substr(at_).starts_with(end)) {
      if (source_[at_] == '\n') ++line_;
      at_ += source_[at_] == '\\' ? 2 : 1;
    }
    at_ = std::min(at_, source_.size());
    const Token token{Token::Kind::kText, source_.substr(begin, at_ - begin)};
    at_ = std::min(source_.size(), at_ + end.size());
    return token;
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::size_t indentation_ = 0;
};

class Scan {
 public:
  Scan(std::string_view source, const std::string& name) : tokens_(source), name_(name) {}

  void run() {
    for (Token token = tokens_.next(); token.kind != Token::Kind::kEnd; token = tokens_.next()) {
      check_size(token);
      if (token.kind == Token::Kind::kName) check_name(token.text);
      if (token.kind == Token::Kind::kText) check_text(token.text);
      follow(token);
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw ArchiveFailure(fmt::format("{} line {}: {}", name_, tokens_.line(), what));
  }

  [[noreturn]] void refuse(std::string_view name) const {
    fail(fmt::format(
        "uses {:.60}, which may touch files, processes or other libraries; a TorchScript file is opened only "
        "if all that it does is to compute",
        name));
  }

  void check_size(const Token& token) {
    if (tokens_.line() != last_line_ && depth_ == 0) expression_ = 0;
    last_line_ = tokens_.line();
    if (tokens_.indentation() > kDeepestBlocks * kSpacesPerBlock) fail("is nested too deeply");
    if (token.kind == Token::Kind::kText) return;
    const char c = token.text[0];
    if (c == ',') {
      expression_ = 0;
    } else if (token.kind == Token::Kind::kSign || is_operator(token.text)) {
      ++expression_;
    }
    depth_ += c == '(' || c == '[' || c == '{' ? 1 : 0;
    depth_ -= (c == ')' || c == ']' || c == '}') && depth_ > 0 ? 1 : 0;
    if (depth_ > kDeepestBrackets || expression_ > kLongestExpression)
      fail("has an expression that is nested too deeply");
  }

  static bool is_operator(std::string_view name) {
    return name == "not" || name == "if" || name == "else" || name == "and" || name == "or";
  }

  void check_name(std::string_view name) const {
    // "ops.quantized.linear": what follows "ops." is the library.
    if (after_ops_ == 2 && name != "aten" && name != "prim") refuse(fmt::format("ops.{}", name));
    if (name == "__setstate__" || name == "__getstate__") {
      fail(fmt::format("defines {}, which would run on loading; a TorchScript file is opened only if nothing runs then",
                       name));
    }
    if (contains(kForbiddenNames, name)) refuse(name);
  }

  // getattr(x, "name") finds what a name finds, and a name may be put together of pieces.
  void check_text(std::string_view text) {
    if (after_getattr_text_) refuse("getattr with a name in pieces");
    if (getattrs_ == 0) return;
    if (text.find('\\') != std::string_view::npos || contains(kForbiddenNames, text)) {
      refuse(fmt::format("getattr of \"{:.40}\"", text));
    }
  }

  void follow(const Token& token) {
    const bool name = token.kind == Token::Kind::kName;
    const bool dot = token.kind == Token::Kind::kSign && token.text == ".";
    after_ops_ = name && token.text == "ops" ? 1 : (after_ops_ == 1 && dot ? 2 : 0);
    after_getattr_text_ = token.kind == Token::Kind::kText && getattrs_ > 0;
    if (after_getattr_text_) --getattrs_;
    if (name && token.text == "getattr") ++getattrs_;
    if (name && token.text == "elif" && ++alternatives_ > kMostAlternatives) fail("has too many alternatives");
  }

  Tokens tokens_;
  const std::string& name_;
  int last_line_ = 0;
  int depth_ = 0;
  int expression_ = 0;
  int after_ops_ = 0;  // 1 behind "ops", 2 behind "ops."
  int getattrs_ = 0;   // whose name has not come yet
  bool after_getattr_text_ = false;
  int alternatives_ = 0;
};

}  // namespace

bool is_allowed_operator(std::string_view name) {
  const bool known = name.starts_with("aten::") || name.starts_with("prim::");
  if (!known) return false;
  const std::string_view plain = name.substr(name.find("::") + 2);
  if (contains(kForbidden, plain)) return false;
  const bool own = plain.starts_with('_') && !plain.starts_with("__");
  return !own || name.starts_with("prim::") || contains(kPrivate, plain);
}

void scan_source(std::string_view text, const std::string& name) { Scan(text, name).run(); }

}  // namespace pullback::internal
