/** Recorded refusals of real servers: requests are adapted to each server. */
import { ChatClient } from '../../../lib/chat/client';
import { noteOnFormat } from '../../../lib/chat/answer/remarks';
import { TurnMemory } from '../../../lib/chat/answer/turn-memory';
import type { ChatRequest } from '../../../lib/chat/types';
import type { ServerError } from '../../../lib/errors/server-error';
import { clearSharedCaches } from '../../../lib/lru-cache';
import { connectTo } from '../../../lib/servers/connect';
import { json, type ScriptedServer, startScripted } from '../../servers/scripted';
import { httpFixture } from '../../support/streams';
import { PLAIN_SETTINGS } from '../chat/chat-settings';

const BARE = { detail: 'Not Found' };
let server: ScriptedServer | undefined;
beforeEach(clearSharedCaches);
afterEach(async () => await server?.close());

type Answer = string | { status?: number; json: unknown };

/** A server that answers by path: with a recording, or with JSON. */
async function serving(
	routes: Record<string, Answer | ((body: Record<string, unknown>) => Answer)>,
) {
	server = await startScripted(({ path, body }, response) => {
		const known = routes[path];
		const answer =
			typeof known === 'function' ? known(body) : (known ?? { status: 404, json: BARE });
		if (typeof answer !== 'string') return json(response, answer.json, answer.status);
		const { status, headers, body: bytes } = httpFixture(`${answer}.http`);
		response.writeHead(status, Object.fromEntries(headers));
		response.end(bytes);
	});
	return connectTo({ baseUrl: server.url });
}

const failureOf = async (asked: Promise<unknown>) =>
	await asked.then(
		() => Promise.reject(new Error('no failure')),
		(error: unknown) => error as ServerError,
	);
const chat = async (connection: ReturnType<typeof connectTo>) => {
	const answer = new ChatClient(
		connection,
		{ ...PLAIN_SETTINGS, model: 'm' },
		undefined,
		new TurnMemory(),
	);
	for await (const piece of answer.generate({ messages: [{ type: 'human', content: 'hi' }] }))
		void piece;
};

describe('chats', () => {
	it('with a model for vectors', async () => {
		const connection = await serving({
			'/v1/chat/completions': 'litellm-1.106.2/chat-with-embedding-model',
		});
		expect(await failureOf(chat(connection))).toMatchObject({ kind: 'wrongModelType' });
	});

	it('with a key that the server behind refuses', async () => {
		const connection = await serving({
			'/v1/chat/completions': 'litellm-1.106.2/key-of-the-model-refused',
		});
		expect(await failureOf(chat(connection))).toMatchObject({
			kind: 'gatewayKey',
			status: 401,
			remedy: expect.stringContaining('api_key of the model') as string,
		});
	});

	it.each([
		['vllm', 'wrongModelType'],
		['nobody', 'wrongPath'],
		// It has every route: this is another path.
		['llamacpp', 'wrongPath'],
	])('where there is no route: %s is %s', async (owner, kind) => {
		const connection = await serving({
			'/v1/models': { json: { data: [{ id: 'm', owned_by: owner }] } },
		});
		expect(await failureOf(chat(connection))).toMatchObject({ kind });
	});

	it.each([
		['jsonSchema', 'Hello.', true],
		['jsonObject', '```json\n{}\n```', true],
		['jsonSchema', ' {"a": 1}\n', false],
		['jsonObject', '{"a"', true],
		['text', 'Hello.', false],
	])('%s asked for, %j came: told %s', (type, text, isTold) => {
		const request = {
			parameters: { responseFormat: { type, schema: {} } },
		} as unknown as ChatRequest;
		const note = noteOnFormat(request, { text, toolCalls: [], finishReason: 'stop' });
		expect(note !== undefined).toBe(isTold);
		expect(noteOnFormat(request, { text, toolCalls: [], finishReason: 'length' })).toBeUndefined();
	});
});
