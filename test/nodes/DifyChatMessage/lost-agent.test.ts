/** An agent continues after its stream broke: the rest of its response is in the message stored in Dify. */
import { calls, startApp } from '../../lib/dify/client';
import { waitFor } from '../../lib/dify/request';
import type { DifySim, Script } from '../../simulators/dify';
import { json, startScripted } from '../../simulators/scripted';
import { useSimulator } from '../../simulators/use-simulator';
import { execute, prepare, shownIn, errorIn } from '../dify';

jest.mock('../../../lib/http/sleep', () => jest.requireActual<object>('../../support/mock-sleep'));

const LOOK = {
	round: { chunks: ['Let me look. '], tool: { name: 'clock', input: '{}', observation: '12' } },
};
const NOON = { round: { chunks: ['It is ', 'noon.'] } };

/** An agent whose stream breaks off after the first text. */
const agentOf = async (script: (sim: () => DifySim) => Script): Promise<DifySim> => {
	const sim: DifySim = await startApp(
		{ mode: 'agent-chat', reply: () => script(() => sim) },
		{ stream: { cut: { events: 2, how: 'reset' } } },
	);
	return sim;
};

const ask = (sim: Pick<DifySim, 'url'>, options = {}) =>
	prepare(sim, {
		mode: 'agent-chat',
		streaming: true,
		continueOnFail: true,
		parameters: { options },
	});

test('the node waits for the last thought, streams its text once, and a hint names its source', async () => {
	const looks = (sim: DifySim) => calls(sim, '/messages', 'GET');
	const sim = await agentOf((own) => ({
		steps: [LOOK, { wait: waitFor(() => looks(own()) >= 3) }, NOON],
	}));
	const fake = ask(sim, { include: ['thoughts'] });
	const [item] = await execute(fake);
	expect(item!.json).toMatchObject({
		answer: 'Let me look. It is noon.',
		thoughts: [{ tool: 'clock', observation: '12' }, { thought: 'It is noon.' }],
	});
	expect(item!.json).not.toHaveProperty('usage');
	expect(shownIn(fake)).toContain('Let me look. It is noon.');
	expect(shownIn(fake).match(/Let me look/g)).toHaveLength(1);
	expect(fake.hints.map(({ message }) => message).join()).toContain('the message stored in Dify');
	expect(calls(sim, '/chat-messages')).toBe(1);
	expect(looks(sim)).toBeGreaterThan(3);
});

test('thinking is split off the recovered text', async () => {
	const round = { round: { chunks: ['<think>Hm', 'm.</think>', 'It is noon.'] } };
	const sim = await agentOf(() => ({ steps: [round] }));
	const [item] = await execute(ask(sim));
	expect(item!.json).toMatchObject({ answer: 'It is noon.', reasoning: 'Hmm.' });
});

test('the node waits for an endless thought until the Idle Timeout; then the run is stopped, and the text is in the error', async () => {
	const sim = await agentOf((own) => ({
		steps: [LOOK, { wait: waitFor(() => own().stops.length > 0) }],
	}));
	const [item] = await execute(ask(sim, { idleTimeout: 30 }));
	expect(errorIn(item!)).toMatchObject({ type: 'streamEndedEarly', answer: 'Let me look. ' });
	await waitFor(() => sim.stops.length === 1);
});

test('a chatbot stores no partial message, so it is not fetched', async () => {
	const sim = await startApp(
		{ mode: 'chat', reply: () => ['One ', 'two.'] },
		{ stream: { cut: { events: 1, how: 'reset' } } },
	);
	const [item] = await execute(prepare(sim, { continueOnFail: true }));
	expect(errorIn(item!)).toMatchObject({ type: 'streamEndedEarly', answer: 'One ' });
	expect(calls(sim, '/messages', 'GET')).toBe(0);
});

describe('the thoughts in the message of an agent', () => {
	const IDS = { conversation_id: 'c', message_id: 'm', task_id: 't', created_at: 1 };
	const startServer = useSimulator(startScripted);

	/** An agent that streams a text, breaks off, and then has these thoughts. */
	async function startAgent(text: string, rounds: object[]) {
		const events = [
			{ event: 'agent_thought', ...IDS, id: 'a1', position: 1, thought: '' },
			{ event: 'agent_message', ...IDS, answer: text },
		];
		const { url } = await startServer(({ method }, response) => {
			if (method === 'GET')
				return json(response, { data: [{ id: 'm', answer: '', agent_thoughts: rounds }] });
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			const sent = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
			response.write(sent, () => response.destroy());
		});
		return { url: `${url}/v1` };
	}

	const round = (id: string, thought: string, tool = '') => ({ id, thought, tool });

	test.each([
		[
			'ReAct stores other words than it streams: the last round is the answer',
			'Let me look',
			[round('a1', 'Thought: the clock knows', 'clock'), round('a2', 'It is noon.')],
			'It is noon.',
		],
		[
			'function calling stores what it streams: all rounds are the answer',
			'Let me look',
			[round('a1', 'Let me look. ', 'clock'), round('a2', 'It is noon.')],
			'Let me look. It is noon.',
		],
		['one that ends in the beginning of a tag', '', [round('a1', '<')], '<'],
	])('%s', async (_name, text, rounds, answer) => {
		const fake = ask(await startAgent(text, rounds));
		const [item] = await execute(fake);
		expect(item!.json).toMatchObject({ answer });
	});
});
