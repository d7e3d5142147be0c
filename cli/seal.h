// Checksums over what a results file says and no measurement can find again.
#pragma once

#include <string>

#include "pullback/cli/result_json.h"

namespace pullback::cli {

// A seal keeps edits from going unnoticed: who solved a pair, which pair it was, what the solver said of its own work,
// and with which settings. When, where and how fast that was is not under it. It is a checksum and no signature:
// whoever wants to lie can make a new one. Curves and their numbers are not under it, since `verify` measures them.

// Over one result with its place in the list and who made it. The result has "from" and "to".
std::string seal_of_result(const Json& result, std::size_t index, const std::string& solver);

// Over a document without what `verify` finds again: of "results" it keeps the number, of "generators" all but names,
// results, summaries and, with `measured_summary`, best lengths.
std::string seal_of_document(const Json& document, bool measured_summary);

}  // namespace pullback::cli
