/** A followed run whose stream sends only pings is looked up by its record. */
import type * as http from 'node:http';
import { setImmediate } from 'node:timers';
import { followRun } from '../../../../lib/dify/run/follow-run';
import type { RunResult } from '../../../../lib/dify/types';
import { asServerErrorOrThrow } from '../../../../lib/errors/server-error';
import type { ServerError } from '../../../../lib/errors/server-error';
import { useClock } from '../../../guarantees/support/fake-clock';
import { openStream, send } from '../../../guarantees/support/responses';
import { json } from '../../../support/servers/scripted-server';
import type { Answer } from '../../../support/servers/scripted-server';
import { events, RUN, stream, useDify } from './scripted-dify';

const clock = useClock();
const startDify = useDify();
const RECORD = `GET /v1/workflows/run/${RUN}`;
const EVENTS = `GET /v1/workflow/${RUN}/events`;
const { started, finished } = events;
const form = {
	event: 'workflow_paused',
	workflow_run_id: RUN,
	data: {
		status: 'paused',
		reasons: [{ TYPE: 'human_input_required', form_id: 'f', node_id: 'n', form_token: null }],
	},
};
const record = (status: string, more: object = {}) => json({ id: RUN, status, ...more });
const rejected = json({ code: 'unauthorized', message: 'x', status: 401 }, 401);
const down = json('<html></html>', 502);

/** One answer for each request, the last one for all further ones. */
function inTurn(...answers: Answer[]): Answer {
	return async (request, response) => {
		const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
		await answer(request, response);
	};
}

interface Following {
	outcome: RunResult | ServerError | undefined;
	/** Look-ups of the record. */
	lookups: number;
}

async function follow(
	minutes: number,
	answers: { stream: Answer; record: Answer },
	continueAfterPause = false,
): Promise<Following> {
	const controller = new AbortController();
	const { client, server } = await startDify(
		{ [EVENTS]: answers.stream, [RECORD]: answers.record },
		controller.signal,
	);
	let outcome: Following['outcome'];
	const timeouts = { idleMs: 0, totalMs: 0 };
	const following = followRun(client, { runId: RUN, user: 'u', timeouts, continueAfterPause }).then(
		(result) => (outcome = result),
		(error: unknown) => (outcome = asServerErrorOrThrow(error)),
	);
	for (let seconds = 0; seconds < minutes * 60 && outcome === undefined; seconds += 5) {
		await clock.pass(5_000);
		await new Promise((resolve) => setImmediate(resolve));
	}
	const lookups = server.requests.filter(({ path }) => path.includes('/workflows/run/')).length;
	const found = outcome;
	controller.abort();
	await clock.passUntil(following);
	return { outcome: found, lookups };
}

const silent = stream([started], 'open');

test.each([
	['succeeded', { outputs: '{"answer":"Done"}' }, { status: 'succeeded', text: 'Done' }],
	['stopped', {}, { status: 'stopped' }],
	['failed', { error: 'Bad node' }, { type: 'runFailed' }],
])('its record says %s: it ends within a minute', async (status, more, expected) => {
	const { outcome } = await follow(1.1, { stream: silent, record: record(status, more) });
	expect(outcome).toMatchObject(expected);
});

test.each([
	['running', record('running')],
	['scheduled', record('scheduled')],
	['rejected', rejected],
	['not reached', down],
])('its record is %s: the run is waited for, with one look-up a minute', async (_name, answer) => {
	const { outcome, lookups } = await follow(5, { stream: silent, record: answer });
	expect(outcome).toBeUndefined();
	expect(lookups).toBeGreaterThanOrEqual(4);
	expect(lookups).toBeLessThanOrEqual(5);
});

test('it is found after look-ups that failed', async () => {
	const answer = inTurn(rejected, down, record('succeeded', { outputs: '{"answer":"Late"}' }));
	const { outcome } = await follow(4, { stream: silent, record: answer });
	expect(outcome).toMatchObject({ status: 'succeeded', text: 'Late' });
});

test('it paused again: its form is told', async () => {
	const answers = { stream: inTurn(silent, stream([started, form])), record: record('paused') };
	const { outcome } = await follow(1.5, answers);
	expect(outcome).toMatchObject({ status: 'paused', pause: { forms: [{ formId: 'f' }] } });
});

test('it waits for a form that is known: it is waited for', async () => {
	const answers = { stream: stream([started, form], 'open'), record: record('paused') };
	expect((await follow(3, answers, true)).outcome).toBeUndefined();
});

test('a run that is told by its stream is not looked up', async () => {
	const told = stream([started, finished('succeeded', { outputs: { text: 'a' } }), events.flowEnd]);
	expect(await follow(3, { stream: told, record: rejected })).toMatchObject({
		outcome: { status: 'succeeded' },
		lookups: 0,
	});
});

test.each(['succeeded', 'failed', 'stopped', 'paused'])(
	'an event that arrives during a look-up counts, not the older record: %s',
	async (status) => {
		let run: http.ServerResponse | undefined;
		const held: Answer = (_request, response) => {
			run = response;
			openStream(response);
			send(response, started);
		};
		const lateRecord: Answer = async (request, response) => {
			send(run!, events.flowText('It goes on. '));
			await clock.pass(1_000);
			await record(status, { outputs: '{"answer":"Older"}' })(request, response);
			await clock.pass(1_000);
			send(run!, events.flowText('Done.'), finished('succeeded', { outputs: {} }), events.flowEnd);
			run!.end();
		};
		const { outcome } = await follow(3, { stream: held, record: lateRecord });
		expect(outcome).toMatchObject({ status: 'succeeded', text: 'It goes on. Done.' });
	},
);
