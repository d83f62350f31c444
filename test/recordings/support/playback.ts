import { listen } from '../../support/listen';
import { http } from '../../support/node-builtins';
import { type Exchange, pathOf } from './exchange';
import { homeAnswer } from './server-identities';

export interface Playback {
	url: string;
	/** How often the recorded route was asked. */
	asked(): number;
	close(): Promise<void>;
}

/** Routes that mean the same, so that a client may choose among them. */
const ALIKE: ReadonlyArray<readonly string[]> = [
	['/v1/rerank', '/rerank', '/v1/reranking', '/reranking'],
	// whisper.cpp has its one route where `--inference-path` says.
	['/inference', '/v1/audio/transcriptions'],
];

/**
 * Starts a server that answers the recorded route with the recording, byte by byte and as often as it is asked, and
 * routes that identify a server as the recorded one does. Each answer ends its connection, as the recording does or
 * where that was complete.
 */
export async function play(exchange: Exchange): Promise<Playback> {
	const routes = routesOf(exchange);
	let asked = 0;
	const server = http.createServer((request) => {
		const { method = '', url = '', socket } = request;
		const isRecorded = routes.has(`${method} ${url.replace(/\?.*$/, '')}`);
		if (isRecorded) asked++;
		request.resume();
		request.on('end', () =>
			socket.end(isRecorded ? exchange.answer : homeAnswer(exchange, method, url)),
		);
		socket.on('error', () => {});
	});
	const port = await listen(server);
	return {
		url: `http://127.0.0.1:${port}`,
		asked: () => asked,
		close: async () => {
			server.closeAllConnections();
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
			});
		},
	};
}

function routesOf({ request, answer }: Exchange): ReadonlySet<string> {
	const path = pathOf(request);
	const isMissing = /^HTTP\/1\.1 404/.test(answer.toString('latin1', 0, 12));
	const paths = isMissing ? [path] : (ALIKE.find((one) => one.includes(path)) ?? [path]);
	return new Set(paths.map((one) => `${request.method} ${one}`));
}
