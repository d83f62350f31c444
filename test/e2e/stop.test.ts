/**
 * Stop in the real n8n, at each moment of a batch of three items: the connection is closed, nothing more is sent, and the
 * execution ends as canceled. What was finished is gone, as docs/operations.md says: n8n saves before a node can answer.
 */
import { CHAT, LLAMA_SERVER, text } from '../guarantees/support/responses';
import { startScripted } from '../support/servers/scripted-server';
import type { Answer, ScriptedServer } from '../support/servers/scripted-server';
import { llamaCredential, stopEverything } from './support/playground';
import { after, closeAll, shareN8n, theN8n } from './support/run-examples';
import { textItems, workflowOf } from './support/workflows';

beforeAll(async () => {
	await shareN8n();
});
afterEach(closeAll);
afterAll(stopEverything);

const EVENTS = { 'content-type': 'text/event-stream' };

/** Moments of an item: what the server does, and whether it has the connection open then. */
const MOMENTS: Readonly<Record<string, { answer: Answer; isOpen: boolean }>> = {
	'while the server loads the prompt': { answer: () => undefined, isOpen: true },
	'before the first token': {
		answer: (_request, response) => response.writeHead(200, EVENTS).flushHeaders(),
		isOpen: true,
	},
	'in the middle of the text': {
		answer: (_request, response) => {
			const choices = [{ index: 0, delta: { content: 'Once upon' }, finish_reason: null }];
			response.writeHead(200, EVENTS);
			response.write(`data: ${JSON.stringify({ choices })}\n\n`);
		},
		isOpen: true,
	},
	'in the pause before a repetition': {
		answer: (_request, response) => {
			response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '600' });
			response.end(JSON.stringify({ error: { message: 'Slow down.', type: 'rate_limit' } }));
		},
		isOpen: false,
	},
};
const ITEMS = ['the first', 'the second', 'the last'];
const ROWS = Object.keys(MOMENTS).flatMap((moment) =>
	ITEMS.map((item, index) => ({ item, moment, index })),
);

/** Starts a batch, and waits until the server has the request of an item. */
async function begin(answers: Answer[], count: number) {
	const server = await startScripted({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answers });
	after(async () => await server.close());
	const credential = await theN8n().createCredential({
		...llamaCredential(server),
		id: undefined,
	});
	const workflow = await theN8n().createWorkflow(
		workflowOf('Stopped batch', {
			...textItems(['one', 'two', 'three'], 'Chat'),
			Chat: {
				type: 'CUSTOM.localLlama',
				parameters: {
					resource: 'text',
					operation: 'chat',
					model: { __rl: true, mode: 'id', value: 'sim-model' },
					prompt: '={{ $json.text }}',
					options: { maxConcurrentItems: 1 },
				},
				credentials: { localLlamaApi: credential },
			},
		}),
	);
	const id = await theN8n().runWorkflow(workflow, 'Start');
	const requests = await server.arrived(CHAT, count);
	return { server, id, request: requests.at(-1)! };
}

/** Stops an execution. @returns how it ended */
async function stop(id: string): Promise<string> {
	await theN8n().stopExecution(id);
	const { status } = await theN8n().waitForExecution(id);
	return status;
}

const countChats = (server: ScriptedServer) => server.sent(CHAT).length;

it.each(ROWS)('in $item item, $moment', async ({ moment, index }) => {
	const { answer, isOpen } = MOMENTS[moment]!;
	const finished = Array.from({ length: index }, () => text('Done.'));
	const { server, id, request } = await begin([...finished, answer], index + 1);
	expect(await stop(id)).toBe('canceled');
	if (isOpen) await request.cut;
	const { data } = await theN8n().getExecution(id);
	expect(data.resultData.runData.Chat?.[0]?.data).toBeUndefined();
	expect(countChats(server)).toBe(index + 1);

	// n8n and the server work on: the next run has all three.
	const next = await begin([text('Again.')], 3);
	const again = await theN8n().waitForExecution(next.id);
	expect(again.status).toBe('success');
	expect(countChats(next.server)).toBe(3);
	expect(countChats(server)).toBe(index + 1);
});

it('a batch whose first item fails names no finished one, and sends nothing more', async () => {
	const failure: Answer = (_request, response) => {
		response.writeHead(400, { 'content-type': 'application/json' });
		response.end(JSON.stringify({ error: { message: 'It is bad.', code: 400 } }));
	};
	const { server, id } = await begin([failure], 1);
	const { data, status } = await theN8n().waitForExecution(id);
	expect(status).toBe('error');
	const error = data.resultData.error as unknown as { context: { data: object } };
	expect(error.context.data).not.toHaveProperty('finished');
	expect(new Set(server.sent(CHAT).map(({ messages }) => JSON.stringify(messages))).size).toBe(1);
});
