/** Several forms of one run: submitted or expired. */
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import { getNodeError } from '../dify';
import { executeOperation } from './workflow';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/mock-sleep'),
);

const RUN_ID = 'df506b6a-8974-4ad6-8d0b-f2a5dbceac7e';
const SUBMITTED = [412, { code: 'human_input_form_submitted', message: 'Submitted', status: 412 }];
const EXPIRED = [412, { code: 'human_input_form_expired', message: 'Expired', status: 412 }];
const OPEN = [200, { form_content: '', inputs: [], user_actions: [{ id: 'ok', title: 'OK' }] }];

type Event = Record<string, unknown>;

const toEvent = (event: string, data: object): Event => ({
	event,
	workflow_run_id: RUN_ID,
	task_id: '55da5dd1-fa55-49c9-8b5f-32c3111cfe93',
	data,
});
const STARTED = toEvent('workflow_started', { id: RUN_ID });
const toNode = (nodeId: string, status: string) =>
	toEvent('node_finished', {
		id: `execution-${nodeId}`,
		node_id: nodeId,
		node_type: 'human-input',
		title: nodeId,
		status,
	});
const toForm = (name: string) => ({
	form_id: `form-${name}`,
	node_id: name,
	node_title: name,
	form_token: `token-${name}`,
	actions: [{ id: 'ok', title: 'OK' }],
});
const toPause = (...names: string[]): Event[] => [
	...names.map((name) => toEvent('human_input_required', toForm(name))),
	toEvent('workflow_paused', {
		paused_nodes: names,
		outputs: {},
		status: 'paused',
		reasons: names.map((name) => ({ TYPE: 'human_input_required', ...toForm(name) })),
	}),
];
const toReplay = (...names: string[]) => [
	STARTED,
	...names.map((name) => toNode(name, 'paused')),
	...toPause(...names),
];
const SECOND_FORM = [STARTED, toNode('ask', 'succeeded'), ...toReplay('ask2').slice(1)];
const ENDED = [toEvent('workflow_finished', { status: 'succeeded', outputs: { a: '1' } })];

interface Script {
	/** Events of each attachment; the last one repeats. */
	attachments: Event[][];
	/** Status and body for each token. Default: open. */
	forms?: Record<string, unknown[]>;
	record?: object;
}

const start = useSimulator(startScripted);

async function startDify({ attachments, forms = {}, record = {} }: Script) {
	const submitted = new Set<string>();
	return await start(({ method, path }, response) => {
		const token = /human_input\/([^?]*)/.exec(path)?.[1];
		if (token !== undefined && method === 'POST') {
			submitted.add(token);
			sendJson(response, {});
		} else if (token !== undefined) {
			const [status, body] = forms[token] ?? (submitted.has(token) ? SUBMITTED : OPEN);
			sendJson(response, body, Number(status));
		} else if (path.includes('/events')) {
			const events = attachments.length > 1 ? attachments.shift()! : attachments[0]!;
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
		} else sendJson(response, record);
	});
}
const submit = async (sim: { url: string }, parameters: object = {}) => {
	const submission = { formToken: 'token-ask', action: 'ok', values: {}, ...parameters };
	return (await executeOperation(sim, 'form', 'submit', submission))[0]!.json;
};
const getTokens = ({ forms }: Record<string, unknown>) =>
	(forms as Array<{ formToken: string }> | undefined)?.map(({ formToken }) => formToken);

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

test('a form that expired is not submitted', async () => {
	const sim = await startDify({ attachments: [ENDED], forms: { 'token-ask': EXPIRED } });
	const error = await getNodeError(submit(sim, { workflowRunId: RUN_ID }));
	expect(error.message).toContain('expired');
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
