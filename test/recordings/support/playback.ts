import { startScripted } from '../../support/servers/scripted-server';
import { pathOf } from './exchange';
import type { Exchange } from './exchange';
import { identityResponse } from './server-identities';

export interface Playback {
	url: string;
	/** Number of requests to the recorded endpoint. */
	requestCount(): number;
	close(): Promise<void>;
}

/** Equivalent endpoints, of which a client may use any. */
const ALIKE: ReadonlyArray<readonly string[]> = [
	['/v1/rerank', '/rerank', '/v1/reranking', '/reranking'],
	// The path of whisper.cpp's only endpoint is set with `--inference-path`.
	['/inference', '/v1/audio/transcriptions'],
];

/**
 * Starts a server that replays the recording for every request to the recorded endpoint, byte by byte, and responds
 * like the recorded server on endpoints that identify it. Each response ends its connection, like the recording or
 * after it if that was complete.
 */
export async function play(exchange: Exchange): Promise<Playback> {
	const routes = routesOf(exchange);
	let requestCount = 0;
	const { url, close } = await startScripted((request, { req: { socket } }) => {
		const { method, path } = request;
		const isRecorded = routes.has(`${method} ${path.replace(/\?.*$/, '')}`);
		if (isRecorded) requestCount++;
		socket.end(
			isRecorded ? exchange.answer : identityResponse(exchange, request, requestCount > 0),
		);
	});
	return { url, close, requestCount: () => requestCount };
}

function routesOf({ request, answer }: Exchange): ReadonlySet<string> {
	const path = pathOf(request);
	const isMissing = /^HTTP\/1\.1 404/.test(answer.toString('latin1', 0, 12));
	const paths = isMissing ? [path] : (ALIKE.find((one) => one.includes(path)) ?? [path]);
	return new Set(paths.map((one) => `${request.method} ${one}`));
}
