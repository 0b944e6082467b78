/** What we use of gRPC, by name: a bundle hands a CommonJS package that is imported late over as one default export only. */
export { logVerbosity, Server, ServerCredentials, setLogVerbosity, status } from '@grpc/grpc-js';
