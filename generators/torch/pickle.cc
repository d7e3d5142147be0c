#include "pullback/generators/torch/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "pullback/generators/torch/zip.h"

namespace pullback::internal {
namespace {

using Kind = PickleNode::Kind;

constexpr int kDeepest = 200;
constexpr std::size_t kMostMemo = std::size_t{1} << 24;  // beyond any model's; LibTorch keeps a table of that size

constexpr std::size_t kMostNodes = std::size_t{1} << 22;

[[noreturn]] void fail(const std::string& what) { throw ArchiveFailure(what); }

// A machine with a stack of nodes, as the pickle format defines it.
class Machine {
 public:
  explicit Machine(std::string_view bytes) : bytes_(bytes) {}

  Pickle run() {
    if (byte() != 0x80 || byte() != 2) fail("a pickle is not of protocol 2");
    while (step(byte())) {
    }
    if (stack_.size() != 1 || !marks_.empty()) fail("a pickle leaves other than one value");
    if (at_ != bytes_.size()) fail("bytes follow a pickle");
    pickle_.root = stack_[0];
    return std::move(pickle_);
  }

 private:
  unsigned char byte() { return static_cast<unsigned char>(take(1)[0]); }

  std::string_view take(std::size_t size) {
    if (bytes_.size() - at_ < size) fail("a pickle is cut off");
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }

  std::uint64_t little_endian(std::size_t size) {
    const std::string_view part = take(size);
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(part[i]);
    return value;
  }

  std::string line() {
    const auto end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) fail("a pickle is cut off");
    const std::string text(bytes_.substr(at_, end - at_));
    at_ = end + 1;
    return text;
  }

  void push(PickleNode node) {
    if (pickle_.nodes.size() == kMostNodes) fail("a pickle has more values than any module");
    pickle_.nodes.push_back(std::move(node));
    stack_.push_back(static_cast<int>(pickle_.nodes.size()) - 1);
  }
  void push(Kind kind) { push({kind, 0, {}, {}}); }
  void push_int(std::int64_t value) { push({Kind::kInt, value, {}, {}}); }
  void push_bool(bool value) { push({Kind::kBool, value ? 1 : 0, {}, {}}); }

  int pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("a pickle takes from an empty stack");
    const int node = stack_.back();
    stack_.pop_back();
    return node;
  }

  // What was pushed since the last mark.
  std::vector<int> pop_marked() {
    if (marks_.empty()) fail("a pickle has no mark where it needs one");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<int> nodes(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return nodes;
  }

  void push_tuple(std::vector<int> children) { push({Kind::kTuple, 0, {}, std::move(children)}); }

  void push_short_tuple(std::size_t size) {
    std::vector<int> children(size);
    for (std::size_t i = size; i-- > 0;) children[i] = pop();
    push_tuple(std::move(children));
  }

  // Adds to the list or dict on top of the stack.
  void extend(Kind kind, const std::vector<int>& children) {
    const int target = pop();
    stack_.push_back(target);
    PickleNode& node = pickle_.nodes[static_cast<std::size_t>(target)];
    if (node.kind != kind) fail("a pickle adds to what is no list or dict");
    if (kind == Kind::kDict && children.size() % 2 != 0) fail("a pickle has a key without a value");
    node.children.insert(node.children.end(), children.begin(), children.end());
  }

  void append() {
    const int value = pop();
    extend(Kind::kList, {value});
  }

  void set_item() {
    const int value = pop();
    const int key = pop();
    extend(Kind::kDict, {key, value});
  }

  // What is called must be a name, not a number that LibTorch would take for one.
  void call() {
    const int argument = pop();
    const int function = pop();
    if (pickle_.at(function).kind != Kind::kGlobal) fail("a pickle calls what is no name");
    push({Kind::kCall, 0, {}, {function, argument}});
  }

  void new_object() {
    const int arguments = pop();
    if (pickle_.at(arguments).kind != Kind::kTuple || !pickle_.at(arguments).children.empty()) {
      fail("a pickle makes an object with arguments");
    }
    const int type = pop();
    if (pickle_.at(type).kind != Kind::kGlobal) fail("a pickle makes an object of what is no name");
    stack_.push_back(type);
  }

  void global() {
    const std::string module = line();
    push({Kind::kGlobal, 0, module + "." + line(), {}});
  }

  void storage() {
    const int tuple = pop();
    if (pickle_.at(tuple).kind != Kind::kTuple) fail("a storage is not named by a tuple");
    push({Kind::kStorage, 0, {}, {tuple}});
  }

  void remember(std::uint64_t key) {
    if (stack_.empty() || key >= kMostMemo) fail("a pickle keeps a value under a number that is out of range");
    memo_[key] = stack_.back();
  }

  void recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) fail("a pickle recalls what it has not kept");
    stack_.push_back(found->second);
  }

  bool step(unsigned char code);
  bool step_container(unsigned char code);

  std::string_view bytes_;
  std::size_t at_ = 0;
  Pickle pickle_;
  std::vector<int> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint64_t, int> memo_;
};

// One instruction; false for the last one. Codes: Python's pickletools.
bool Machine::step(unsigned char code) {
  switch (code) {
    case '.':
      return false;
    case 'N':
      push(Kind::kNone);
      return true;
    case 0x88:
    case 0x89:
      push_bool(code == 0x88);
      return true;
    case 'K':
      push_int(static_cast<std::int64_t>(little_endian(1)));
      return true;
    case 'M':
      push_int(static_cast<std::int64_t>(little_endian(2)));
      return true;
    case 'J':
      push_int(static_cast<std::int32_t>(little_endian(4)));
      return true;
    case 0x8a:
      if (byte() != 8) fail("a pickle has a whole number that is not of 8 bytes");
      push_int(static_cast<std::int64_t>(little_endian(8)));
      return true;
    case 'G':
      take(8);
      push(Kind::kFloat);
      return true;
    case 'X':
      push({Kind::kText, 0, std::string(take(little_endian(4))), {}});
      return true;
    default:
      return step_container(code);
  }
}

bool Machine::step_container(unsigned char code) {
  switch (code) {
    case '(':
      marks_.push_back(stack_.size());
      return true;
    case ')':
      push(Kind::kTuple);
      return true;
    case 't':
      push_tuple(pop_marked());
      return true;
    case 0x85:
    case 0x86:
    case 0x87:
      push_short_tuple(code - std::size_t{0x84});
      return true;
    case ']':
      push(Kind::kList);
      return true;
    case 'a':
      append();
      return true;
    case 'e':
      extend(Kind::kList, pop_marked());
      return true;
    case '}':
      push(Kind::kDict);
      return true;
    case 's':
      set_item();
      return true;
    case 'u':
      extend(Kind::kDict, pop_marked());
      return true;
    case 'c':
      global();
      return true;
    case 'R':
    case 'b':
      call();
      return true;
    case 0x81:
      new_object();
      return true;
    case 'Q':
      storage();
      return true;
    case 'q':
      remember(byte());
      return true;
    case 'r':
      remember(little_endian(4));
      return true;
    case 'h':
      recall(byte());
      return true;
    case 'j':
      recall(little_endian(4));
      return true;
    default:
      fail(fmt::format("a pickle has the instruction {:#04x}, which LibTorch does not write", code));
  }
}

// Refuses values that contain themselves or are too deep, without recursion of its own.
void check_depth(const Pickle& pickle) {
  struct Frame {
    int node;
    std::size_t next = 0;
  };
  enum Mark : char { kNew, kOpen, kDone };
  std::vector<Mark> marks(pickle.nodes.size(), kNew);
  std::vector<int> heights(pickle.nodes.size(), 0);
  std::vector<Frame> open = {{pickle.root}};
  marks[static_cast<std::size_t>(pickle.root)] = kOpen;
  while (!open.empty()) {
    Frame& frame = open.back();
    const auto number = static_cast<std::size_t>(frame.node);
    const auto& children = pickle.nodes[number].children;
    if (frame.next == children.size()) {
      marks[number] = kDone;
      for (const int child : children) {
        heights[number] = std::max(heights[number], 1 + heights[static_cast<std::size_t>(child)]);
      }
      if (heights[number] > kDeepest) fail("a pickle is nested too deeply");
      open.pop_back();
      continue;
    }
    const int child = children[frame.next++];
    Mark& mark = marks[static_cast<std::size_t>(child)];
    if (mark == kOpen) fail("a pickle has a value that contains itself");
    if (mark == kDone) continue;
    mark = kOpen;
    open.push_back({child});
  }
}

}  // namespace

Pickle read_pickle(std::string_view bytes) {
  Pickle pickle = Machine(bytes).run();
  check_depth(pickle);
  return pickle;
}

}  // namespace pullback::internal
