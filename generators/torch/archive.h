// TorchScript archives of strangers; private to generators/torch.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <filesystem>

namespace pullback::internal {

// Reads the whole file and looks at all of it, without running anything: the zip archive (zip.h), the pickles of
// weights and objects (pickled_module.h), and the text of the program (source_scan.h). Errors: pullback::Error, with
// the path, for a file that cannot be read, is no regular file, is empty, is not a zip archive, is truncated, has a
// member whose checksum is wrong, is an archive of something else, such as a pickled state_dict, or holds anything that
// those refuse.
void require_torchscript_archive(const std::filesystem::path& path);

// The module in such a file. LibTorch is given only the records that were looked at; the program that it compiled is
// looked through once more (program_scan.h) before anybody can evaluate it.
// Errors: as above; what LibTorch throws; ArchiveFailure of program_scan.h.
torch::jit::Module load_torchscript(const std::filesystem::path& path);

}  // namespace pullback::internal
