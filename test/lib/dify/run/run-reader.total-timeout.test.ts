/** A run that the Total Timeout ends is stopped in Dify, in each state in which it can be. */
import { runWorkflow } from '../../../../lib/dify/run/run-workflow';
import { sendChatMessage } from '../../../../lib/dify/run/send-chat-message';
import { sendCompletionMessage } from '../../../../lib/dify/run/send-completion-message';
import type { DifyClient } from '../../../../lib/dify/client';
import type { RunRequest } from '../../../../lib/dify/run/start-run';
import { getError } from '../../../support/jest/get-error';
import { useClock } from '../../../guarantees/support/fake-clock';
import { json } from '../../../support/servers/scripted-server';
import type { Answer } from '../../../support/servers/scripted-server';
import { events, RUN, stream, TASK, useDify } from './scripted-dify';

const clock = useClock();
const startDify = useDify();
const TOTAL_MS = 30_000;

const MESSAGE = { inputs: {}, user: 'u', timeouts: { idleMs: 600_000, totalMs: TOTAL_MS } };
const STARTS: Readonly<
	Record<string, (client: DifyClient, request: RunRequest) => Promise<unknown>>
> = {
	'chat-messages': async (client, request) =>
		await sendChatMessage(client, { ...request, query: 'Hi', conversation: { type: 'new' } }),
	'completion-messages': async (client, request) => await sendCompletionMessage(client, request),
	workflows: async (client, request) => await runWorkflow(client, request),
};

const { text, thought, started, flowText } = events;
const running = json({ id: RUN, status: 'running' });
const failing = json({ code: 'unknown', message: 'x', status: 500 }, 500);

/** Which app, what of its run arrives, and what Dify says of it later. */
const STATES: ReadonlyArray<{
	what: string;
	app: string;
	answer: Answer;
	record?: Answer;
	onDeltas?: () => Promise<void>;
	/** Seconds until Dify is asked to stop the run. Default: the Total Timeout. */
	stoppedAfter?: number;
}> = [
	{ what: 'a message', app: 'chat-messages', answer: stream([text('Hi')], 'open') },
	{ what: 'an agent', app: 'chat-messages', answer: stream([thought('Hm')], 'open') },
	{ what: 'a chatflow', app: 'chat-messages', answer: stream([started, flowText('Hi')], 'open') },
	{ what: 'a text', app: 'completion-messages', answer: stream([text('Hi')], 'open') },
	{ what: 'a workflow', app: 'workflows', answer: stream([started], 'open') },
	{
		what: 'a workflow whose record cannot be read',
		app: 'workflows',
		answer: stream([started], 'open'),
		record: failing,
	},
	{ what: 'a workflow that broke off', app: 'workflows', answer: stream([started], 'break') },
	{ what: 'a workflow whose stream Dify ended', app: 'workflows', answer: stream([started]) },
	{
		what: 'a workflow that broke off, whose record never comes',
		app: 'workflows',
		answer: stream([started], 'break'),
		record: () => {},
		// The look-up of the record has a timeout of its own.
		stoppedAfter: 60,
	},
	{
		what: 'a workflow whose record never comes',
		app: 'workflows',
		answer: stream([started], 'open'),
		record: () => {},
		stoppedAfter: 40,
	},
	{
		what: 'a message whose display hangs',
		app: 'chat-messages',
		answer: stream([text('Hi')], 'open'),
		onDeltas: async () => await new Promise(() => {}),
	},
];

test.each(STATES)('$what is stopped', async (state) => {
	const { app, answer, record = running, onDeltas, stoppedAfter = TOTAL_MS / 1_000 } = state;
	const isWorkflow = app === 'workflows';
	const startedAt = performance.now();
	const stops: number[] = [];
	const { client } = await startDify({
		[`POST /v1/${isWorkflow ? 'workflows/run' : app}`]: answer,
		[`GET /v1/workflows/run/${RUN}`]: record,
		'GET /v1/messages': json({ data: [], has_more: false }),
		[`POST /v1/${isWorkflow ? 'workflows/tasks' : app}/${TASK}/stop`]: (request, response) => {
			stops.push(Math.round((performance.now() - startedAt) / 1_000));
			return json({ result: 'success' })(request, response);
		},
	});
	const failing = getError(STARTS[app]!(client, { ...MESSAGE, onDeltas }));
	expect((await clock.passUntil(failing)).type).toMatch(/^(?:runTimeout|streamEndedEarly)$/);
	await clock.pass(1_000);
	expect(stops).toEqual([stoppedAfter]);
});
