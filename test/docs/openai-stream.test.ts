/** docs/docker/openai-stream.mjs between a client and a scripted webhook. */
import { closedPort, listen } from '../support/listening';
import { http, setImmediate } from '../support/node';
import { startOpenAiStream } from '../support/openai-stream';

interface Asked {
	method: string;
	path: string;
	authorization: string | undefined;
	body: string;
}

type Webhook = (asked: Asked, response: http.ServerResponse) => void;

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
	await Promise.all(closing.splice(0).map(async (close) => await close()));
});

async function started(webhooks: string): Promise<string> {
	const { url, stop } = await startOpenAiStream(webhooks);
	closing.push(stop);
	return url;
}

async function before(webhook: Webhook): Promise<{ url: string; asked: Asked[] }> {
	const asked: Asked[] = [];
	const server = http.createServer((request, response) => {
		let body = '';
		request.on('data', (piece: Buffer) => (body += piece.toString()));
		request.on('end', () => {
			const { method = '', url = '', headers } = request;
			asked.push({ method, path: url, authorization: headers.authorization, body });
			webhook(asked.at(-1)!, response);
		});
	});
	const port = await listen(server);
	closing.push(async () => {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	});
	return { url: await started(`http://127.0.0.1:${port}/webhook/openai`), asked };
}

const ask = async (url: string, body: object, signal?: AbortSignal) =>
	await fetch(`${url}/v1/chat/completions`, {
		method: 'POST',
		headers: { authorization: 'Bearer of-the-client' },
		body: JSON.stringify(body),
		signal,
	});

const line = (type: string, content?: string) =>
	`${JSON.stringify({ type, content, metadata: {} })}\n`;

/** The events of a streamed answer: text, reasons, errors, and the end. */
async function eventsOf(response: Response): Promise<string[]> {
	const text = await response.text();
	return text.split('\n\n').flatMap((event) => {
		const data = /^data: ([^]*)$/.exec(event)?.[1];
		if (data === undefined) return [];
		if (data === '[DONE]') return ['done'];
		const { choices, error } = JSON.parse(data) as {
			choices?: Array<{ delta: { content?: string }; finish_reason: string | null }>;
			error?: { message: string };
		};
		return [
			error?.message ?? choices![0]!.finish_reason ?? `"${choices![0]!.delta.content ?? ''}"`,
		];
	});
}

const QUESTION = { model: 'm', stream: true, messages: [{ role: 'user', content: 'Hi' }] };
const FAILED = 'The answer could not be made: the execution in n8n says why';

it('streams the pieces of a webhook as events, wherever its lines are cut', async () => {
	const bytes = Buffer.from(
		line('begin') + line('item', 'Grüße, ') + line('item', '🦙!\n') + line('end'),
	);
	const { url, asked } = await before((_asked, response) => {
		response.writeHead(200);
		void (async () => {
			for (const byte of bytes) {
				response.write(Buffer.from([byte]));
				await new Promise((resolve) => setImmediate(resolve));
			}
			response.end();
		})();
	});
	const response = await ask(url, QUESTION);
	expect(response.headers.get('content-type')).toContain('text/event-stream');
	expect(await eventsOf(response)).toEqual(['""', '"Grüße, "', '"🦙!\n"', 'stop', 'done']);
	expect(asked).toEqual([
		{
			method: 'POST',
			path: '/webhook/openai/typed',
			authorization: 'Bearer of-the-client',
			body: JSON.stringify(QUESTION),
		},
	]);
});

it.each<[string, string, string[]]>([
	[
		'an error of the workflow',
		line('begin') + line('item', 'Half') + line('error', 'No.'),
		['""', '"Half"', 'No.'],
	],
	['an error without words', line('error'), ['""', FAILED]],
	['no text', line('begin') + line('end'), ['""', FAILED]],
	['an end that is not announced', line('begin') + line('item', 'Half'), ['""', '"Half"', FAILED]],
	['something else', '<html>5</html>\n5\nnull\n', ['""', FAILED]],
])('%s is an error, and never an answer that is done', async (_what, text, events) => {
	const { url } = await before((_asked, response) => void response.writeHead(200).end(text));
	expect(await eventsOf(await ask(url, QUESTION))).toEqual(events);
});

it('forwards other answers with their status', async () => {
	const { url, asked } = await before(({ path }, response) => {
		const status = path.endsWith('/typed') ? 403 : 200;
		response.writeHead(status, { 'content-type': 'application/json' }).end(`{"path":"${path}"}`);
	});
	const whole = await ask(url, { ...QUESTION, stream: false });
	expect(await whole.json()).toEqual({ path: '/webhook/openai/v1/chat/completions' });
	const models = await fetch(`${url}/v1/models`);
	expect(await models.json()).toEqual({ path: '/webhook/openai/v1/models' });
	const refused = await ask(url, QUESTION);
	expect(refused.status).toBe(403);
	// OpenAI's clients would retry, and the agent would run again.
	expect(refused.headers.get('x-should-retry')).toBe('false');
	expect(asked).toHaveLength(3);
});

it('reaches no other webhook', async () => {
	const { url, asked } = await before((_asked, response) => void response.end());
	for (const path of ['/', '/v1/../../secret', '/v1/models/../x', '/v1/models?x=1', '/typed']) {
		const { port } = new URL(url);
		const status = await new Promise((resolve) => {
			http.get({ port, path }, (response) => resolve(response.resume().statusCode));
		});
		expect({ path, status }).toEqual({ path, status: 404 });
	}
	expect(asked).toEqual([]);
});

it('reports that n8n does not answer, without its address', async () => {
	const url = await started(`http://127.0.0.1:${await closedPort()}/webhook/openai`);
	for (const stream of [true, false]) {
		const response = await ask(url, { ...QUESTION, stream });
		expect(response.status).toBe(502);
		expect(await response.text()).toBe(
			'{"error":{"message":"n8n does not answer","type":"server_error","param":null,"code":null}}',
		);
	}
});

it('disconnects from n8n when the client disconnects', async () => {
	const client = new AbortController();
	const left = new Promise<{ isComplete: boolean }>((resolve) => {
		void before((_asked, response) => {
			response.on('close', () => resolve({ isComplete: response.writableEnded }));
			response.writeHead(200);
			response.write(line('begin') + line('item', 'Wait'));
		}).then(async ({ url }) => {
			const { body } = await ask(url, QUESTION, client.signal);
			await body!.getReader().read();
			client.abort();
		});
	});
	expect(await left).toEqual({ isComplete: false });
});
