#include <unistd.h>
#include <weft/http.h>

#include "tests/net/running_server.h"
#include "tests/net/tls_certificates.h"
#include "tests/support/child.h"
#include "tests/support/temp_tree.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

struct running : running_server<tls::listener> {
  explicit running(http::handler h, http::limits l = {}, const tls::config& how = certificates::all().for_server())
      : running_server(tls::listen("tcp", "127.0.0.1:0", how).unwrap(), std::move(h), l) {}
  std::string url(std::string_view path) const { return "https://" + place() + std::string(path); }
};

http::client trusting_client() {
  tls::config how = certificates::all().for_client();
  how.server_name.clear();  // whom the URL names
  http::client c;
  c.set_tls(how);
  return c;
}

void say_hello(http::response_writer& w, const http::request& r) { (void)w.write("hello " + r.path()); }

}  // namespace

TEST_CASE("requests go over TLS, many on a connection", "[http][tls]") {
  on_each_poller([] {
    running s([](auto& w, const auto& r) {
      FACT(r.remote_addr().host() == "127.0.0.1");
      (void)w.write(r.body());
    });
    const http::client c = trusting_client();
    const std::string large(300'000, 'x');
    for (int i = 0; i < 5; ++i) {
      auto [got, err] = c.post(background(), s.url("/"), "text/x", large);
      FACT(!err);
      FACT(got.status == 200);
      FACT(got.body == large);
    }
  });
}

TEST_CASE("the client refuses a server that it does not trust, and the server goes on", "[http][tls]") {
  on_each_poller([] {
    running s(say_hello);
    FACT(http::get(background(), s.url("/")).err == tls::errc::unknown_authority);
    FACT(trusting_client().get(background(), s.url("/x")).value.body == "hello /x");
  });
}

TEST_CASE("redirects lead from HTTPS to where they say", "[http][tls]") {
  on_each_poller([] {
    running s([&](auto& w, const auto& r) {
      const std::string host(r.header("Host"));
      if (r.path() == "/a") w.status(302).set_header("Location", "b");
      else if (r.path() == "/b") w.status(302).set_header("Location", "//" + host + "/c");
      else if (r.path() == "/c") w.status(302).set_header("Location", "https://" + host + "/end");
      else (void)w.write(r.path());
    });
    FACT(trusting_client().get(background(), s.url("/a")).value.body == "/end");
  });
}

TEST_CASE("plain HTTP to an HTTPS port is told so", "[http][tls]") {
  on_each_poller([] {
    const hang_guard guard("plain to TLS");
    running s(say_hello);
    const auto got = http::client().get(background(), "http://" + s.place() + "/");
    FACT(!got.err);
    FACT(got.value.status == 400);
    FACT(got.value.body.find("HTTPS") != std::string::npos);
    FACT(trusting_client().get(background(), s.url("/")).value.status == 200);
  });
}

TEST_CASE("a client that never shakes hands is let go", "[http][tls]") {
  on_each_poller([] {
    const hang_guard guard("silent client");
    http::limits l;
    l.header_time = 5ms;
    running s(say_hello, l);
    auto silent = net::dial("tcp", s.place()).unwrap();
    FACT(read_up_to(silent, 1000).empty());
  });
}

TEST_CASE("a handler over TLS hears that its client has gone", "[http][tls]") {
  on_each_poller([] {
    const hang_guard guard("client gone");
    auto heard = make_chan<std::error_code>(1);
    running s([&](auto& w, const auto& r) {
      const context ctx = r.ctx();
      (void)w.write("part");
      (void)w.flush();  // while the other fiber reads
      ctx.done().recv();
      heard.send(ctx.err());
    });
    {
      tls::config how = certificates::all().for_client();
      auto c = tls::dial("tcp", s.place(), how).unwrap();
      FACT(!c.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n").err);
      FACT(read_up_to(c, 12) == "HTTP/1.1 200");
    }
    FACT(heard.recv() == make_error_code(errc::canceled));
  });
}

TEST_CASE("shutdown ends idle TLS connections and those that shake hands", "[http][tls]") {
  on_each_poller([] {
    const hang_guard guard("shutdown");
    running s(say_hello);
    const http::client c = trusting_client();
    FACT(c.get(background(), s.url("/")).value.status == 200);  // and its connection idles
    auto silent = net::dial("tcp", s.place()).unwrap();
    sleep(1ms);
    FACT(!s.server.shutdown(background()));
    FACT(net::dial("tcp", s.place()).err == std::errc::connection_refused);
  });
}

TEST_CASE("an answer without length that is cut off is an error", "[http][tls]") {
  on_each_poller([] {
    const certificates& c = certificates::all();
    auto l = tls::listen("tcp", "127.0.0.1:0", c.for_server()).unwrap();
    wait_group all;
    all.go([&] {
      for (const bool whole : {true, false}) {
        auto s = l.accept().unwrap();
        while (read_up_to(s, 1) != "\n" || read_up_to(s, 1) != "\r") {
        }
        (void)read_up_to(s, 1);
        (void)s.write("HTTP/1.1 200 OK\r\n\r\nall there is");
        if (!whole) (void)s.net_conn().close();
      }
    });
    const http::client client = trusting_client();
    const std::string url = "https://" + l.addr().to_string() + "/";
    FACT(client.get(background(), url).value.body == "all there is");
    FACT(client.get(background(), url).err == tls::errc::unexpected_eof);
    all.wait();
  });
}

TEST_CASE("listen_and_serve_tls serves until it is closed", "[http][tls]") {
  on_each_poller([] {
    const hang_guard guard("listen and serve");
    const auto free_place = net::listen("tcp", "127.0.0.1:0").unwrap().addr().to_string();
    http::server s(free_place, say_hello);
    wait_group all;
    std::error_code end;
    all.go([&] { end = s.listen_and_serve_tls(certificates::all().for_server()); });
    const http::client c = trusting_client();
    result<http::response> got;
    while ((got = c.get(background(), "https://" + free_place + "/")).err == std::errc::connection_refused) sleep(1ms);
    FACT(got.value.body == "hello /");
    FACT(!s.close());
    all.wait();
    FACT(end == errc::closed);
  });
}

TEST_CASE("curl is answered over TLS, and refuses what it does not trust", "[http][tls][process]") {
  if (access("/usr/bin/curl", X_OK) != 0) return;
  temp_tree dir;
  dir.file("/ca.pem", certificates::all().authority.cert);
  on_each_poller([&] {
    running s([](auto& w, const auto& r) { (void)w.write(std::string(r.method()) + ' ' + std::string(r.body())); });
    const auto curl = [&](std::vector<std::string> flags) {
      std::vector<std::string> argv{"/usr/bin/curl", "-sS", "--max-time", "20"};
      argv.insert(argv.end(), flags.begin(), flags.end());
      argv.push_back(s.url("/"));
      return blocking([&] { return run_child(argv); });
    };
    const std::string ca = dir.root() + "/ca.pem";
    FACT(curl({"--cacert", ca}).out == "GET ");
    FACT(curl({"--cacert", ca, "--tls-max", "1.2", "-d", "data"}).out == "POST data");
    FACT(curl({}).status == 60);
    FACT(curl({"--cacert", ca, "-d", "more"}).out == "POST more");
  });
}

TEST_CASE("a handler sees who its client is", "[http][tls]") {
  on_each_poller([] {
    const certificates& all = certificates::all();
    tls::config asks = all.for_server();
    asks.clients = tls::client_auth::if_given;
    asks.roots = all.for_client().roots;
    running s(
        [](auto& w, const auto& r) {
          FACT(r.tls() != nullptr);
          FACT(r.tls()->complete);
          FACT(r.tls()->version == "TLSv1.3");
          FACT(r.tls()->server_name == "localhost");
          (void)w.write(r.tls()->peer_subject + (r.tls()->verified ? " verified" : " unknown"));
        },
        {}, asks);
    const std::string url = "https://localhost:" + s.place().substr(s.place().rfind(':') + 1) + "/";
    FACT(trusting_client().get(background(), url).value.body == " unknown");
    tls::config shows = all.for_client();
    shows.server_name.clear();
    shows.certificate = all.client.certificate();
    FACT(http::client().set_tls(shows).get(background(), url).value.body == "CN=client one verified");
  });
}

TEST_CASE("files go over TLS whole and in ranges", "[http][tls]") {
  on_each_poller([] {
    const temp_tree dir;
    std::string all;
    for (int i = 0; i < 50'000; ++i) all += std::to_string(i);
    FACT(!fs::write_file(dir.root() + "/file", all));
    running s(http::file_server(dir.root()));
    const http::client c = trusting_client();
    FACT(c.get(background(), s.url("/file")).value.body == all);
    const auto part = c.send(background(), "GET", s.url("/file"), {{"Range", "bytes=1000-200999"}}, "");
    FACT(part.value.status == 206);
    FACT(part.value.body == all.substr(1000, 200'000));
  });
}

TEST_CASE("over TLS too an answer that goexit breaks off does not end as a whole one", "[http][tls]") {
  on_each_poller([] {
    running s([](auto& w, const auto& r) {
      (void)w.write(std::string(10'000, 'x'));
      (void)w.flush();
      if (r.path() == "/goexit") goexit();
    });
    tls::config how = certificates::all().for_client();
    for (const std::string path : {"/goexit", "/whole"}) {
      const auto c = tls::dial("tcp", s.place(), how).unwrap();
      FACT(!c.write("GET " + path + " HTTP/1.0\r\n\r\n").err);
      std::byte some[4096];
      std::error_code end;
      while (!end) end = c.read(some).err;
      FACT((end == errc::eof) == (path == "/whole"));
    }
  });
}
