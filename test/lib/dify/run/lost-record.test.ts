/** Runs whose stream breaks before the end of the run, and without a record in Dify. */
import { AWAITS_SECOND_END } from '../../../../lib/dify/events/termination';
import { followRun } from '../../../../lib/dify/run/follow';
import { chat } from '../../../../lib/dify/run/chat';
import { runWorkflow } from '../../../../lib/dify/run/workflow';
import { events, json, sse, startScripted, type Script } from '../../../servers/scripted';
import { delay, type http } from '../../../support/node';
import { useSimulator } from '../../../servers/use-simulator';
import { clientOf, failureOf, UNKNOWN_ID as RUN } from '../client';

const start = useSimulator(startScripted);
const FAST = { waits: { looksMs: [5], pauseMs: 5, maxPauseMs: 20, unknownMs: 60 } };
const UNKNOWN = { code: 'not_found', message: 'Workflow run not found.', status: 404 };

const of = (event: string, data: object = {}, more: object = {}) => ({
	event,
	task_id: 't',
	workflow_run_id: RUN,
	data: { id: RUN, ...data },
	...more,
});
const STARTED = of('workflow_started');
const NODE = of('node_finished', {
	id: 'n',
	node_id: 'n',
	title: 'Ask',
	status: 'succeeded',
	outputs: { a: 1 },
});
const TEXT = { ...of('message'), answer: 'all of it', conversation_id: 'c', message_id: 'm' };
const END = of('message_end', {}, { id: 'm', metadata: { usage: { total_tokens: 3 } } });
const FINISHED = {
	...of('workflow_finished', { status: 'succeeded', outputs: { answer: 'all of it' } }),
	conversation_id: 'c',
	message_id: 'm',
};

async function repeat(
	response: http.ServerResponse,
	times: number,
	everyMs: number,
	piece: (sent: number) => string,
) {
	for (let sent = 0; sent < times && !response.destroyed; sent++) {
		await delay(everyMs);
		response.write(piece(sent));
	}
}

/** A Dify that has forgotten the run: its streams end, or ping, behind these events. */
const forgetful =
	(sent: object[], { open = false, events: attached = UNKNOWN as object } = {}): Script =>
	({ method, path }, response) => {
		if (method === 'GET' && path.includes('/events')) json(response, attached, 404);
		else if (method === 'GET') json(response, UNKNOWN, 404);
		else if (path.endsWith('/stop')) json(response, { result: 'success' });
		else if (!open) events(response, sse(...sent));
		else {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.write(sse(...sent));
			void repeat(response, 1_000, 5, () => 'event: ping\n\n');
		}
	};

async function ask(script: Script, mode: 'workflow' | 'advanced-chat') {
	const client = clientOf(await start(script), mode);
	if (mode === 'workflow') return await runWorkflow(client, { inputs: {}, user: 'u' }, FAST);
	const request = { query: 'hi', user: 'u', conversation: { kind: 'new' as const }, inputs: {} };
	return (await chat(client, request, FAST)).result;
}

beforeEach(() => {
	jest.replaceProperty(AWAITS_SECOND_END as { closeAfterMs: number }, 'closeAfterMs', 60);
});

test.each<[string, 'workflow' | 'advanced-chat', object[], string | undefined]>([
	['a workflow that only began', 'workflow', [STARTED], undefined],
	['a workflow without its end', 'workflow', [STARTED, NODE], undefined],
	['a chatflow without both ends', 'advanced-chat', [STARTED, TEXT, NODE], 'all of it'],
	['a chatflow without workflow_finished', 'advanced-chat', [STARTED, TEXT, END], 'all of it'],
])(
	'%s: the error has the text so far, and says that the outcome is unknown',
	async (_name, mode, sent, partialText) => {
		const failed = await failureOf(ask(forgetful(sent), mode));
		expect(failed).toMatchObject({
			kind: 'streamEndedEarly',
			partialText,
			facts: { workflowRunId: RUN },
		});
		expect(failed.remedy).toContain('nobody knows how it ended');
		expect(failed.remedy).not.toContain('operation Follow');
	},
);

test.each([
	['the stream ends', false],
	['the stream pings for ever', true],
])(
	'a chatflow that Dify called succeeded is a result without message_end: %s',
	async (_name, open) => {
		const result = await ask(forgetful([STARTED, TEXT, FINISHED], { open }), 'advanced-chat');
		expect(result).toMatchObject({ status: 'succeeded', text: 'all of it' });
		expect(result.warnings.join()).toContain('no record of it');
	},
);

test('a chatflow that pings for ever behind message_end does not wait for the Progress Limit', async () => {
	const failed = await failureOf(
		ask(forgetful([STARTED, TEXT, END], { open: true }), 'advanced-chat'),
	);
	expect(failed).toMatchObject({ kind: 'streamEndedEarly', partialText: 'all of it' });
});

test('a 404 of a proxy while the API restarts does not mean that the run is gone', async () => {
	let asked = 0;
	const client = clientOf(
		await start(({ method, path }, response) => {
			if (method !== 'GET') return events(response, sse(STARTED, NODE));
			if (!path.includes('/events') && asked++ > 8)
				return json(response, { id: RUN, status: 'succeeded', outputs: { a: 1 } });
			response.writeHead(404, { 'content-type': 'text/plain' });
			response.end('404 page not found');
		}),
		'workflow',
	);
	const waits = { ...FAST.waits, unknownMs: 1 };
	const result = await runWorkflow(client, { inputs: {}, user: 'u' }, { waits });
	expect(result).toMatchObject({ status: 'succeeded', workflow: { outputs: { a: 1 } } });
});

test('a record that appears after a while is waited for', async () => {
	let asked = 0;
	const client = clientOf(
		await start(({ path }, response) => {
			if (path.includes('/events') || asked++ < 3) return json(response, UNKNOWN, 404);
			json(response, { id: RUN, status: 'succeeded', outputs: { a: 1 } });
		}),
		'workflow',
	);
	const result = await followRun(client, RUN, 'u', {
		waits: { ...FAST.waits, unknownMs: 5_000 },
		recovery: 'attachOrPoll',
	});
	expect(result.workflow?.outputs).toEqual({ a: 1 });
});

const RECORD = { id: RUN, outputs: { answer: 'all of it' } };
const REFUSED = { code: 'not_workflow_app', message: 'Not for this app', status: 400 };
type Answer = (response: http.ServerResponse) => void;
const answers =
	(body: object, status: number): Answer =>
	(response) =>
		void json(response, body, status);

/** A Dify whose streams are lost, and whose later answers to an attachment and to looks are these; the last repeats. */
const losing =
	(attach: Answer, looks: Answer[]): Script =>
	({ method, path }, response) => {
		if (method !== 'GET') return void events(response, sse(STARTED, TEXT));
		if (path.includes('/events')) return attach(response);
		const look = looks.length > 1 ? looks.shift()! : looks[0]!;
		look(response);
	};

describe('a lost run that cannot be attached to', () => {
	const running = answers({ ...RECORD, status: 'running' }, 200);
	const succeeded = answers({ ...RECORD, status: 'succeeded' }, 200);
	const broken = answers({ code: 'internal_server_error', message: 'Oh', status: 500 }, 500);
	const attachments: Array<[string, Answer]> = [
		['unknown to the events route', answers(UNKNOWN, 404)],
		['broken', broken],
		['without the route', answers({}, 404)],
	];
	const MODES = ['workflow', 'advanced-chat'] as const;
	const cases = attachments.flatMap(([name, attach]) =>
		MODES.map((mode) => [name, mode, attach] as const),
	);

	test.each(cases)('%s, %s: its record is waited for', async (_name, mode, attach) => {
		const result = await ask(losing(attach, [running, broken, running, succeeded]), mode);
		expect(result).toMatchObject({ status: 'succeeded', workflow: { outputs: RECORD.outputs } });
	});

	test.each(cases)('%s, %s: a refused look is the end', async (_name, mode, attach) => {
		const failed = await failureOf(ask(losing(attach, [answers(REFUSED, 400)]), mode));
		expect(failed).toMatchObject({ kind: 'streamEndedEarly', facts: { workflowRunId: RUN } });
	});

	test.each(MODES)('%s: one that no look shows is given up', async (mode) => {
		const client = clientOf(await start(losing(broken, [broken])), mode);
		const request = { inputs: {}, user: 'u', query: 'hi', conversation: { kind: 'new' as const } };
		const options = { waits: { ...FAST.waits, unseenMs: 200 } };
		const run =
			mode === 'workflow' ? runWorkflow(client, request, options) : chat(client, request, options);
		expect(await failureOf(run)).toMatchObject({ kind: 'streamEndedEarly' });
	});
});
