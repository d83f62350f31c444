/** A reverse proxy for a model server that treats streams like real proxies. */
import { listen } from '../support/listen';
import { http } from '../support/node-builtins';

export interface ReverseProxyOptions {
	/**
	 * Like nginx with `proxy_buffering on`: forwards an answer in blocks of so many bytes; `all`: only at its end. Default 0:
	 * at once.
	 */
	buffer?: number | 'all';
	/** Like a gateway that removes thinking from the events, but not from the token counts. */
	dropsThinking?: boolean;
	/** Like nginx: removes the header that names the server behind it. */
	dropsServer?: boolean;
}

export interface ReverseProxy {
	readonly url: string;
	close(): Promise<void>;
}

function without<T extends object>(name: string, fields: T): T {
	return Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name)) as T;
}

/** The event without its thinking; empty if nothing is left. */
function withoutThinking(line: string): string {
	if (!line.startsWith('data: {')) return line;
	const event = JSON.parse(line.slice('data: '.length)) as {
		choices?: Array<{ delta?: Record<string, unknown> }>;
	};
	for (const { delta } of event.choices ?? []) {
		delete delta?.reasoning_content;
		delete delta?.reasoning;
	}
	return `data: ${JSON.stringify(event)}`;
}

export async function startReverseProxy(
	target: string,
	{ buffer = 0, dropsThinking = false, dropsServer = false }: ReverseProxyOptions = {},
): Promise<ReverseProxy> {
	const server = http.createServer((incoming, outgoing) => {
		const headers = without('host', incoming.headers);
		const onward = http.request(
			new URL(incoming.url ?? '/', target),
			{ method: incoming.method, headers, agent: false },
			(answer) => {
				const passedOn = without('content-length', answer.headers);
				outgoing.writeHead(
					answer.statusCode ?? 502,
					dropsServer ? without('server', passedOn) : passedOn,
				);
				let buffered = '';
				let line = '';
				const pass = () => {
					if (buffered !== '') outgoing.write(buffered);
					buffered = '';
				};
				answer.setEncoding('utf8');
				answer.on('data', (text: string) => {
					const lines = (line + text).split('\n');
					line = lines.pop()!;
					buffered += lines
						.map((whole) => `${dropsThinking ? withoutThinking(whole) : whole}\n`)
						.join('');
					if (buffer !== 'all' && buffered.length >= buffer) pass();
				});
				answer.on('end', () => {
					buffered += line;
					pass();
					outgoing.end();
				});
				answer.on('error', () => outgoing.destroy());
				outgoing.on('close', () => answer.destroy());
			},
		);
		onward.on('error', () => outgoing.writeHead(502).end('Bad Gateway'));
		outgoing.on('close', () => onward.destroy());
		incoming.pipe(onward);
	});
	const port = await listen(server);
	return {
		url: `http://127.0.0.1:${port}`,
		close: async () =>
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}
