// Collects lines of many connections and posts them in batches:
//   batcher TARGET [ADDRESS [LINES [MILLISECONDS]]]
//
// A batch is posted when it has LINES lines, or MILLISECONDS after its first line. While one is
// posted, the next lines wait in a bounded channel; when that is full the connections are not read,
// and the senders wait.
#include <weft/weft.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace std::chrono_literals;

namespace {

// Until `lines` is closed. The last batch may be smaller.
template <class Post>
void batch(const weft::recv_chan<std::string>& lines, std::size_t most, weft::duration wait, Post post) {
  std::string text, line;
  std::size_t n = 0;
  weft::recv_chan<weft::time_point> due;  // nil before the first line: its case is never chosen
  for (bool open = true; open;) {
    const bool late = select(recv(lines, line, open), recv(due)) == 1;
    if (!late && open) {
      if (n++ == 0) due = weft::after(wait);
      text += line + "\n";
    }
    if (n == 0 || (n < most && !late && open)) continue;
    post(text);
    text.clear();
    n = 0;
  }
}

int serve(const std::string& target, const char* address, std::size_t most, weft::duration wait) {
  const auto [listener, err] = weft::net::listen("tcp", address);
  if (err) {
    std::fprintf(stderr, "%s: %s\n", address, err.message().c_str());
    return 1;
  }
  const auto [ctx, unregister] = weft::os::signal_context(weft::background(), {SIGINT, SIGTERM});
  const weft::http::client client;
  const auto lines = weft::make_chan<std::string>(most);
  weft::wait_group senders, posting;
  posting.go([&] {
    batch(lines, most, wait, [&](const std::string& text) {
      const auto [answer, failed] = client.post(weft::background(), target, "text/plain", text);
      if (failed || answer.status >= 300) std::fprintf(stderr, "lost: %zu bytes\n", text.size());
    });
  });
  std::printf("listening on %s\n", listener.addr().to_string().c_str());
  std::fflush(stdout);
  while (!ctx.err()) {
    auto [conn, failed] = listener.accept(ctx);
    if (failed) {
      (void)weft::sleep(ctx, 10ms);  // the signal; or no descriptor is free, until a sender leaves
      continue;
    }
    senders.go([&lines, &ctx = ctx, conn = conn] {
      weft::bufio::reader in(conn);
      while (auto line = in.read_line(ctx)) lines.send(line.value);
    });
  }
  senders.wait();
  lines.close();  // no sender is left
  posting.wait();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int most = argc > 3 ? std::atoi(argv[3]) : 100, wait = argc > 4 ? std::atoi(argv[4]) : 200;
  if (argc < 2 || most < 1 || wait < 1) {
    std::fprintf(stderr, "usage: batcher TARGET [ADDRESS [LINES [MILLISECONDS]]]\n");
    return 2;
  }
  return weft::run([&] {
    return serve(argv[1], argc > 2 ? argv[2] : "127.0.0.1:8080", static_cast<std::size_t>(most),
                 std::chrono::milliseconds(wait));
  });
}
