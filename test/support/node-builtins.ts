/**
 * Node's built-in modules for tests and simulators.
 *
 * The official community-node lint forbids Node built-ins and timers in every `.ts` file, because it cannot tell a test
 * from a node that runs on n8n Cloud. Nothing below `test/` is packed, so tests import them from here, and every rule
 * stays on for shipped code.
 */
export * as buffer from 'node:buffer';
export * as childProcess from 'node:child_process';
export * as crypto from 'node:crypto';
export { default as dns } from 'node:dns';
export { default as events } from 'node:events';
export * as fs from 'node:fs';
export * as http from 'node:http';
export * as https from 'node:https';
export * as net from 'node:net';
export * as os from 'node:os';
export { default as path } from 'node:path';
export { default as stream } from 'node:stream';
export { default as timers } from 'node:timers';
export * as tls from 'node:tls';
export * as url from 'node:url';
export * as util from 'node:util';
export * as workerThreads from 'node:worker_threads';
export * as v8 from 'node:v8';
export * as vm from 'node:vm';
export * as zlib from 'node:zlib';
export { default as process } from 'node:process';
export { performance } from 'node:perf_hooks';
export { createRequire } from 'node:module';
export { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers';
export { setTimeout as delay } from 'node:timers/promises';
