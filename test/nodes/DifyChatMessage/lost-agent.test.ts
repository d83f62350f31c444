/** An agent continues after its stream broke: the rest of its response is in the message stored in Dify. */
import { countRequests, startApp } from '../../lib/dify/client';
import { waitFor } from '../../lib/dify/wait-for';
import type { DifySim, Script } from '../../simulators/dify';
import { sendJson, startScripted } from '../../guarantees/support/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import { execute, prepare, getStreamedText, getItemError, sendMessages } from '../dify';
import * as http from 'node:http';
import { listen } from '../../support/listen';

jest.mock('../../../lib/http/sleep', () => jest.requireActual<object>('../../support/mock-sleep'));

const LOOK_STEP = {
	round: { chunks: ['Let me look. '], tool: { name: 'clock', input: '{}', observation: '12' } },
};
const NOON_STEP = { round: { chunks: ['It is ', 'noon.'] } };

/** An agent whose stream breaks off after the first text. */
const startCutAgent = async (script: (sim: () => DifySim) => Script): Promise<DifySim> => {
	const sim: DifySim = await startApp(
		{ mode: 'agent-chat', reply: () => script(() => sim) },
		{ stream: { cut: { events: 2, how: 'reset' } } },
	);
	return sim;
};

const prepareAgent = (sim: Pick<DifySim, 'url'>, options = {}) =>
	prepare(sim, {
		mode: 'agent-chat',
		streaming: true,
		continueOnFail: true,
		parameters: { options },
	});

test('the node waits for the last thought, streams its text once, and a hint names its source', async () => {
	const countPolls = (sim: DifySim) => countRequests(sim, '/messages', 'GET');
	const sim = await startCutAgent((getSim) => ({
		steps: [LOOK_STEP, { wait: waitFor(() => countPolls(getSim()) >= 3) }, NOON_STEP],
	}));
	const fake = prepareAgent(sim, { include: ['thoughts'] });
	const [item] = await execute(fake);
	expect(item!.json).toMatchObject({
		answer: 'Let me look. It is noon.',
		thoughts: [{ tool: 'clock', observation: '12' }, { thought: 'It is noon.' }],
	});
	expect(item!.json).not.toHaveProperty('usage');
	expect(getStreamedText(fake)).toContain('Let me look. It is noon.');
	expect(getStreamedText(fake).match(/Let me look/g)).toHaveLength(1);
	expect(fake.hints.map(({ message }) => message).join()).toContain('the message stored in Dify');
	expect(countRequests(sim, '/chat-messages')).toBe(1);
	expect(countPolls(sim)).toBeGreaterThan(3);
});

test('thinking is removed from the recovered text', async () => {
	const round = { round: { chunks: ['<think>Hm', 'm.</think>', 'It is noon.'] } };
	const sim = await startCutAgent(() => ({ steps: [round] }));
	const [item] = await execute(prepareAgent(sim));
	expect(item!.json).toMatchObject({ answer: 'It is noon.', reasoning: 'Hmm.' });
});

test('after the Idle Timeout without a last thought, the run is stopped, and the text is in the error', async () => {
	const sim = await startCutAgent((getSim) => ({
		steps: [LOOK_STEP, { wait: waitFor(() => getSim().stops.length > 0) }],
	}));
	const [item] = await execute(prepareAgent(sim, { idleTimeout: 30 }));
	expect(getItemError(item!)).toMatchObject({ type: 'streamEndedEarly', answer: 'Let me look. ' });
	await waitFor(() => sim.stops.length === 1);
});

test('a chatbot stores no partial message, so it is not fetched', async () => {
	const sim = await startApp(
		{ mode: 'chat', reply: () => ['One ', 'two.'] },
		{ stream: { cut: { events: 1, how: 'reset' } } },
	);
	const [item] = await execute(prepare(sim, { continueOnFail: true }));
	expect(getItemError(item!)).toMatchObject({ type: 'streamEndedEarly', answer: 'One ' });
	expect(countRequests(sim, '/messages', 'GET')).toBe(0);
});

describe('the thoughts in the message of an agent', () => {
	const IDS = { conversation_id: 'c', message_id: 'm', task_id: 't', created_at: 1 };
	const startServer = useSimulator(startScripted);

	/** An agent that streams a text, breaks off, and then has these thoughts. */
	async function startAgent(text: string, thoughts: object[]) {
		const events = [
			{ event: 'agent_thought', ...IDS, id: 'a1', position: 1, thought: '' },
			{ event: 'agent_message', ...IDS, answer: text },
		];
		const { url } = await startServer(({ method }, response) => {
			if (method === 'GET')
				return sendJson(response, { data: [{ id: 'm', answer: '', agent_thoughts: thoughts }] });
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
			response.write(body, () => response.destroy());
		});
		return { url: `${url}/v1` };
	}

	const round = (id: string, thought: string, tool = '') => ({ id, thought, tool });

	test.each([
		[
			'ReAct stores a different text than it streams: the last thought is the response',
			'Let me look',
			[round('a1', 'Thought: the clock knows', 'clock'), round('a2', 'It is noon.')],
			'It is noon.',
		],
		[
			'function calling stores what it streams: all thoughts are the response',
			'Let me look',
			[round('a1', 'Let me look. ', 'clock'), round('a2', 'It is noon.')],
			'Let me look. It is noon.',
		],
		['a text that is the start of a tag', '', [round('a1', '<')], '<'],
	])('%s', async (_name, text, thoughts, answer) => {
		const fake = prepareAgent(await startAgent(text, thoughts));
		const [item] = await execute(fake);
		expect(item!.json).toMatchObject({ answer });
	});
});

describe('whole message', () => {
	jest.mock('../../../lib/http/sleep', () =>
		jest.requireActual<object>('../../support/mock-sleep'),
	);

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
});
