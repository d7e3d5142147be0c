// The text of a TorchScript program, looked through before anything of it is compiled; private to generators/torch.
#pragma once

#include <string>
#include <string_view>

namespace pullback::internal {

// Whether a program may use this operator ("aten::save", "quantized::linear"): it must be one of aten:: or prim:: that
// computes and does not touch files, processes, other libraries or memory that it was not given.
bool is_allowed_operator(std::string_view name);

// Compiling a program runs parts of it: default arguments, expressions of constants, and on loading its objects what
// their classes define for that. So what could do harm there is refused by its text: operators as above, methods that
// run on loading, names that are looked up by text, and nesting that would exhaust the stack of LibTorch's compiler.
// `name` is the record of the text. Errors: ArchiveFailure with the record and the line.
void scan_source(std::string_view text, const std::string& name);

}  // namespace pullback::internal
