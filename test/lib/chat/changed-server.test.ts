/** Another server takes the place of one at the same address: its answer tells, whatever was remembered. */
import { ChatClient } from '../../../lib/chat/client';
import { connectTo } from '../../../lib/servers/connect';
import { listen } from '../../support/listening';
import { http } from '../../support/node';
import { PLAIN_SETTINGS } from './chat-settings';

type Name = 'ollama' | 'llamaServer';

const FINGERPRINTS = { ollama: 'fp_ollama', llamaServer: 'b1-abc' };
const LISTS = {
	ollama: { data: [{ id: 'm', object: 'model', created: 1763000000, owned_by: 'library' }] },
	llamaServer: { data: [{ id: 'm', object: 'model', created: 1763000000, owned_by: 'llamacpp' }] },
};

let running: Name;

function answerTo(path: string, response: http.ServerResponse): void {
	if (running === 'llamaServer') response.setHeader('server', 'llama.cpp');
	const json = (value: object, status = 200) =>
		response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
	if (path === '/v1/models') json(LISTS[running]);
	else if (path === '/api/version' && running === 'ollama') json({ version: '0.17.4' });
	else if (path !== '/v1/chat/completions') json({ error: 'not found' }, 404);
	else {
		const about = { model: 'm', system_fingerprint: FINGERPRINTS[running] };
		const choice = { index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' };
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		response.end(`data: ${JSON.stringify({ ...about, choices: [choice] })}\n\ndata: [DONE]\n\n`);
	}
}

const server = http.createServer((request, response) => {
	request.resume();
	request.on('end', () => answerTo(request.url!, response));
});

afterAll(() => {
	server.close();
	server.closeAllConnections();
});

test.each<[Name, Name]>([
	['ollama', 'llamaServer'],
	['llamaServer', 'ollama'],
])('after %s, the first answer of %s is shown as its own', async (before, after) => {
	const port = server.listening
		? (server.address() as { port: number }).port
		: await listen(server);
	const connection = connectTo({ baseUrl: `http://127.0.0.1:${port}` });
	const kindOfAnswer = async () => {
		// An option that the servers take in different ways, so that their kind is asked.
		const parameters = { topK: 20 };
		const client = new ChatClient(connection, { ...PLAIN_SETTINGS, model: 'm', parameters });
		const pieces = client.generate({ messages: [{ type: 'human', content: 'Hi' }] });
		for (;;) {
			const next = await pieces.next();
			if (next.done === true) return next.value.serverKind;
		}
	};
	running = before;
	await kindOfAnswer();
	expect(await kindOfAnswer()).toBe(before);
	running = after;
	expect(await kindOfAnswer()).toBe(after);
});
