import { ChatClient } from '../../../lib/chat/client';
import { TurnMemory } from '../../../lib/chat/answer/turn-memory';
import { clearSharedCaches } from '../../../lib/lru-cache';
import { connectTo } from '../../../lib/servers/connect';
import { askServerKind } from '../../../lib/servers/identify';
import { listModels } from '../../../lib/servers/model-list';
import { delta, json, type ScriptedServer, sse, startScripted } from '../../servers/scripted';
import { PLAIN_SETTINGS } from '../chat/chat-settings';
import { check, ids } from '../health/support';

const MODELS = { data: [{ id: 'minilm' }, { id: 'rr' }] };
let server: ScriptedServer;
beforeEach(async () => {
	clearSharedCaches();
	server = await startScripted(({ path }, response) =>
		path === '/models' ? json(response, MODELS) : json(response, { detail: 'Not Found' }, 404),
	);
});
afterEach(async () => await server.close());

it('a server with its routes at the root: every connection to it asks there from then on', async () => {
	const connection = connectTo({ baseUrl: server.url });
	expect(connection.url.api).toBe(`${server.url}/v1`);
	expect((await listModels(connection)).map(({ id }) => id)).toEqual(['minilm', 'rr']);
	expect(connection.url.api).toBe(server.url);
	expect(connectTo({ baseUrl: `${server.url}/` }).url.api).toBe(server.url);
});

it('the same by the question who it is', async () => {
	const connection = connectTo({ baseUrl: server.url });
	expect(await askServerKind(connection)).toBe('other');
	expect(connection.url.api).toBe(server.url);
});

it('a key that is refused there is told as that, and the address is learned', async () => {
	await server.close();
	server = await startScripted(({ path }, response) =>
		path === '/models' || path === '/embeddings'
			? json(response, { detail: 'Unauthorized' }, 401)
			: json(response, { detail: 'Not Found' }, 404),
	);
	const connection = connectTo({
		baseUrl: server.url,
		headers: { authorization: 'Bearer sk-wrong' },
	});
	await expect(listModels(connection)).rejects.toMatchObject({ kind: 'unauthorized' });
	expect(connection.url.api).toBe(server.url);
});

it('Server Health finds the list at the root', async () => {
	const result = await check(server.url, {}, { apiKey: '' });
	expect(ids(result)).toEqual([]);
	expect(result).toMatchObject({ healthy: true, server: { kind: 'openAiCompatible' } });
});

it('the first chat with such a server finds its route', async () => {
	await server.close();
	server = await startScripted(({ path }, response) => {
		if (path === '/models') return json(response, { data: [{ id: 'm' }] });
		if (path !== '/chat/completions') return json(response, { detail: 'Not Found' }, 404);
		response.end(sse(delta({ content: 'Hello' }), delta({}, 'stop'), '[DONE]'));
	});
	const client = new ChatClient(
		connectTo({ baseUrl: server.url }),
		{ ...PLAIN_SETTINGS, model: 'm' },
		undefined,
		new TurnMemory(),
	);
	const answer = client.generate({ messages: [{ type: 'human', content: 'hi' }] });
	expect((await answer.next()).value).toBe('Hello');
	await answer.return(undefined as never);
	expect(server.requests.map(({ path }) => path)).toEqual([
		'/v1/chat/completions',
		'/v1/models',
		'/models',
		'/api/version',
		'/chat/completions',
	]);
});

describe('a FastAPI server with nothing but a route for chats, which answers 405 to GET', () => {
	const startAt = async (route: string) => {
		await server.close();
		server = await startScripted(({ path, method }, response) => {
			if (path !== route) return json(response, { detail: 'Not Found' }, 404);
			if (method === 'GET') return json(response, { detail: 'Method Not Allowed' }, 405);
			response.end(sse(delta({ content: 'Hello' }), '[DONE]'));
		});
	};
	const firstPiece = async (baseUrl: string) => {
		const settings = { ...PLAIN_SETTINGS, model: 'm' };
		const client = new ChatClient(connectTo({ baseUrl }), settings, undefined, new TurnMemory());
		const answer = client.generate({ messages: [{ type: 'human', content: 'hi' }] });
		const { value } = await answer.next();
		await answer.return(undefined as never);
		return value;
	};

	it.each(['', '/v1', '/chat/completions'])(
		'chats without a version, typed with "%s"',
		async (typed) => {
			await startAt('/chat/completions');
			expect(await firstPiece(server.url + typed)).toBe('Hello');
			expect(connectTo({ baseUrl: server.url }).url.api).toBe(server.url);
		},
	);

	it.each(['/chat/completions', '/v1/chat/completions'])(
		'Server Health is told that it has no list, and nothing wrong, where it is at %s',
		async (route) => {
			await startAt(route);
			const result = await check(server.url, {}, { apiKey: '' });
			expect(result).toMatchObject({ healthy: true, server: { kind: 'openAiCompatible' } });
			expect(ids(result)).toEqual(['unknownServer']);
			const asked = server.requests.map(({ method, path }) => `${method} ${path}`);
			expect(asked).toContain(`GET ${route}`);
			expect(asked).toEqual([...new Set(asked)]);
		},
	);

	it('a model that is expected may be there', async () => {
		await startAt('/v1/chat/completions');
		const result = await check(server.url, { expectations: { model: 'm' } }, { apiKey: '' });
		expect(result.healthy).toBe(true);
		expect(ids(result)).toEqual(['unknownServer']);
	});

	it('a server that answers 405 to everything stays where it is', async () => {
		await server.close();
		server = await startScripted(({ path }, response) =>
			json(response, { detail: 'no' }, path.endsWith('/models') ? 404 : 405),
		);
		const connection = connectTo({ baseUrl: server.url });
		await expect(listModels(connection)).rejects.toMatchObject({ kind: 'wrongPath' });
		expect(connection.url.api).toBe(`${server.url}/v1`);
	});
});
