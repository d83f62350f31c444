import type { ChunkOrigin } from '../../types';
import { eachChunk } from '../chunk';

const HEARTBEAT = /^(?:ping|heartbeat|keep-?alive)$/;
const HEARTBEAT_DATA = new RegExp(HEARTBEAT, 'i');

/** Some gateways send events without data as signs of life, others events with a special name or text. */
export const heartbeats = () =>
	eachChunk((chunk) => (chunk.origin !== undefined && isHeartbeat(chunk.origin) ? {} : chunk));

function isHeartbeat({ event = '', data }: ChunkOrigin): boolean {
	return data === '' || HEARTBEAT.test(event) || HEARTBEAT_DATA.test(data);
}
