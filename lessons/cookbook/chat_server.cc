// A chat: each line of a client goes to all other clients:  chat_server [ADDRESS]
//
// The first line of a client is its name. Each client has two fibers: one reads its lines, one
// writes the lines of the others. Between them is a channel with a bound. A client that does not
// read fills it and is disconnected, so it does not hold up the others, and does not fill the
// memory.
#include <weft/weft.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <set>
#include <string>

using namespace std::chrono_literals;

namespace {

struct client {
  weft::net::conn conn;
  weft::chan<std::string> unsent = weft::make_chan<std::string>(64);
};

class room {
 public:
  void enter(client& c) {
    const std::lock_guard hold(lock_);
    clients_.insert(&c);
  }
  void leave(client& c) {
    const std::lock_guard hold(lock_);
    clients_.erase(&c);
  }
  void say(const client& from, const std::string& line) {
    const std::lock_guard hold(lock_);
    for (const client* to : clients_)
      if (to != &from && !to->unsent.try_send(line)) (void)to->conn.close();
  }

 private:
  weft::mutex lock_;
  std::set<client*> clients_;  // under lock_
};

void serve(const weft::context& ctx, room& everyone, const weft::net::conn& conn) {
  client me{conn};
  weft::bufio::reader lines(conn, weft::bufio::default_size, 64 << 10);
  const auto [name, err] = lines.read_line(ctx);
  if (err) return;
  weft::wait_group writer;
  writer.go([&me] {
    for (const std::string& line : me.unsent)
      if (me.conn.write(line).err) break;
  });
  everyone.enter(me);
  everyone.say(me, name + " is here\n");
  (void)conn.write(ctx, "hello " + name + "\n");
  while (auto line = lines.read_line(ctx)) everyone.say(me, name + ": " + line.value + "\n");
  everyone.leave(me);
  everyone.say(me, name + " has left\n");
  me.unsent.close();
  (void)conn.close();  // ends a write to a client that does not read
  writer.wait();
}

int chat(const char* address) {
  const auto [listener, err] = weft::net::listen("tcp", address);
  if (err) {
    std::fprintf(stderr, "%s: %s\n", address, err.message().c_str());
    return 1;
  }
  const auto [ctx, unregister] = weft::os::signal_context(weft::background(), {SIGINT, SIGTERM});
  std::printf("listening on %s\n", listener.addr().to_string().c_str());
  std::fflush(stdout);

  room everyone;
  weft::wait_group clients;
  while (!ctx.err()) {
    auto [conn, failed] = listener.accept(ctx);
    if (failed) (void)weft::sleep(ctx, 10ms);  // the signal; or no descriptor is free, until a client leaves
    else clients.go([&ctx = ctx, &everyone, conn = conn] { serve(ctx, everyone, conn); });
  }
  clients.wait();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return weft::run([&] { return chat(argc > 1 ? argv[1] : "127.0.0.1:8080"); });
}
