/** Forms of a run that is followed: submitted, expired, and passed over in a replay. */
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
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

const follow = async (sim: { url: string }, onPause = 'return') => {
	const parameters = { workflowRunId: RUN_ID, options: { onPause } };
	return (await executeOperation(sim, 'run', 'follow', parameters))[0]!.json;
};
const getTokens = ({ forms }: Record<string, unknown>) =>
	(forms as Array<{ formToken: string }> | undefined)?.map(({ formToken }) => formToken);

describe('Follow', () => {
	test.each([
		['succeeded', ENDED],
		['paused', SECOND_FORM],
	])('passes over a pause whose form was submitted: %s', async (status, events) => {
		const old = toReplay('ask');
		const sim = await startDify({
			attachments: [...Array.from({ length: 20 }, () => old), events],
			forms: { 'token-ask': SUBMITTED },
		});
		const item = await follow(sim);
		expect([item.status, getTokens(item)]).toEqual([
			status,
			status === 'paused' ? ['token-ask2'] : undefined,
		]);
	});

	test('returns an open form, and one that expired as expired', async () => {
		const open = await follow(await startDify({ attachments: [toReplay('ask')] }));
		expect([getTokens(open), open.warnings]).toEqual([['token-ask'], undefined]);
		const expired = await follow(
			await startDify({ attachments: [toReplay('ask')], forms: { 'token-ask': EXPIRED } }),
		);
		expect(expired).toMatchObject({
			forms: [{ isExpired: true }],
			warnings: [expect.stringContaining('"ask" expired')],
		});
	});

	test('names a form that expired during the run', async () => {
		const expiry = toEvent('human_input_form_timeout', { node_id: 'ask', node_title: 'Review' });
		const item = await follow(await startDify({ attachments: [[STARTED, expiry, ...ENDED]] }));
		expect(item.warnings).toEqual([expect.stringContaining('"Review" expired')]);
	});

	test.each([
		['a form that follows the replayed pause', [[...toReplay('ask'), ...SECOND_FORM]]],
		[
			'a form after another one was answered',
			[[STARTED, toNode('ask', 'succeeded'), ...toPause('ask2')]],
		],
		[
			'a form after the connection was lost',
			[toReplay('ask'), [...toReplay('ask'), ...SECOND_FORM]],
		],
	])('with Wait returns %s', async (_case, attachments) => {
		const sim = await startDify({ attachments, record: { status: 'paused', outputs: {} } });
		const item = await follow(sim, 'wait');
		expect([item.status, getTokens(item)]).toEqual(['paused', ['token-ask2']]);
	});

	test('with Wait waits for the form at which the run is paused', async () => {
		const sim = await startDify({ attachments: [[...SECOND_FORM, ...ENDED]] });
		expect(await follow(sim, 'wait')).toMatchObject({ status: 'succeeded' });
	});
});
