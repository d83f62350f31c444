/** What becomes of a run whose events end after any of them, by what Dify then has of it. */
import { readRun } from '../../../../lib/dify/run/run-reader';
import { expectApproved } from '../../../support/approved/approved-table';
import { awaitOutcome, combine } from '../../../support/approved/outcome';
import { useClock } from '../../../guarantees/support/fake-clock';
import { json } from '../../../support/servers/scripted-server';
import { events, IDS, RUN, stream, useDify } from './scripted-dify';
import path from 'node:path';

const clock = useClock();
const start = useDify();
const { started, flowText, finished, flowEnd, text, thought, messageEnd } = events;

/** Streams of events. */
const RUNS = {
	'a flow': [
		started,
		flowText('One '),
		flowText('two <th'),
		finished('succeeded', { outputs: { answer: 'One two <th' } }),
		flowEnd,
	],
	'a workflow': [
		{ ...started, conversation_id: undefined },
		{ event: 'text_chunk', workflow_run_id: RUN, task_id: 't', data: { text: 'One' } },
	],
	'a chat': [text('One '), text('two <think'), messageEnd],
	'an agent': [thought('Hm'), text('One '), messageEnd],
	nothing: [],
} as const;

/** What Dify has of the run. */
const RECORDS = {
	succeeded: json({
		id: RUN,
		status: 'succeeded',
		outputs: '{"answer":"One two <th","text":"One"}',
		finished_at: 5,
	}),
	failed: json({ id: RUN, status: 'failed', error: 'No memory' }),
	paused: json({ id: RUN, status: 'paused' }),
	gone: json({ code: 'not_found', message: 'Not found', status: 404 }, 404),
} as const;

test('each run, cut after each event', async () => {
	const cases = combine({
		run: Object.keys(RUNS) as Array<keyof typeof RUNS>,
		how: ['end', 'break'] as const,
		record: Object.keys(RECORDS) as Array<keyof typeof RECORDS>,
	}).flatMap((one) =>
		Array.from({ length: RUNS[one.run].length + 1 }, (_none, count) => ({ ...one, count })),
	);
	const rows = [];
	for (const { run, how, record, count } of cases.filter(
		(one) => one.run === 'a flow' || one.record !== 'paused',
	)) {
		const { server, client } = await start({
			'GET /v1/run': stream(RUNS[run].slice(0, count) as object[], how),
			[`GET /v1/workflows/run/${RUN}`]: RECORDS[record],
			'GET /v1/messages': json({
				data: [
					{
						id: IDS.message_id,
						answer: 'One two.',
						status: 'normal',
						agent_thoughts: [{ id: 'a1', thought: 'One two.' }],
					},
				],
				has_more: false,
			}),
		});
		const shown: string[] = [];
		const over = awaitOutcome(
			async () =>
				await readRun(
					client,
					{ url: client.buildUrl('/run'), method: 'GET' },
					{
						timeouts: { idleMs: 30_000, totalMs: 60_000 },
						onDeltas: async (deltas) =>
							void shown.push(
								...deltas.map(({ type, text: of }) => (type === 'append' ? of : `${type} ${of}`)),
							),
					},
				),
		);
		await clock.passUntil(over);
		const outcome = (await over) as
			| string
			| { status: string; text: string; reasoning: string; warnings: string[] };
		const result =
			typeof outcome === 'string'
				? outcome
				: [
						outcome.status,
						JSON.stringify(outcome.text),
						outcome.reasoning,
						...outcome.warnings,
					].join(' | ');
		const requests = server.requests.map(({ path: of }) => of.replace(/\?.*/, '')).slice(1);
		rows.push({
			input: `${run}, ${count} events, ${how}, ${record}`,
			outcome: [result, `shown ${JSON.stringify(shown)}`, requests.join(' ')]
				.join(' ; ')
				.replaceAll(server.url, 'SERVER')
				.replaceAll(RUN, 'RUN'),
		});
	}
	expectApproved(
		path.join(__dirname, 'run-reader.any-cut.approved.txt'),
		rows,
		'A cut run is followed to its end, never sent twice, and its text is kept',
	);
});
