// SHA-256 of every file of a tree, as sha256sum prints it, in the order of names:
//   tree_hasher DIRECTORY
//
// Files are read and hashed in parallel, a bounded number at a time. A file that cannot be read is
// reported, and the others are hashed; the exit status is 1 then.
#include <openssl/evp.h>
#include <weft/weft.h>

#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace {

// The digest in hexadecimal, or the error of the file. Reads in pieces, so that a large file needs
// no large memory.
weft::result<std::string> sha256(const std::string& path) {
  const auto [file, failed] = weft::fs::open(path);
  if (failed) return {{}, failed};
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> state(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(state.get(), EVP_sha256(), nullptr);
  std::vector<std::byte> piece(256 << 10);  // as large as a fiber's stack: it does not fit there
  for (;;) {
    const auto [n, err] = file.read(piece);
    if (err == weft::errc::eof) break;
    if (err) return {{}, err};
    EVP_DigestUpdate(state.get(), piece.data(), n);
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(state.get(), digest, &size);
  std::string hex;
  for (const unsigned char byte : std::span(digest, size))
    hex += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  return {std::move(hex), {}};
}

class report {
 public:
  void add(const std::string& path, const weft::result<std::string>& digest) {
    const std::lock_guard hold(lock_);
    if (digest) digests_[path] = digest.value;
    else error(path, digest.err);
  }
  int print() const {
    for (const auto& [path, digest] : digests_) std::printf("%s  %s\n", digest.c_str(), path.c_str());
    return failed_ ? 1 : 0;
  }

 private:
  void error(const std::string& path, std::error_code e) {
    failed_ = true;
    std::fprintf(stderr, "%s: %s\n", path.c_str(), e.message().c_str());
  }
  weft::mutex lock_;
  std::map<std::string, std::string> digests_;  // these under lock_
  bool failed_ = false;
};

int hash_tree(const std::string& root) {
  report all;
  weft::errgroup files;
  files.set_limit(2 * weft::maxprocs());  // while one file is read, another one is hashed
  const auto err =
      weft::fs::walk_dir(root, [&](const std::string& path, const weft::fs::entry& what, std::error_code e) {
        if (e) all.add(path, {{}, e});
        else if (S_ISREG(what.type)) files.go([&all, path] { all.add(path, sha256(path)); });  // waits at the limit
        return weft::fs::walk::on;
      });
  files.wait();
  if (err) all.add(root, {{}, err});
  return all.print();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tree_hasher DIRECTORY\n");
    return 2;
  }
  const std::string root = argv[1];
  return weft::run([&] { return hash_tree(root.ends_with('/') ? root : root + '/'); });  // also by a symbolic link
}
