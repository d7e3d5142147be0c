// Whether the pickles of a TorchScript archive build a module and nothing else; private to generators/torch.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "pullback/generators/torch/pickle.h"

namespace pullback::internal {

// The size of the record that holds the storage of this key; nothing where there is none.
using StorageSize = std::function<std::optional<std::uint64_t>(const std::string& key)>;

// LibTorch trusts a pickle: it reads a tensor beyond the end of its storage, takes a number for a function, and runs
// what a class does on being loaded. So each call must be one of those that build tensors, lists and objects of the
// archive's own classes, with arguments of the right types, and each tensor must lie within its storage, and the
// storage within its record. All tensors together have at most four times the elements of all storages and 16 million.
// Errors: ArchiveFailure.
void check_module_pickle(const Pickle& pickle, const StorageSize& storage_size);

}  // namespace pullback::internal
