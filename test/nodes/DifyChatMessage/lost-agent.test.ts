/** An agent continues after its stream broke: the rest of its response is in the message stored in Dify. */
import { countRequests, startApp } from '../../lib/dify/client';
import { waitFor } from '../../lib/dify/wait-for';
import type { DifySim, Script } from '../../simulators/dify';
import { json, startScripted } from '../../simulators/scripted';
import { useSimulator } from '../../simulators/use-simulator';
import { execute, prepare, getStreamedText, getItemError } from '../dify';

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
				return json(response, { data: [{ id: 'm', answer: '', agent_thoughts: thoughts }] });
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
