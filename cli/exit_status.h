// What the tool hands back to the shell.
#pragma once

namespace pullback::cli {

enum ExitStatus {
  kDone = 0,          // everything converged
  kNotConverged = 1,  // something did not, or the work was interrupted; results are written
  kBadUsage = 2,      // the command line is wrong
  kBadFile = 3,       // a file or plugin could not be read or is not what it should be
};

}  // namespace pullback::cli
