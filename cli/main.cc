#include <csignal>

#include "pullback/cli/app.h"

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that reaches the size limit is an error to report, not the end
  return pullback::cli::run({argv + 1, argv + argc});
}
