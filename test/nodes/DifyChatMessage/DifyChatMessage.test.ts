import { closePools } from '../../../lib/http/dispatcher';
import { startSim, UNKNOWN_ID } from '../../lib/dify/client';
import { defaultApps } from '../../simulators/dify';
import { listen } from '../../support/listen';
import { http } from '../../support/node-builtins';
import { sendMessageJson } from '../dify';

describe('a message', () => {
	test('agents, which do not support blocking mode, respond with the defaults of the node', async () => {
		const sim = await startSim({});
		for (const { mode } of defaultApps().filter((app) => app.mode.startsWith('agent')))
			expect(await sendMessageJson(sim, { mode })).toMatchObject({ answer: 'You said: hi' });
		expect(new Set(sim.runs.map(({ responseMode }) => responseMode))).toEqual(
			new Set(['streaming']),
		);
	});
});

test('each request has the key once', async () => {
	const requests: Array<[string, string[]]> = [];
	const server = http.createServer((request, response) => {
		const names = request.rawHeaders
			.filter((_, at) => at % 2 === 0)
			.map((name) => name.toLowerCase());
		requests.push([request.url!, names.filter((name) => name === 'authorization')]);
		request.resume();
		request.on('end', () => {
			const isRun = request.url === '/v1/chat-messages';
			response.setHeader('content-type', isRun ? 'text/event-stream' : 'application/json');
			response.end(
				isRun
					? 'data: {"event":"message","answer":"ok"}\n\ndata: {"event":"message_end"}\n\n'
					: JSON.stringify({ id: UNKNOWN_ID, file_upload: { enabled: true } }),
			);
		});
	});
	const url = `http://127.0.0.1:${await listen(server)}/v1`;
	const items = [
		{ json: {}, binary: { data: { data: 'eA==', mimeType: 'text/plain', fileName: 'a.txt' } } },
	];
	expect(
		await sendMessageJson({ url }, { items, parameters: { files: { file: [{ source: 'all' }] } } }),
	).toMatchObject({
		answer: 'ok',
	});
	await closePools();
	server.close();
	expect(requests).toEqual(
		['/v1/parameters', '/v1/files/upload', '/v1/chat-messages'].map((path) => [
			path,
			['authorization'],
		]),
	);
});
