/**
 * The libraries this package carries inside. The build replaces this file's output by one minified bundle, so that
 * `dependencies` stays empty and nothing is bundled twice.
 */
export { RegExpParser, type AST } from '@eslint-community/regexpp';
export { createParser } from 'eventsource-parser';
export type { EventSourceMessage, EventSourceParser, ParseError } from 'eventsource-parser';
export { Agent, EnvHttpProxyAgent, Pool, request } from 'undici';
export type { Dispatcher } from 'undici';
