/** Several forms of one run: submitted or expired. */
import { executePrepared, getNodeError, getStreamedText } from '../dify';
import { ENDED, EXPIRED, RUN_ID, SECOND_FORM, getTokens, startDify, toReplay } from './form-events';
import { executeOperation, prepareWorkflow } from './workflow';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/mock-sleep'),
);

const submit = async (sim: { url: string }, parameters: object = {}) => {
	const submission = { formToken: 'token-ask', action: 'ok', values: {}, ...parameters };
	return (await executeOperation(sim, 'form', 'submit', submission))[0]!.json;
};

describe('Submit', () => {
	test.each([
		['the end of the run', ENDED, { status: 'succeeded', outputs: { a: '1' } }],
		['the next form', SECOND_FORM, { status: 'paused' }],
	])('returns %s, never the pause that it answered', async (_case, events, expected) => {
		const old = toReplay('ask');
		const sim = await startDify({ attachments: [old, old, old, events] });
		const item = await submit(sim, { workflowRunId: RUN_ID });
		expect(item).toMatchObject({ submitted: true, formToken: 'token-ask', ...expected });
		expect(getTokens(item)).toEqual(expected.status === 'paused' ? ['token-ask2'] : undefined);
		expect(sim.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
	});

	test.each([{ workflowRunId: RUN_ID, options: { returnImmediately: true } }, {}])(
		'returns immediately with %j',
		async (parameters) => {
			const sim = await startDify({ attachments: [ENDED] });
			expect(await submit(sim, parameters)).toEqual({
				submitted: true,
				formToken: 'token-ask',
				action: 'ok',
				user: 'u1',
			});
			expect(sim.requests.filter(({ path }) => path.includes('/events'))).toEqual([]);
		},
	);

	test.each([
		['another run', toReplay('ask'), true],
		['this run', SECOND_FORM, false],
		['this run, which waits for a second form', toReplay('other', 'ask'), false],
	])('warns only about a form of another run: %s', async (_case, events, warns) => {
		const formToken = warns ? 'token-of-another-run' : 'token-other';
		const sim = await startDify({ attachments: [events] });
		const { warnings = [] } = await submit(sim, { workflowRunId: RUN_ID, formToken });
		expect(warnings).toEqual(
			warns ? [expect.stringContaining('Form Token and Workflow Run ID')] : [],
		);
		expect(sim.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
	});

	test('leaves the other forms of the same pause', async () => {
		const sim = await startDify({ attachments: [toReplay('ask', 'other')] });
		expect(getTokens(await submit(sim, { workflowRunId: RUN_ID }))).toEqual(['token-other']);
	});
});

describe('the run that is followed after Submit', () => {
	test('ends at its Total Timeout', async () => {
		const replays = Array.from({ length: 30 }, () => toReplay('ask'));
		const sim = await startDify({ attachments: [...replays, ENDED] });
		const options = { totalTimeout: 3 };
		const error = await getNodeError(submit(sim, { workflowRunId: RUN_ID, options }));
		expect(error.context.data).toMatchObject({ type: 'runTimeout' });
	});

	test('shows its text in the chat', async () => {
		const sim = await startDify({ attachments: [ENDED] });
		const fake = prepareWorkflow(sim, {
			streaming: true,
			parameters: {
				resource: 'form',
				operation: 'submit',
				formToken: 'token-ask',
				action: 'ok',
				values: {},
				workflowRunId: RUN_ID,
			},
		});
		await executePrepared('difyWorkflow', fake);
		expect(getStreamedText(fake)).toBe('1');
	});
});

test('a form that expired is not submitted', async () => {
	const sim = await startDify({ attachments: [ENDED], forms: { 'token-ask': EXPIRED } });
	const error = await getNodeError(submit(sim, { workflowRunId: RUN_ID }));
	expect(error.message).toMatch(/expired/i);
	expect(sim.requests).toHaveLength(1);
});

test.each([
	{ workflowRunId: 'run 7' },
	{ workflowRunId: RUN_ID, options: { totalTimeout: 'soon' } },
	{ workflowRunId: RUN_ID, options: { include: ['everything'] } },
])('nothing is submitted if the run cannot be followed: %j', async (parameters) => {
	const sim = await startDify({ attachments: [ENDED] });
	await getNodeError(submit(sim, parameters));
	expect(sim.requests).toEqual([]);
});
