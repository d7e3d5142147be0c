#include "pullback/cli/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "pullback/base/error.h"
#include "pullback/cli/streams.h"

namespace pullback::cli {

namespace {

// The first of the header's fields that differs, for people.
std::string difference(const Json& there, const Json& now) {
  for (const auto& [key, value] : now.items()) {
    if (!there.is_object() || !there.contains(key)) return fmt::format("\"{}\" is missing", key);
    if (there[key] == value) continue;
    if (value.is_object()) return difference(there[key], value);
    return fmt::format("{} was {:.60}, now {:.60}", key, there[key].dump(), value.dump());
  }
  return "it has other fields";
}

Json parse_line(const std::string& line, const std::string& path, int number) {
  try {
    return parse_json(line, fmt::format("{}:{}", path, number));
  } catch (const Error& error) {
    throw Error(fmt::format("{}; the journal is damaged: remove it, or choose another --out", error.what()));
  }
}

}  // namespace

Journal::Journal(std::filesystem::path path, const Json& header, const std::function<void(const JsonView&)>& entry)
    : path_(std::move(path)) {
  const std::string name = path_.string();
  descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw Error(fmt::format("{}: cannot be opened: {}", name, std::strerror(errno)));
  struct stat status {};
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(std::exchange(descriptor_, -1));
    throw Error(fmt::format("{}: is not a regular file", name));
  }
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    close(std::exchange(descriptor_, -1));
    throw Error(fmt::format("{}: another process is working on it", name));
  }
  try {
    const std::string content = read_whole(path_, "a journal");
    const std::size_t whole = content.rfind('\n') == std::string::npos ? 0 : content.rfind('\n') + 1;
    if (whole < content.size() && ftruncate(descriptor_, static_cast<off_t>(whole)) != 0) {
      throw Error(fmt::format("{}: cannot be written: {}", name, std::strerror(errno)));
    }
    int number = 0;
    for (std::size_t begin = 0; begin < whole;) {
      const std::size_t end = content.find('\n', begin);
      const Json json = parse_line(content.substr(begin, end - begin), name, ++number);
      begin = end + 1;
      if (number == 1 && json != header) {
        throw Error(fmt::format("{}: was begun with other settings ({}); choose another --out, or remove it", name,
                                difference(json, header)));
      }
      if (number > 1) entry(JsonView(json, fmt::format("{}:{}", name, number)));
    }
    if (number == 0) append(header);
  } catch (...) {
    close(std::exchange(descriptor_, -1));
    throw;
  }
}

Journal::~Journal() {
  if (descriptor_ >= 0) close(descriptor_);
}

void Journal::append(const Json& entry) {
  write_line(entry.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void Journal::write_line(const std::string& line) const {
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t written = write(descriptor_, line.data() + done, line.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw Error(fmt::format("{}: cannot be written: {}", path_.string(), std::strerror(errno)));
    done += static_cast<std::size_t>(written);
  }
}

}  // namespace pullback::cli
