/**
 * The messages that a build session speaks, as BuildKit's .proto files number their fields: session/filesync, session/auth,
 * session/secrets and fsutil's wire.proto; grpc.health.v1; and of api/services/control the part of StatusResponse that we show.
 */
const SCHEMA = `
syntax = "proto3";
message Stat { string path = 1; uint32 mode = 2; uint32 uid = 3; uint32 gid = 4; int64 size = 5; int64 modTime = 6; int64 devmajor = 8; }
message Packet { uint32 type = 1; Stat stat = 2; uint32 id = 3; bytes data = 4; }
message CredentialsRequest { string host = 1; }
message CredentialsResponse { string username = 1; string secret = 2; }
message SecretRequest { string ID = 1; }
message SecretResponse { bytes data = 1; }
message HealthRequest { string service = 1; }
message HealthResponse { uint32 status = 1; }
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message Vertex { string digest = 1; string name = 3; bool cached = 4; Timestamp started = 5; Timestamp completed = 6; string error = 7; }
message VertexLog { string vertex = 1; int64 stream = 3; bytes msg = 4; }
message StatusResponse { repeated Vertex vertexes = 1; repeated VertexLog logs = 3; }
`;

/** Kinds of fsutil packets (wire.proto, `PacketType`). */
export const PACKET = { stat: 0, request: 1, data: 2, fin: 3, error: 4 } as const;

/** One packet of fsutil's copy protocol, in either direction. */
export type Packet = {
  readonly type: number;
  readonly stat?: FileStat | undefined;
  /** Index of the entry, in the order in which the stats were sent. */
  readonly id?: number;
  readonly data?: Uint8Array;
};

/** What fsutil tells of one file or directory. */
export type FileStat = {
  readonly path: string;
  /** Go's FileMode bits, not Unix's. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly devmajor: number;
  /** Nanoseconds since 1970; a text where a number would lose digits. */
  readonly modTime: number | string;
};

/** One step of a build, as the engine reports it: several times, each time with what is known by then. */
export type Vertex = {
  readonly digest: string;
  readonly name: string;
  readonly cached: boolean;
  readonly started: Timestamp | null;
  readonly completed: Timestamp | null;
  readonly error: string;
};

/** A moment (google.protobuf.Timestamp). */
export type Timestamp = { readonly seconds: { toString(): string }; readonly nanos: number };

/** Bytes that a step printed: 1 is standard output, 2 standard error. */
export type VertexLog = { readonly vertex: string; readonly stream: { toString(): string }; readonly msg: Uint8Array };

/** One `moby.buildkit.trace` record. */
export type StatusResponse = { readonly vertexes: readonly Vertex[]; readonly logs: readonly VertexLog[] };

/** Turns values into bytes and back; absent fields come back with their protobuf defaults. */
export type Codec<T> = { encode(value: T): Buffer; decode(bytes: Uint8Array): T };

/** One codec per message. */
export type BuildkitMessages = {
  readonly packet: Codec<Packet>;
  readonly credentialsRequest: Codec<{ readonly host: string }>;
  readonly credentialsResponse: Codec<{ readonly username?: string; readonly secret?: string }>;
  readonly secretRequest: Codec<{ readonly ID: string }>;
  readonly secretResponse: Codec<{ readonly data: Uint8Array }>;
  readonly healthRequest: Codec<{ readonly service: string }>;
  readonly healthResponse: Codec<{ readonly status: number }>;
  readonly statusResponse: Codec<StatusResponse>;
};

let loaded: Promise<BuildkitMessages> | undefined;

/** The codecs; protobufjs is loaded at the first call. */
export function loadBuildkitMessages(): Promise<BuildkitMessages> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<BuildkitMessages> {
  const { default: protobuf } = await import('protobufjs');
  const { root } = protobuf.parse(SCHEMA, { keepCase: true });
  const codec = <T>(name: string): Codec<T> => {
    const type = root.lookupType(name);
    return {
      encode: (value) => {
        const { buffer, byteOffset, byteLength } = type.encode(value as { [key: string]: unknown }).finish();
        return Buffer.from(buffer, byteOffset, byteLength);
      },
      decode: (bytes) => type.decode(bytes) as T,
    };
  };
  return {
    packet: codec('Packet'),
    credentialsRequest: codec('CredentialsRequest'),
    credentialsResponse: codec('CredentialsResponse'),
    secretRequest: codec('SecretRequest'),
    secretResponse: codec('SecretResponse'),
    healthRequest: codec('HealthRequest'),
    healthResponse: codec('HealthResponse'),
    statusResponse: codec('StatusResponse'),
  };
}
