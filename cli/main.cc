#include "pullback/cli/app.h"

int main(int argc, char** argv) { return pullback::cli::run({argv + 1, argv + argc}); }
