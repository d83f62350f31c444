import { ChatClient } from '../../../lib/chat/client';
import { closeChannels } from '../../../lib/http/dispatcher';
import { clearSharedCaches } from '../../../lib/lru-cache';
import { connectTo } from '../../../lib/servers/connect';
import { readToEnd } from '../../../lib/generators';
import { json, type ScriptedServer, startScripted } from '../../servers/scripted';
import { PLAIN_SETTINGS } from './chat-settings';

let server: ScriptedServer;
let refusal: object;
let listed: string[];

beforeEach(async () => {
	clearSharedCaches();
	server = await startScripted(({ path }, response) => {
		if (path === '/v1/models') return json(response, { data: listed.map((id) => ({ id })) });
		if (path !== '/v1/chat/completions') return json(response, { detail: 'Not Found' }, 404);
		json(response, refusal, 400);
	});
});
afterEach(async () => {
	await closeChannels();
	await server.close();
});

async function ask(model: string) {
	const client = new ChatClient(connectTo({ baseUrl: server.url }), { ...PLAIN_SETTINGS, model });
	return await readToEnd(client.generate({ messages: [{ type: 'human', content: 'Hi' }] }));
}

const NO_CAUSE = { error: { code: '400', message: 'Value error.', type: 'invalid_request_error' } };

it.each<[string, object, string[], string]>([
	['no cause, and a list without the model', NO_CAUSE, ['b', 'c'], 'modelNotFound'],
	['no cause, and a list with the model', NO_CAUSE, ['a', 'b'], 'badRequest'],
	['no cause, and an empty list', NO_CAUSE, [], 'badRequest'],
	['a cause', { error: { message: 'temperature is too high' } }, ['b'], 'badRequest'],
])('a refusal with %s: %j, %j', async (_what, said, ids, kind) => {
	refusal = said;
	listed = ids;
	await expect(ask('a')).rejects.toMatchObject({ kind });
});

it('names the models that are there', async () => {
	refusal = NO_CAUSE;
	listed = ['b', 'c'];
	await expect(ask('a')).rejects.toMatchObject({
		remedy: expect.stringContaining('Use one of: b, c.') as string,
	});
});
