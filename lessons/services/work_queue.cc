// Jobs for several processes, over NATS JetStream. docs/machines.md says what is guaranteed.
//
//   work_queue send SERVER [SECONDS] < JOBS    sends each line, "NAME MILLISECONDS", as a job
//   work_queue work SERVER RECORD [IN_FLIGHT]  does jobs until SIGTERM, appends them to RECORD
#include <weft/weft.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lessons/services/jetstream.h"

using namespace weft;
using namespace std::chrono_literals;
using services::check, services::jetstream, services::message;

namespace {

constexpr std::int64_t most_unconfirmed = 64;  // jobs that a producer has sent and the server has not confirmed
constexpr const char* left_field = "Time-Left-Ms";

std::int64_t in_ms(duration d) { return std::chrono::ceil<std::chrono::milliseconds>(d).count(); }
std::string name_of(const std::string& job) { return job.substr(0, job.find(' ')); }

// Returns when the server has stored the job, or ctx's error. The server drops a job whose name it
// has read in the last two minutes, so that a job whose confirmation is lost is not stored twice.
std::error_code send(const context& ctx, jsCtx* js, const std::string& job) {
  const std::string name = name_of(job);
  for (;;) {
    natsMsg* made = nullptr;
    check(natsMsg_Create(&made, services::subject, nullptr, job.data(), static_cast<int>(job.size())), "message");
    const message m(made);
    if (const auto end = ctx.deadline())  // the time that is left: the clocks of two machines differ
      check(natsMsgHeader_Set(made, left_field, std::to_string(in_ms(*end - now())).c_str()), "message");
    jsPubOptions o;
    jsPubOptions_Init(&o);
    o.MsgId = name.c_str(), o.MaxWait = 1000;
    if (blocking([&] { return js_PublishMsg(nullptr, js, made, &o, nullptr); }) == NATS_OK) return {};
    if (const auto err = sleep(ctx, 100ms)) return err;  // no server, or the stream is full: the producer waits
  }
}

struct input {  // a stream for bufio whose reads end with ctx
  result<std::size_t> read(std::span<std::byte> buf) const { return from.read(ctx, buf); }
  fs::file from;
  context ctx;
};

int send_all(const context& ctx, const jetstream& server) {
  bufio::reader jobs(input{fs::open("/dev/stdin").unwrap(), ctx});
  semaphore unconfirmed(most_unconfirmed);
  wait_group sending;
  std::atomic<int> sent = 0, not_sent = 0;
  auto line = jobs.read_line();
  for (; !line.err; line = jobs.read_line()) {
    unconfirmed.acquire();
    sending.go([&, job = line.value] {
      ++(send(ctx, server.js, job) ? not_sent : sent);
      unconfirmed.release();
    });
  }
  sending.wait();
  std::printf("sent %d jobs, did not send %d\n", sent.load(), not_sent.load());
  return not_sent == 0 && line.err == errc::eof ? 0 : 1;
}

// Does jobs, each in a fiber of its own, at most `in_flight` at a time.
class worker {
 public:
  worker(const jetstream& server, fs::file record, std::int64_t in_flight)
      : server_(server), record_(std::move(record)), room_(in_flight) {
    check(js_PullSubscribe(&jobs_, server.js, services::subject, services::consumer, nullptr, nullptr, nullptr),
          "consumer");
    jsConsumerInfo* info = nullptr;
    check(js_GetConsumerInfo(&info, server.js, services::stream, services::consumer, nullptr, nullptr), "consumer");
    ack_wait_ = duration(info->Config->AckWait);
    jsConsumerInfo_Destroy(info);
  }
  ~worker() { natsSubscription_Destroy(jobs_); }

  // Until `stop` is done, fetches as many jobs as there is room for. Then waits for the jobs in
  // flight.
  int work(const context& stop) {
    std::puts("working");
    while (!room_.acquire(stop)) {
      int room = 1;
      while (room_.try_acquire()) ++room;
      natsMsgList got{};
      // Without a connection the library would keep the request, and the server would answer it too
      // late.
      if (natsConnection_Status(server_.connection) == NATS_CONN_STATUS_CONNECTED)
        (void)blocking([&] { return natsSubscription_Fetch(&got, jobs_, room, 1000, nullptr); });
      for (int i = 0; i < got.Count; ++i)
        in_flight_.go([this, m = message(std::exchange(got.Msgs[i], nullptr))]() mutable {
          handle(std::move(m));
          room_.release();
        });
      room_.release(room - got.Count);
      if (got.Count == 0) (void)sleep(stop, 10ms);
      natsMsgList_Destroy(&got);
    }
    in_flight_.wait();
    (void)blocking([&] { return natsConnection_FlushTimeout(server_.connection, 2000); });
    std::printf("did %d jobs, %d without a confirmed acknowledgement\n", done_.load(), unconfirmed_.load());
    return unconfirmed_ == 0 ? 0 : 1;
  }

 private:
  void handle(message owned) {
    natsMsg* const m = owned.get();
    const std::string job(natsMsg_GetData(m), static_cast<std::size_t>(natsMsg_GetDataLength(m)));
    const auto limited = with_timeout(background(), time_left(m));
    const auto ended = make_chan<std::error_code>(1);
    go([this, ended, job, ctx = limited.ctx] { ended.send(do_job(ctx, job)); });
    std::optional<std::error_code> err;
    while (!(err = ended.recv_for(ack_wait_ / 3))) (void)natsMsg_InProgress(m, nullptr);  // more time, for a long job
    if (!*err) return acknowledge(m, name_of(job));
    const bool late = *err == limited.ctx.err();
    std::printf("%s: %s\n", name_of(job).c_str(),
                late ? "its time is up, it will not be done" : err->message().c_str());
    (void)(late ? natsMsg_Term(m, nullptr) : natsMsg_NakWithDelay(m, 1000, nullptr));  // failed: again after a second
  }

  // Returns the time that the producer's context had when it sent the job, less the job's time in
  // the queue.
  static duration time_left(natsMsg* m) {
    const char* left = nullptr;
    jsMsgMetaData* meta = nullptr;
    if (natsMsgHeader_Get(m, left_field, &left) != NATS_OK) return duration::max();
    check(natsMsg_GetMetaData(&meta, m), "job");
    const std::chrono::nanoseconds stored(meta->Timestamp);  // by the server's clock
    jsMsgMetaData_Destroy(meta);
    return 1ms * std::atoll(left) - (std::chrono::system_clock::now().time_since_epoch() - stored);
  }

  // The work, which in this example takes the job's time.
  std::error_code do_job(const context& ctx, const std::string& job) {
    if (const auto late = ctx.err()) return late;
    if (const auto err = note("began", name_of(job))) return err;
    if (const auto late = sleep(ctx, 1ms * std::atoi(&job[name_of(job).size()]))) return late;
    return note("did", name_of(job));
  }
  std::error_code note(const char* what, const std::string& name) {
    return record_.write(std::to_string(getpid()) + ' ' + what + ' ' + name + '\n').err;
  }

  // Repeats the acknowledgement until the server confirms it: if it is lost, the job is done again.
  void acknowledge(natsMsg* m, const std::string& name) {
    jsOptions o;
    jsOptions_Init(&o);
    o.Wait = in_ms(ack_wait_ / 3);
    ++done_;
    for (const auto end = now() + 3 * ack_wait_; now() < end; sleep(100ms))
      if (blocking([&] { return natsMsg_AckSync(m, &o, nullptr); }) == NATS_OK) return (void)note("acknowledged", name);
    ++unconfirmed_;
  }

  const jetstream& server_;
  const fs::file record_;
  natsSubscription* jobs_ = nullptr;
  duration ack_wait_{};  // another worker gets a job of which the server has read nothing for this time
  semaphore room_;
  wait_group in_flight_;
  std::atomic<int> done_ = 0, unconfirmed_ = 0;
};

int main_fiber(const std::vector<std::string>& args) {
  const auto [stop, unregister] = os::signal_context(background(), {SIGINT, SIGTERM});
  const jetstream server(args[1].c_str());
  if (args[0] == "send") {
    const auto limited = args.size() > 2 ? with_timeout(stop, 1s * std::atoi(args[2].c_str())) : with_cancel(stop);
    return send_all(limited.ctx, server);
  }
  const auto record = fs::open(args[2], O_WRONLY | O_CREAT | O_APPEND).unwrap();
  return worker(server, record, args.size() > 3 ? std::atoi(args[3].c_str()) : 64).work(stop);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() < 2 || (args[0] != "send" && (args[0] != "work" || args.size() < 3))) {
    std::fprintf(stderr,
                 "usage: work_queue send SERVER [SECONDS] < JOBS, or work_queue work SERVER RECORD [IN_FLIGHT]\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return run([&] {
    try {
      return main_fiber(args);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "work_queue: %s\n", e.what());
      return 1;
    }
  });
}
