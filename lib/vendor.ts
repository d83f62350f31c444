/**
 * The libraries that the package bundles. The build replaces this file's output by one minified bundle, so
 * `dependencies` stays empty and nothing is bundled twice.
 */
import connect from 'undici/lib/api/api-connect.js';
import sendWith from 'undici/lib/api/api-request.js';
import buildConnector from 'undici/lib/core/connect.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { Dispatcher } from 'undici';

export { dereference, format, type Schema } from '@cfworker/json-schema';
export { nice, ticks } from 'd3-array';
export { createParser } from 'eventsource-parser';
export { default as PostalMime, type Email } from 'postal-mime';
export type { EventSourceMessage, EventSourceParser, ParseError } from 'eventsource-parser';
// Imported by file: undici's index would bundle fetch, WebSocket, caches and mocks, too.
export { default as EnvHttpProxyAgent } from 'undici/lib/dispatcher/env-http-proxy-agent.js';
export { buildConnector, Pool, sendWith, type Dispatcher };
// The lint rules of community nodes allow these imports in this file only. n8n stores a file in chunks only from this
// stream class.
export { env } from 'node:process';
export { addAbortSignal, pipeline, Readable, type Duplex, type Transform } from 'node:stream';
export { clearTimeout, setImmediate, setTimeout } from 'node:timers';
export * as zlib from 'node:zlib';

/** A pool that can open a tunnel through a proxy. Only undici's index gives its pools this method. */
export class TunnelPool extends Pool {
	override async connect(
		options: Dispatcher.ConnectOptions,
	): Promise<Dispatcher.ConnectData<null>> {
		return await connect.call(this, options);
	}
}
