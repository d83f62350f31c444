import type { ChunkOrigin } from '../../types';
import { eachChunk } from '../chunk';

const HEARTBEATS: ReadonlySet<string> = new Set(['ping', 'heartbeat', 'keepalive', 'keep-alive']);

/** Some gateways send events without data as signs of life, others events with a special name or text. */
export const heartbeats = () =>
	eachChunk((chunk) => (chunk.origin !== undefined && isHeartbeat(chunk.origin) ? {} : chunk));

function isHeartbeat({ event = '', data }: ChunkOrigin): boolean {
	return data === '' || HEARTBEATS.has(event) || HEARTBEATS.has(data.toLowerCase());
}
