/** A server in a pool that lacks the model, wherever its error is. */
import { ChatClient } from '../../../../lib/chat/client';
import { TurnMemory } from '../../../../lib/chat/answer/turn-memory';
import { EmbeddingsClient } from '../../../../lib/embeddings/client';
import { clearSharedCaches } from '../../../../lib/lru-cache';
import { connectTo } from '../../../../lib/servers/connect';
import { ServerPool } from '../../../../lib/servers/pool/server-pool';
import {
	delta,
	events,
	good,
	json,
	type Script,
	type ScriptedServer,
	sse,
	startScripted,
} from '../../../servers/scripted';
import { useSimulator } from '../../../servers/use-simulator';
import { PLAIN_SETTINGS } from '../../chat/chat-settings';

const start = useSimulator(startScripted);
beforeEach(clearSharedCaches);
const pool = (...servers: ScriptedServer[]) =>
	new ServerPool(servers.map(({ url }) => ({ connection: connectTo({ baseUrl: url }) })) as never);
const ask = async (servers: ServerPool, content: string, signal?: AbortSignal) => {
	const answer = new ChatClient(
		servers,
		{ ...PLAIN_SETTINGS, model: 'm' },
		undefined,
		new TurnMemory(),
	).generate({
		messages: [{ type: 'human', content }],
		signal,
	});
	for (;;) {
		const { done, value } = await answer.next();
		if (done === true) return value;
	}
};
const chats = (server: ScriptedServer) =>
	server.requests.filter(({ method, path }) => method === 'POST' && path === '/v1/chat/completions')
		.length;
const answering: Script = ({ path }, response) =>
	path === '/v1/chat/completions'
		? events(response, good('Hello'))
		: json(response, { detail: 'Not Found' }, 404);
const refusing =
	(how: (response: Parameters<Script>[1]) => void): Script =>
	({ path }, response) =>
		path === '/v1/chat/completions' ? how(response) : json(response, { detail: 'Not Found' }, 404);

describe('in a pool', () => {
	test.each<[string, (response: Parameters<Script>[1]) => void]>([
		[
			'first event of a 200 stream',
			(response) =>
				events(
					response,
					sse({ error: { message: 'The model `m` does not exist.', code: 404 } }, '[DONE]'),
				),
		],
		[
			'JSON under a 200',
			(response) => json(response, { error: { message: "model 'm' not found" } }),
		],
		[
			'object error under a 200',
			(response) =>
				json(response, {
					object: 'error',
					message: 'The model does not support Chat Completions API',
					code: 400,
				}),
		],
		[
			'role first, then error',
			(response) =>
				events(
					response,
					sse(delta({ role: 'assistant', content: '' }), {
						error: { message: 'model not found', code: 404 },
					}),
				),
		],
		[
			'detail in a stream',
			(response) => events(response, sse({ detail: 'Model not found in the model list, uid: m' })),
		],
		[
			'404 page of a proxy',
			(response) => {
				response.writeHead(404, { 'content-type': 'text/html' });
				response.end('<html><title>404 Not Found</title></html>');
			},
		],
		['405', (response) => json(response, { detail: 'Method Not Allowed' }, 405)],
		['501', (response) => json(response, { error: { message: 'not implemented' } }, 501)],
	])('%s: the next one answers', async (_what, how) => {
		const lacking = await start(refusing(how));
		const well = await start(answering);
		const servers = pool(lacking, well);
		let asked = 0;
		for (; asked < 30 && chats(lacking) === 0; asked++)
			expect(await ask(servers, `q${asked}`)).toMatchObject({ text: 'Hello' });
		for (let more = 0; more < 5; more++)
			expect((await ask(servers, `r${more}`)).text).toBe('Hello');
		expect(chats(lacking)).toBe(1);
	});

	test('three servers: two lack, one is busy once: it is waited for', async () => {
		let first = true;
		const a = await start(
			refusing((response) => json(response, { error: { message: 'model not found' } }, 404)),
		);
		const b = await start(
			refusing((response) =>
				json(
					response,
					{ error: { message: 'The model does not support Chat Completions API' } },
					400,
				),
			),
		);
		const c = await start((request, response) => {
			if (request.path === '/v1/chat/completions' && first) {
				first = false;
				return json(response, { error: { message: 'Loading model' } }, 503);
			}
			answering(request, response);
		});
		expect((await ask(pool(a, b, c), 'q')).text).toBe('Hello');
		expect([chats(a), chats(b), chats(c)]).toEqual([1, 1, 2]);
	});

	test('all lack: words of each, no second round', async () => {
		const all = [
			await start(
				refusing((response) =>
					json(response, { error: { message: 'The model `m` does not exist.' } }, 404),
				),
			),
			await start(
				refusing((response) =>
					json(
						response,
						{ error: { message: 'The model does not support Chat Completions API' } },
						400,
					),
				),
			),
		];
		const failed = await ask(pool(...all), 'q').catch(
			(error: unknown) => error as { kind: string; remedy: string },
		);
		expect(failed).toMatchObject({ kind: 'allServersFailed' });
		expect((failed as { remedy: string }).remedy).toContain('does not support Chat');
		expect(all.map(chats)).toEqual([1, 1]);
	});

	test('a model that lacks embeddings still chats', async () => {
		const both = await start(({ path, body }, response) => {
			if (path === '/v1/chat/completions') return events(response, good('Hello'));
			if (path === '/v1/embeddings' && 'input' in body)
				return json(
					response,
					{ error: { message: 'The model does not support Embeddings API' } },
					400,
				);
			json(response, { detail: 'Not Found' }, 404);
		});
		const vectors = await start(({ path }, response) =>
			path === '/v1/embeddings'
				? json(response, { data: [{ index: 0, embedding: [1, 2] }] })
				: json(response, { detail: 'Not Found' }, 404),
		);
		const servers = pool(both, vectors);
		const client = new EmbeddingsClient(servers, {
			model: 'm',
			prefixes: {},
			longTexts: 'fail',
			blankTexts: 'refuse',
			batchSize: 8,
			limits: {},
			retries: 0,
		});
		for (let round = 0; round < 3; round++)
			expect((await client.embed(['a'], 'query')).vectors).toEqual([[1, 2]]);
		for (let round = 0; round < 3; round++)
			expect((await ask(servers, `q${round}`)).text).toBe('Hello');
		expect(chats(both)).toBe(3);
	});
});
