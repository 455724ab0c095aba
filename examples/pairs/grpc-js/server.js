// Greets whoever asks.
//
//     node server.js [OPTIONS]
import { readFileSync } from "node:fs";
import { certificate, Greeter, grpc, options } from "./greeter.js";

const server = new grpc.Server(options);
server.addService(Greeter.service, {
  Greet: (call, done) => done(null, { text: `Hello, ${call.request.name}. ${"Welcome. ".repeat(200)}` }),
});
const credentials = grpc.ServerCredentials.createSsl(null, [
  { private_key: readFileSync("../key.pem"), cert_chain: certificate },
]);
server.bindAsync("0.0.0.0:50051", credentials, (error) => {
  if (error) throw error;
});
