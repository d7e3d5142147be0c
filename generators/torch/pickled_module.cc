#include "pullback/generators/torch/pickled_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string_view>

#include "pullback/generators/torch/zip.h"

namespace pullback::internal {
namespace {

using Kind = PickleNode::Kind;

constexpr std::string_view kStorageStart = "torch.";
constexpr std::string_view kStorageEnd = "Storage";
constexpr std::string_view kClassStart = "__torch__.";
constexpr std::uint64_t kElementFactor = 4;
constexpr std::uint64_t kElementBase = std::uint64_t{1} << 24;
constexpr std::uint64_t kMostPaths = 1'000'000;
constexpr std::uint64_t kHuge = std::uint64_t{1} << 62;
constexpr std::size_t kLongestType = 4096;
constexpr int kDeepestType = 50;

[[noreturn]] void fail(const std::string& what) { throw ArchiveFailure(what); }

// Bytes of an element, 0 for what is no type of a weight. Quantized types are not among them.
std::uint64_t element_size(std::string_view storage) {
  static const std::map<std::string_view, std::uint64_t> sizes = {
      {"Double", 8}, {"Float", 4}, {"Half", 2}, {"BFloat16", 2},       {"Long", 8},         {"Int", 4},
      {"Short", 2},  {"Char", 1},  {"Byte", 1}, {"ComplexDouble", 16}, {"ComplexFloat", 8}, {"Bool", 1}};
  if (!storage.starts_with(kStorageStart) || !storage.ends_with(kStorageEnd)) return 0;
  storage.remove_prefix(kStorageStart.size());
  storage.remove_suffix(kStorageEnd.size());
  const auto found = sizes.find(storage);
  return found == sizes.end() ? 0 : found->second;
}

// a·b, or kHuge where that is larger.
std::uint64_t bounded_product(std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > kHuge / b ? kHuge : std::min(a * b, kHuge);
}

class ModuleCheck {
 public:
  ModuleCheck(const Pickle& pickle, const StorageSize& storage_size) : pickle_(pickle), storage_size_(storage_size) {}

  void run() {
    for (const PickleNode& node : pickle_.nodes) {
      if (node.kind == Kind::kStorage) check_storage(node);
    }
    for (const PickleNode& node : pickle_.nodes) {
      if (node.kind == Kind::kCall) check_call(node);
    }
    if (elements_ > kElementFactor * stored_ + kElementBase) fail("its tensors are larger than what is stored of them");
    check_paths();
  }

 private:
  const PickleNode& child(const PickleNode& node, std::size_t i) const { return pickle_.at(node.children[i]); }

  const PickleNode& require(const PickleNode& tuple, std::size_t i, Kind kind, const char* what) const {
    if (tuple.children.size() <= i || child(tuple, i).kind != kind) fail(fmt::format("{} is damaged", what));
    return child(tuple, i);
  }

  // The numbers of a tuple, none of them negative.
  std::vector<std::uint64_t> sizes(const PickleNode& tuple) const {
    std::vector<std::uint64_t> values;
    for (const int node : tuple.children) {
      const PickleNode& value = pickle_.at(node);
      if (value.kind != Kind::kInt || value.integer < 0) fail("the shape of a tensor is damaged");
      values.push_back(static_cast<std::uint64_t>(value.integer));
    }
    return values;
  }

  std::uint64_t storage_elements(const PickleNode& storage) const {
    return static_cast<std::uint64_t>(child(child(storage, 0), 4).integer);
  }

  // ("storage", type, key, device, elements)
  void check_storage(const PickleNode& node) {
    const PickleNode& tuple = child(node, 0);
    constexpr const char* kWhat = "the description of a storage";
    const std::uint64_t size = element_size(require(tuple, 1, Kind::kGlobal, kWhat).text);
    const std::string& key = require(tuple, 2, Kind::kText, kWhat).text;
    const std::string& device = require(tuple, 3, Kind::kText, kWhat).text;
    const std::int64_t elements = require(tuple, 4, Kind::kInt, kWhat).integer;
    if (require(tuple, 0, Kind::kText, kWhat).text != "storage" || elements < 0) fail("a storage is damaged");
    if (size == 0)
      fail(fmt::format("a storage is of the type {:.40}, which is no type of weights", child(tuple, 1).text));
    if (!device.starts_with("cpu") && !device.starts_with("cuda")) {
      fail(fmt::format("a storage lies on the device '{:.20}', expected cpu or cuda", device));
    }
    if (elements == 0) return;
    const auto found = storage_size_(key);
    if (!found) fail(fmt::format("the record of the storage '{:.40}' is missing", key));
    if (bounded_product(static_cast<std::uint64_t>(elements), size) > *found) {
      fail(fmt::format("the storage '{:.40}' needs {} elements of {} bytes, its record has {} bytes", key, elements,
                       size, *found));
    }
    if (keys_.insert(key).second) stored_ += static_cast<std::uint64_t>(elements);
  }

  // (storage, offset, sizes, strides, requires_grad, hooks)
  void check_tensor(const PickleNode& tuple) {
    constexpr const char* kWhat = "the description of a tensor";
    const std::uint64_t available = storage_elements(require(tuple, 0, Kind::kStorage, kWhat));
    const std::int64_t offset = require(tuple, 1, Kind::kInt, kWhat).integer;
    const auto size = sizes(require(tuple, 2, Kind::kTuple, kWhat));
    const auto stride = sizes(require(tuple, 3, Kind::kTuple, kWhat));
    require(tuple, 4, Kind::kBool, kWhat);
    if (size.size() != stride.size() || size.size() > 64 || offset < 0) fail("the shape of a tensor is damaged");
    std::uint64_t count = 1;
    std::uint64_t last = static_cast<std::uint64_t>(offset);
    for (std::size_t i = 0; i < size.size(); ++i) {
      count = bounded_product(count, size[i]);
      if (size[i] > 0) last = std::min(kHuge, last + bounded_product(size[i] - 1, stride[i]));
    }
    if (count > 0 && last >= available) fail("a tensor reaches beyond the end of its storage");
    if (count == 0 && last > available + kElementBase) fail("the shape of a tensor is damaged");
    elements_ = std::min(kHuge, elements_ + count);
  }

  // Types are compiled by a recursive parser.
  void check_type(const std::string& type) const {
    int depth = 0;
    for (const char c : type) {
      depth += c == '[' || c == '(' ? 1 : 0;
      depth -= c == ']' || c == ')' ? 1 : 0;
      if (depth > kDeepestType) fail("a type is nested too deeply");
    }
    if (type.size() > kLongestType) fail("a type is too long");
  }

  void check_object(const std::string& name, const PickleNode& state) const {
    if (name.starts_with("__torch__.torch.classes.")) {
      fail(fmt::format("it has an object of the class {:.80}, which is code of another library", name));
    }
    if (state.kind != Kind::kDict) return;  // the value of an enumeration
    for (std::size_t i = 0; i < state.children.size(); i += 2) {
      if (child(state, i).kind != Kind::kText) fail("an object has an attribute without a name");
    }
  }

  void check_call(const PickleNode& node) {
    const std::string& name = child(node, 0).text;
    const PickleNode& argument = child(node, 1);
    if (name.starts_with(kClassStart)) return check_object(name, argument);
    if (argument.kind != Kind::kTuple) fail(fmt::format("the arguments of {:.60} are damaged", name));
    constexpr const char* kWhat = "a list";
    if (name == "torch._utils._rebuild_tensor_v2") {
      check_tensor(argument);
    } else if (name == "torch.jit._pickle.restore_type_tag") {
      check_type(require(argument, 1, Kind::kText, kWhat).text);
      if (child(argument, 0).kind != Kind::kDict) require(argument, 0, Kind::kList, kWhat);
    } else if (name.starts_with("torch.jit._pickle.build_") && name.ends_with("list")) {
      require(argument, 0, Kind::kList, kWhat);
    } else if (name == "torch.device") {
      require(argument, 0, Kind::kText, "a device");
    } else if (name == "builtins.complex") {
      require(argument, 0, Kind::kFloat, "a complex number");
      require(argument, 1, Kind::kFloat, "a complex number");
    } else if (name != "collections.OrderedDict") {
      fail(fmt::format("it calls {:.80} on being loaded, which no module of plain tensors needs", name));
    }
  }

  // An object may be part of several others, but what walks through all parts must come to an end. Nodes come after
  // their children, except where lists and dicts were filled later, so that the order is made here.
  void check_paths() const {
    std::vector<std::uint64_t> paths(pickle_.nodes.size(), 0);
    std::vector<std::pair<int, bool>> open = {{pickle_.root, false}};
    while (!open.empty()) {
      const auto [node, left] = open.back();
      open.pop_back();
      std::uint64_t& count = paths[static_cast<std::size_t>(node)];
      if (left) {
        count = 1;
        for (const int part : pickle_.at(node).children) count += paths[static_cast<std::size_t>(part)];
        if (count > kMostPaths + pickle_.nodes.size()) fail("its objects contain one another too often");
      } else if (count == 0) {
        open.emplace_back(node, true);
        for (const int part : pickle_.at(node).children) {
          if (paths[static_cast<std::size_t>(part)] == 0) open.emplace_back(part, false);
        }
      }
    }
  }

  const Pickle& pickle_;
  const StorageSize& storage_size_;
  std::set<std::string> keys_;
  std::uint64_t stored_ = 0;    // elements of all storages
  std::uint64_t elements_ = 0;  // of all tensors
};

}  // namespace

void check_module_pickle(const Pickle& pickle, const StorageSize& storage_size) {
  ModuleCheck(pickle, storage_size).run();
}

}  // namespace pullback::internal
