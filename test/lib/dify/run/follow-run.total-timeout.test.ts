/** The total timeout of a followed run is one for all attachments, however often the run pauses meanwhile. */
import type * as http from 'node:http';
import { setImmediate } from 'node:timers';
import fc from 'fast-check';
import { followRun } from '../../../../lib/dify/run/follow-run';
import { asServerErrorOrThrow, ServerError } from '../../../../lib/errors/server-error';
import { useClock } from '../../../guarantees/support/fake-clock';
import { openStream, send } from '../../../guarantees/support/responses';
import { examples } from '../../../support/jest/properties';
import { json } from '../../../support/servers/scripted-server';
import type { Answer } from '../../../support/servers/scripted-server';
import { events, RUN, useDify } from './scripted-dify';

const clock = useClock();
const startDify = useDify();

const PAUSE = {
	event: 'workflow_paused',
	workflow_run_id: RUN,
	data: {
		status: 'paused',
		reasons: [{ TYPE: 'human_input_required', form_id: 'f', node_id: 'n', form_token: 'token' }],
	},
};
const SUBMITTED = json({ code: 'human_input_form_submitted', message: 'x', status: 412 }, 412);
const STEP_MS = 1_000;

/** A stream that pauses after some time; without a time it stays open, silently. */
const toStream =
	(pauseMs: number | undefined): Answer =>
	(_request: unknown, response: http.ServerResponse) => {
		openStream(response);
		send(response, events.started);
		const pause = () => {
			send(response, PAUSE);
			response.end();
		};
		if (pauseMs !== undefined) setTimeout(pause, pauseMs);
	};

test('any pauses whose forms were submitted, then silence: the error comes at the total timeout', async () => {
	const pauses = fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 4 });
	await fc.assert(
		fc.asyncProperty(pauses, async (seconds) => {
			const streams = [...seconds.map((one) => toStream(one * 1_000)), toStream(undefined)];
			const totalMs = 40_000;
			const { client } = await startDify({
				[`GET /v1/workflow/${RUN}/events`]: async (request, response) => {
					await (streams.length > 1 ? streams.shift()! : streams[0]!)(request, response);
				},
				'GET /v1/form/human_input/token': SUBMITTED,
				[`GET /v1/workflows/run/${RUN}`]: json({ id: RUN, status: 'running' }),
			});
			let outcome: unknown;
			const timeouts = { idleMs: 600_000, totalMs };
			const following = followRun(client, { runId: RUN, user: 'u', timeouts }).then(
				(result) => (outcome = result),
				(error: unknown) => (outcome = asServerErrorOrThrow(error)),
			);
			let passedMs = 0;
			for (; outcome === undefined && passedMs < 3 * totalMs; passedMs += STEP_MS) {
				await clock.pass(STEP_MS);
				await new Promise((resolve) => setImmediate(resolve));
			}
			await clock.passUntil(following);
			expect(outcome).toBeInstanceOf(ServerError);
			expect(outcome).toMatchObject({ type: 'runTimeout' });
			// Not before it, and not as late as a second one.
			expect(passedMs).toBeGreaterThan(totalMs - STEP_MS);
			expect(passedMs).toBeLessThan(totalMs + 5 * STEP_MS);
		}),
		examples(12),
	);
});

test.each([10_000, 20_000])('silence of %d ms ends it, without a total timeout', async (idleMs) => {
	const { client } = await startDify({
		[`GET /v1/workflow/${RUN}/events`]: toStream(undefined),
		[`GET /v1/workflows/run/${RUN}`]: json({ id: RUN, status: 'running' }),
	});
	let outcome: unknown;
	const timeouts = { idleMs, totalMs: 0 };
	const following = followRun(client, { runId: RUN, user: 'u', timeouts }).catch(
		(error: unknown) => (outcome = asServerErrorOrThrow(error)),
	);
	await clock.pass(idleMs - STEP_MS);
	expect(outcome).toBeUndefined();
	await clock.pass(2 * STEP_MS);
	await clock.passUntil(following);
	expect(outcome).toMatchObject({
		type: 'runTimeout',
		detail: expect.stringContaining(`${idleMs / 1_000} s`),
	});
});
