/** An agent continues after its stream broke: the rest of its response is in the message stored in Dify. */
import { countRequests, startApp } from '../../lib/dify/client';
import { waitFor } from '../../lib/dify/wait-for';
import type { DifySim, Script } from '../../simulators/dify';
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

test('after the Idle Timeout without a last thought, the run is stopped, and the text is in the error', async () => {
	const sim = await startCutAgent((getSim) => ({
		steps: [LOOK_STEP, { wait: waitFor(() => getSim().stops.length > 0) }],
	}));
	const [item] = await execute(prepareAgent(sim, { idleTimeout: 30 }));
	expect(getItemError(item!)).toMatchObject({ type: 'streamEndedEarly', answer: 'Let me look. ' });
	await waitFor(() => sim.stops.length === 1);
});
