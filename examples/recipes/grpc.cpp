// gRPC: it keeps its sockets to itself, so the one number becomes channel arguments. Its keepalive is a PING
// of HTTP/2, which a process that hangs leaves unanswered too, and gRPC sets TCP_USER_TIMEOUT to the PING's
// time limit by itself. A server that was not told so allows a PING in five minutes, and ends connections
// that send more: have it set GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS. What ended a call is a
// status: UNAVAILABLE does not tell whether the server has acted on it, and gRPC itself sends again only what
// never left (its "transparent retry").
//
//     g++ -std=c++17 -o grpc grpc.cpp $(pkg-config --cflags --libs grpc++)
//     ./grpc 127.0.0.1 7

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace {

/// A dead peer is noticed within that time: half of it idle, half of it for the answer.
grpc::ChannelArguments noticed_within(std::chrono::milliseconds within) {
  const int half = static_cast<int>(within.count() / 2);
  grpc::ChannelArguments a;
  a.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, half);
  a.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, half);
  a.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  a.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  return a;
}

const char* name_of(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK:
      return "OK";
    case grpc::StatusCode::UNAVAILABLE:
      return "UNAVAILABLE";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "DEADLINE_EXCEEDED";
    default:
      return "another status";
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto channel =
      grpc::CreateCustomChannel(std::string(argv[1]) + ":" + argv[2], grpc::InsecureChannelCredentials(),
                                noticed_within(std::chrono::seconds(10)));
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  grpc::CompletionQueue queue;
  const grpc::Slice slice("ask");
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer reply;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(&context, "/halfopen.Asking/Ask", request, &queue);
  call->StartCall();
  call->Finish(&reply, &status, nullptr);
  void* tag = nullptr;
  bool done = false;
  queue.Next(&tag, &done);
  std::printf("%s: %s\n", name_of(status.error_code()), status.error_message().c_str());
  return status.ok() ? 0 : 1;
}
