// A connection to NATS JetStream with the stream of the jobs, by nats.c.
//
// nats.c reads its socket on a thread, or leaves that to an event loop, which net::wait_readable
// could be. Here the thread does it: publishing, fetching and acknowledging wait on condition
// variables of the library in both cases, so that they need blocking() in both cases. The event
// loop would save one thread, and its adapter would be longer than this file.
#pragma once
#include <nats/nats.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace services {

inline constexpr const char *stream = "JOBS", *subject = "jobs", *consumer = "workers";
inline constexpr std::int64_t most_stored = 10'000;  // jobs in the stream; the server refuses more

template <auto Destroy>
struct destroyer {
  void operator()(auto* p) const { Destroy(p); }
};
using message = std::unique_ptr<natsMsg, destroyer<natsMsg_Destroy>>;

inline void check(natsStatus s, const char* what) {
  if (s != NATS_OK) throw std::runtime_error(std::string(what) + ": " + natsStatus_GetText(s));
}

// Connects, and reconnects without end. Makes the stream, unless it exists: then its configuration
// stays as it is.
struct jetstream {
  explicit jetstream(const char* url) {
    natsOptions* options = nullptr;
    check(natsOptions_Create(&options), "options");
    const std::unique_ptr<natsOptions, destroyer<natsOptions_Destroy>> at_end(options);
    check(natsOptions_SetURL(options, url), url);
    check(natsOptions_SetMaxReconnect(options, -1), "options");
    check(natsOptions_SetReconnectWait(options, 200), "options");
    check(natsConnection_Connect(&connection, options), url);
    check(natsConnection_JetStream(&js, connection, nullptr), "JetStream");
    jsStreamInfo* found = nullptr;
    if (js_GetStreamInfo(&found, js, stream, nullptr, nullptr) == NATS_NOT_FOUND) make_stream();
    jsStreamInfo_Destroy(found);
  }
  jetstream(const jetstream&) = delete;
  ~jetstream() {
    jsCtx_Destroy(js);
    natsConnection_Destroy(connection);
  }

  natsConnection* connection = nullptr;
  jsCtx* js = nullptr;

 private:
  void make_stream() const {
    jsStreamConfig c;
    check(jsStreamConfig_Init(&c), "stream");
    const char* subjects[] = {subject};
    c.Name = stream, c.Subjects = subjects, c.SubjectsLen = 1;
    c.Retention = js_WorkQueuePolicy;                    // an acknowledged job is removed
    c.MaxMsgs = most_stored, c.Discard = js_DiscardNew;  // refuses a new job, instead of dropping the oldest
    check(js_AddStream(nullptr, js, &c, nullptr, nullptr), "stream");
  }
};

}  // namespace services
