#include "pullback/cli/streams.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "pullback/cli/interrupt.h"

namespace pullback::cli {

namespace {

namespace fs = std::filesystem;

constexpr int kMilliseconds = 50;  // between looks at whether to go on
// After an interrupt a pipe that someone reads still gets what was finished; one that nobody reads is given up.
constexpr auto kPatience = std::chrono::seconds(1);

// A descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// Counts how long a wait has gone on since it was both begun and interrupted.
class Wait {
 public:
  explicit Wait(const fs::path& path) : path_(path) {}

  // Errors: Interrupted once the user has asked to end and `patience` has passed.
  void check(std::chrono::milliseconds patience) {
    if (!interrupted()) return;
    const auto now = std::chrono::steady_clock::now();
    if (first_ == std::chrono::steady_clock::time_point()) first_ = now;
    if (now - first_ < patience) return;
    throw Interrupted(fmt::format("{}: interrupted while waiting for the other side of it", path_.string()));
  }

 private:
  const fs::path& path_;
  std::chrono::steady_clock::time_point first_;
};

[[noreturn]] void cannot_read(const fs::path& path, int error) {
  throw Error(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(error)));
}

[[noreturn]] void cannot_write(const fs::path& path, int error) {
  throw Error(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(error)));
}

[[noreturn]] void too_large(const fs::path& path) {
  throw Error(fmt::format("{}: is larger than {} bytes, which is the most that is read", path.string(), kLargestInput));
}

// Until there is something to do; at most one interval. False when there was nothing.
bool ready(int descriptor, short events) {
  pollfd request{descriptor, events, 0};
  return poll(&request, 1, kMilliseconds) > 0;
}

std::string read_all(const fs::path& path, int descriptor) {
  Wait wait(path);
  std::string content;
  std::string buffer(std::size_t{1} << 16, '\0');
  while (true) {
    // Before a first writer a pipe has neither data nor an end, and read() would call that an end.
    if (!ready(descriptor, POLLIN)) {
      wait.check({});
      continue;
    }
    const ssize_t size = read(descriptor, buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) {
      wait.check({});
      continue;
    }
    if (size < 0) cannot_read(path, errno);
    if (size == 0) return content;
    content.append(buffer, 0, static_cast<std::size_t>(size));
    if (content.size() > kLargestInput) too_large(path);
  }
}

// Opening a pipe that nobody reads from fails where it may not wait.
Descriptor open_for_writing(const fs::path& path) {
  Wait wait(path);
  while (true) {
    const int descriptor = open(path.c_str(), O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor >= 0) return Descriptor(descriptor);
    if (errno != EINTR && (errno != ENXIO || !fs::is_fifo(path))) cannot_write(path, errno);
    wait.check(kPatience);
    std::this_thread::sleep_for(std::chrono::milliseconds(kMilliseconds));
  }
}

}  // namespace

std::string read_whole(const fs::path& path, std::string_view expected) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (file.get() < 0) cannot_read(path, errno);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) cannot_read(path, errno);
  if (S_ISDIR(status.st_mode)) throw Error(fmt::format("{}: is a folder, expected {}", path.string(), expected));
  if (S_ISREG(status.st_mode) && static_cast<std::size_t>(status.st_size) > kLargestInput) too_large(path);
  return read_all(path, file.get());
}

bool is_special(const fs::path& path) {
  // Names of this process's own descriptors: what is behind them is not to be replaced, whatever it is.
  for (const char* start : {"/dev/fd/", "/dev/std", "/proc/"}) {
    if (path.string().starts_with(start)) return true;
  }
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

void write_special(const fs::path& path, std::string_view content) {
  const Descriptor file = open_for_writing(path);
  Wait wait(path);
  while (!content.empty()) {
    const ssize_t written = write(file.get(), content.data(), content.size());
    if (written > 0) {
      content.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      if (!ready(file.get(), POLLOUT)) wait.check(kPatience);
    } else if (written == 0 || errno != EINTR) {
      cannot_write(path, written == 0 ? ENOSPC : errno);
    }
  }
}

}  // namespace pullback::cli
