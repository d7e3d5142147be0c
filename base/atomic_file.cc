#include "pullback/base/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>

#include "pullback/base/error.h"

namespace pullback {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as Linux follows
constexpr int kMostNames = 100;
constexpr mode_t kPermissions = 0777;

[[noreturn]] void cannot_write(const fs::path& path, int error) {
  throw Error(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(error)));
}

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

// Short, whatever the target's name, which may be as long as names can be.
fs::path random_name() {
  std::random_device random;
  return fmt::format(".pullback-{:08x}{:08x}.tmp", random(), random());
}

// What the folder lists reaches the disk too. Some file systems cannot do that, and then there is nothing to be done.
void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

// The file that opening `path` for writing would reach: what symbolic links end at, whether it exists or not.
// Errors: pullback::Error where links go round in a circle.
fs::path behind_links(const fs::path& path) {
  fs::path place = path;
  std::error_code error;
  for (int i = 0; fs::is_symlink(fs::symlink_status(place, error)); ++i) {
    if (i == kMostLinks) cannot_write(path, ELOOP);
    const fs::path next = fs::read_symlink(place, error);
    if (error) cannot_write(path, error.value());
    place = folder_of(place) / next;
  }
  return place;
}

}  // namespace

bool same_file(const fs::path& a, const fs::path& b) {
  struct stat first {};
  struct stat second {};
  const bool there = ::stat(a.c_str(), &first) == 0;
  if (there != (::stat(b.c_str(), &second) == 0)) return false;
  if (there) return S_ISREG(first.st_mode) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
  std::error_code error;  // a folder that is not there either has no other name
  return fs::weakly_canonical(behind_links(a), error) == fs::weakly_canonical(behind_links(b), error);
}

AtomicFile::AtomicFile(fs::path target) : target_(std::move(target)), place_(behind_links(target_)) {
  struct stat status {};
  const bool exists = ::stat(place_.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) fail(errno);
  if (exists && S_ISDIR(status.st_mode)) fail(EISDIR);
  if (exists && !S_ISREG(status.st_mode)) throw Error(fmt::format("{}: is not a regular file", target_.string()));
  if (exists && ::access(place_.c_str(), W_OK) != 0) fail(errno);
  open_temporary();
  if (exists) take_over(status.st_mode & kPermissions, status.st_uid, status.st_gid);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : target_(std::move(other.target_)),
      place_(std::move(other.place_)),
      temporary_(std::exchange(other.temporary_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(int error) const { cannot_write(target_, error); }

void AtomicFile::open_temporary() {
  for (int i = 0; i < kMostNames && descriptor_ < 0; ++i) {
    const fs::path name = folder_of(place_) / random_name();
    descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) fail(errno);
    if (descriptor_ >= 0) temporary_ = name;
  }
  if (descriptor_ < 0) fail(EEXIST);
}

void AtomicFile::take_over(mode_t mode, uid_t owner, gid_t group) {
  // Only a privileged process may give files away; the group alone is often allowed.
  if (::fchown(descriptor_, owner, group) != 0 && ::fchown(descriptor_, static_cast<uid_t>(-1), group) != 0) {
    // The file then belongs to whoever runs this, as any new file does.
  }
  if (::fchmod(descriptor_, mode) != 0) {
    const int error = errno;
    ::close(std::exchange(descriptor_, -1));
    ::unlink(temporary_.c_str());
    fail(error);
  }
}

void AtomicFile::write(const void* data, std::size_t size) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor_, next, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(written < 0 ? errno : ENOSPC);
    next += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::finish() {
  if (descriptor_ < 0) return;
  if (::fsync(descriptor_) != 0) fail(errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
}

void AtomicFile::move_into_place() {
  finish();
  if (::rename(temporary_.c_str(), place_.c_str()) != 0) fail(errno);
  temporary_.clear();
  sync_folder(folder_of(place_));
}

void write_atomically(const FileContents& files) {
  std::vector<AtomicFile> pending;
  pending.reserve(files.size());
  for (const auto& [path, content] : files) {
    pending.emplace_back(path).write(content);
    pending.back().finish();
  }
  for (AtomicFile& file : pending) file.move_into_place();
}

}  // namespace pullback
