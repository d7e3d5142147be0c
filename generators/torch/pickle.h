// Pickles of strangers, as data; private to generators/torch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pullback::internal {

// What a pickle builds, without building it. Nodes refer to one another by their numbers.
struct PickleNode {
  enum class Kind { kNone, kBool, kInt, kFloat, kText, kTuple, kList, kDict, kGlobal, kCall, kStorage };
  Kind kind = Kind::kNone;
  std::int64_t integer = 0;   // kInt, kBool
  std::string text;           // kText; "module.name" of a kGlobal
  std::vector<int> children;  // of a tuple or list; keys and values in turn of a dict; what is called and its argument
                              // of a kCall; the tuple that names a kStorage
};

struct Pickle {
  std::vector<PickleNode> nodes;
  int root = 0;

  const PickleNode& at(int node) const { return nodes[static_cast<std::size_t>(node)]; }
};

// Reads the instructions that LibTorch's pickler writes (protocol 2), and no others. Nothing is called: a call is a
// node. Refused are values that contain themselves and values deeper than 200 levels. Cost: the pickle's length.
// Errors: ArchiveFailure.
Pickle read_pickle(std::string_view bytes);

}  // namespace pullback::internal
