import { http } from '../../support/node-builtins';
import { listen } from '../../support/listen';
import { sendMessages } from '../dify';

jest.mock('../../../lib/http/sleep', () => jest.requireActual<object>('../../support/mock-sleep'));

const IDS = {
	conversation_id: 'c1c7e55f-1ba2-4e10-81b5-30addcea2276',
	message_id: 'd1c7e55f-1ba2-4e10-81b5-30addcea2276',
	task_id: 'e1c7e55f-1ba2-4e10-81b5-30addcea2276',
	workflow_run_id: '1c7e55fb-1ba2-4e10-81b5-30addcea2276',
};
const EVENTS = [
	{ event: 'workflow_started', ...IDS, data: { id: IDS.workflow_run_id } },
	{ event: 'message', ...IDS, answer: 'The whole ' },
	{ event: 'message', ...IDS, answer: 'answer' },
	{ event: 'message_end', ...IDS, metadata: { usage: { total_tokens: 7 } } },
];

const servers: http.Server[] = [];
afterEach(() => {
	for (const server of servers.splice(0)) {
		server.close();
		server.closeAllConnections();
	}
});

/** Sends the events, then ends the stream. */
async function startDify(events: object[], record: () => [number, object]) {
	const starts: string[] = [];
	const server = http.createServer((request, response) => {
		if (request.method === 'POST') {
			starts.push(request.url ?? '');
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
			return;
		}
		const [status, body] = record();
		response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
	});
	servers.push(server);
	return { url: `http://127.0.0.1:${await listen(server)}`, starts };
}

const toRecord = (status: string, more: object = {}): [number, object] => [
	200,
	{ id: IDS.workflow_run_id, status, outputs: {}, ...more },
];

describe('a chatflow that ends after message_end', () => {
	test.each<[string, () => [number, object]]>([
		['stays running', () => toRecord('running')],
		['has succeeded', () => toRecord('succeeded', { outputs: { answer: 'The whole answer' } })],
		['cannot be read', () => [500, { code: 'internal_server_error', message: 'x', status: 500 }]],
		[
			'is missing',
			() => [404, { code: 'not_found', message: 'Workflow run not found', status: 404 }],
		],
	])('is complete without a warning if its record %s', async (_case, record) => {
		const sim = await startDify(EVENTS, record);
		const startedAt = performance.now();
		const [item] = await sendMessages(sim, {
			mode: 'advanced-chat',
			parameters: { options: { idleTimeout: 8 } },
		});
		// Idle Timeout, and the time of a busy machine.
		expect(performance.now() - startedAt).toBeLessThan(15_000);
		expect(item!.json).toMatchObject({ answer: 'The whole answer' });
		expect(item!.json.warnings ?? []).toEqual([]);
		expect(sim.starts).toHaveLength(1);
	});

	test('fails if its record has failed', async () => {
		const sim = await startDify(EVENTS, () => toRecord('failed', { error: 'Node broke' }));
		await expect(sendMessages(sim, { mode: 'advanced-chat' })).rejects.toThrow('Node broke');
	});
});

test('a message without message_end is not called complete', async () => {
	const sim = await startDify(EVENTS.slice(0, 3), () =>
		toRecord('succeeded', { outputs: { answer: 'The whole answer, and more' } }),
	);
	const [item] = await sendMessages(sim, { mode: 'advanced-chat' });
	expect(item!.json).toMatchObject({ answer: 'The whole answer, and more' });
});
