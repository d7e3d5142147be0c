// Running something that recurses deeply; private to generators/torch.
#pragma once

#include <functional>

namespace pullback::internal {

// Calls `work` on a thread of its own with a stack of 256 MiB and waits for it. What it throws is thrown here.
// LibTorch's parser and compiler recurse as deep as a program is nested. Errors: std::system_error where no thread can
// be made.
void with_large_stack(const std::function<void()>& work);

}  // namespace pullback::internal
