// Whether a file is an undamaged TorchScript archive; private to generators/torch.
#pragma once

#include <filesystem>

namespace pullback::internal {

// Reads the whole file once, without running anything of it.
// Errors: pullback::Error, with the path, for a file that cannot be read, is empty, is not a zip archive, is truncated,
// has a member whose checksum is wrong, or is an archive of something else, such as a pickled state_dict.
void require_torchscript_archive(const std::filesystem::path& path);

}  // namespace pullback::internal
