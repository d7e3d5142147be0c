#include "tool.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace pullback::cli {

namespace {

// Only calls that are safe between fork and exec.
bool redirect(const char* path, int flags, int target) {
  const int descriptor = ::open(path, flags, 0600);
  return descriptor >= 0 && ::dup2(descriptor, target) == target;
}

}  // namespace

namespace {

// A child that runs the program, its output going to two files.
pid_t start_program(const std::string& program, std::vector<std::string> arguments, const std::string& out,
                    const std::string& err) {
  arguments.insert(arguments.begin(), program);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
    std::signal(SIGINT, SIG_DFL);  // a test runner in the background may have it ignored, and that is inherited
    if (redirect("/dev/null", O_RDONLY, STDIN_FILENO) && redirect(out.c_str(), kWrite, STDOUT_FILENO) &&
        redirect(err.c_str(), kWrite, STDERR_FILENO)) {
      ::execvp(argv[0], argv.data());
    }
    ::_exit(127);
  }
  return child;
}

Finished run_and_signal(const std::string& program, std::vector<std::string> arguments, double after, int signal) {
  using Clock = std::chrono::steady_clock;
  const Folder folder;
  const std::string out = folder / "out";
  const std::string err = folder / "err";
  const pid_t child = start_program(program, std::move(arguments), out, err);
  if (signal != 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(after));
    ::kill(child, signal);
  }
  const Clock::time_point sent = Clock::now();
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read_file(out), read_file(err),
          std::chrono::duration<double>(Clock::now() - sent).count()};
}

}  // namespace

Finished run_program(const std::string& program, std::vector<std::string> arguments) {
  return run_and_signal(program, std::move(arguments), 0, 0);
}

Finished run_tool(std::vector<std::string> arguments) { return run_program(PULLBACK_TOOL, std::move(arguments)); }

Finished interrupt_tool(std::vector<std::string> arguments, double after, int signal) {
  return run_and_signal(PULLBACK_TOOL, std::move(arguments), after, signal);
}

int count(const std::string& text, const std::string& part) {
  int number = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++number;
  return number;
}

}  // namespace pullback::cli
