// Errors of the environment.
#pragma once

#include <stdexcept>
#include <string>

#include "pullback/base/export.h"

namespace pullback {

// A file, a plugin or a set of weights that cannot be used. The message names the path, what was expected, what came
// and what to do. A caller's mistake is std::invalid_argument instead, and a numerical outcome is never an exception
// but a Termination.
class PULLBACK_EXPORT Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A file that takes points of any number of coordinates and does not say of how many: whoever opens it has to
// (OpenOptions::dimension).
class PULLBACK_EXPORT UnknownDimension : public Error {
 public:
  using Error::Error;
};

}  // namespace pullback
