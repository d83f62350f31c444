/** Remedies are of the server that was asked. */
import { ChatClient } from '../../../../lib/chat/client';
import { TurnMemory } from '../../../../lib/chat/answer/turn-memory';
import { failure } from '../../../../lib/errors/failure';
import type { FailureKind } from '../../../../lib/errors/kinds';
import { asFailed, type ServerError } from '../../../../lib/errors/server-error';
import { clearSharedCaches } from '../../../../lib/lru-cache';
import { connectTo } from '../../../../lib/servers/connect';
import { askServerKind } from '../../../../lib/servers/identify';
import { json, type ScriptedServer, startScripted } from '../../../servers/scripted';
import { PLAIN_SETTINGS } from '../../chat/chat-settings';

let server: ScriptedServer;
beforeEach(clearSharedCaches);
afterEach(async () => await server.close());

const LLAMA_OPTIONS = /llama-server|--jinja|--ctx-size|--mmproj|--api-prefix/;
const FAILURES: FailureKind[] = [
	'wrongPath',
	'contextOverflow',
	'templateRejected',
	'toolsUnsupported',
	'modalityUnsupported',
	'outputUnreadable',
	'modelFailedToLoad',
];

async function remedies(owner: string, headers: Record<string, string> = {}) {
	server = await startScripted(({ path }, response) => {
		for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
		if (path === '/v1/models') json(response, { data: [{ id: 'm', owned_by: owner }] });
		else json(response, { version: '0.33.0' });
	});
	const connection = connectTo({ baseUrl: server.url });
	const kind = await askServerKind(connection, 'm');
	const context = connection.contextOf(`${connection.url.api}/chat/completions`, { model: 'm' });
	return { kind, texts: FAILURES.map((one) => failure(one, context).remedy) };
}

it.each([
	['ollama', 'library', {}],
	['vllm', 'vllm', {}],
])('%s: no option of llama-server', async (kind, owner, headers) => {
	const known = await remedies(owner, headers);
	expect(known.kind).toBe(kind);
	expect(known.texts.filter((text) => LLAMA_OPTIONS.test(text))).toEqual([]);
});

it.each([
	['llamaServer', 'llamacpp'],
	['other', 'somebody'],
])('%s: its options, or those that it may have', async (kind, owner) => {
	const known = await remedies(owner);
	expect(known.kind).toBe(kind);
	expect(known.texts.filter((text) => LLAMA_OPTIONS.test(text)).length).toBeGreaterThan(4);
});

async function refusedChat(): Promise<ServerError> {
	const settings = { ...PLAIN_SETTINGS, model: 'm' };
	const connection = connectTo({ baseUrl: server.url, headers: { authorization: 'Bearer x' } });
	const client = new ChatClient(connection, settings, undefined, new TurnMemory());
	const answer = client.generate({ messages: [{ type: 'human', content: 'Hi.' }] });
	const outcome = await answer.next().catch(asFailed);
	return (outcome as ReturnType<typeof asFailed>).failed;
}

it.each([
	['the server behind it', 'authentication_error', 'gatewayKey', 'key of the channel'],
	['one-api', 'one_api_error', 'unauthorized', 'API Key in the credential'],
	['New API', 'new_api_error', 'unauthorized', 'API Key in the credential'],
])('whose key is refused, where %s refuses it', async (_, type, kind, remedy) => {
	server = await startScripted((_request, response) => {
		response.setHeader('X-Oneapi-Request-Id', '2026');
		json(response, { error: { message: 'Invalid key (request id: 2026)', type } }, 401);
	});
	expect(await refusedChat()).toMatchObject({
		kind,
		remedy: expect.stringContaining(remedy) as string,
	});
});
