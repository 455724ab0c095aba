// The service of greeting.proto, for both programs.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import { readFileSync } from "node:fs";

export { grpc };
export const { Greeter } = grpc.loadPackageDefinition(loader.loadSync("greeting.proto"));
export const certificate = readFileSync("../cert.pem");
export const options = JSON.parse(process.argv[2] ?? "{}"); // of the channel, such as {"grpc.keepalive_time_ms": 5000}
