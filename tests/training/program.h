// Running the trainer as a program.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/base/idx_files.h"

namespace pullback::training {

struct Finished {
  int status = 0;  // exit status, or minus the signal that ended it
  std::string out;
  std::string err;
};

// The trainer, started in a folder; what it prints goes to files there.
class Program {
 public:
  Program(std::filesystem::path folder, std::vector<std::string> arguments) : folder_(std::move(folder)) {
    arguments.insert(arguments.begin(), PULLBACK_TRAIN);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    child_ = ::fork();
    if (child_ < 0) throw std::runtime_error("fork failed");
    if (child_ == 0) run(argv.data());
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (child_ > 0) send(SIGKILL), wait();
  }

  void send(int signal) const { ::kill(child_, signal); }

  bool running() {
    if (child_ > 0 && ::waitpid(child_, &wait_status_, WNOHANG) == child_) child_ = -1;
    return child_ > 0;
  }

  Finished wait() {
    if (child_ > 0) ::waitpid(std::exchange(child_, -1), &wait_status_, 0);
    const int status = WIFEXITED(wait_status_) ? WEXITSTATUS(wait_status_) : -WTERMSIG(wait_status_);
    return {status, get(folder_ / "stdout"), get(folder_ / "stderr")};
  }

 private:
  // Only calls that are safe between fork and exec.
  [[noreturn]] void run(char* const* argv) const {
    const bool ready =
        ::chdir(folder_.c_str()) == 0 && redirect("stdout", STDOUT_FILENO) && redirect("stderr", STDERR_FILENO);
    if (ready) ::execv(argv[0], argv);
    ::_exit(127);
  }
  static bool redirect(const char* name, int descriptor) {
    return ::dup2(::open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600), descriptor) == descriptor;
  }

  std::filesystem::path folder_;
  pid_t child_ = -1;
  int wait_status_ = 0;
};

inline Finished run_program(const std::filesystem::path& folder, const std::vector<std::string>& arguments) {
  return Program(folder, arguments).wait();
}

}  // namespace pullback::training
