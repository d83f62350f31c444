/** The record of a run whose stream broke off: how long it may be missing, and how long the API may be unavailable. */
import { PAGES } from '../../../simulators/dify';
import { startScripted, type ScriptedServer } from '../../../simulators/scripted';
import { useSimulator } from '../../../simulators/use-simulator';
import { performance } from '../../../support/node-builtins';
import { errorIn } from '../../dify';
import { work } from '../workflow';

jest.mock('../../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../../support/mock-sleep'),
);

const RUN_ID = '11111111-2222-4333-8444-555555555555';
const STARTED = { event: 'workflow_started', task_id: 't', workflow_run_id: RUN_ID };
const SECOND = 1_000;

type Answer = readonly [status: number, body: object | string];

const ENDED: Answer = [200, { id: RUN_ID, status: 'succeeded', outputs: { text: 'yes' } }];
const RUNNING: Answer = [200, { id: RUN_ID, status: 'running', outputs: null }];
const NO_RECORD: Answer = [
	404,
	{ code: 'not_found', message: 'Workflow run not found', status: 404 },
];
/** Response of nginx while the API starts. */
const AWAY: Answer = [502, PAGES.nginx502];

const startServer = useSimulator(startScripted);

/** A Dify that breaks off the stream, then returns these responses for the record, each for so many seconds. */
async function startLost(...answers: ReadonlyArray<readonly [answer: Answer, forSeconds: number]>) {
	let brokenAt = 0;
	return await startServer(({ method }, response) => {
		if (method === 'POST') {
			brokenAt = performance.now();
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.write(`data: ${JSON.stringify(STARTED)}\n\n`, () => response.destroy());
			return;
		}
		let left = performance.now() - brokenAt;
		const [answer] = answers.find(([, seconds]) => (left -= seconds * SECOND) < 0) ?? [ENDED];
		const [status, body] = answer;
		const isPage = typeof body === 'string';
		response.writeHead(status, { 'content-type': isPage ? 'text/html' : 'application/json' });
		response.end(isPage ? body : JSON.stringify(body));
	});
}

async function resultOf({ url }: ScriptedServer, options: object = {}) {
	const [item] = await work(
		{ url: `${url}/v1` },
		{ continueOnFail: true, parameters: { options } },
	);
	return item!;
}

test.each([
	['there is no record yet', [[NO_RECORD, 8]]],
	['the API is away from the break on', [[AWAY, 25]]],
	[
		'the API is away later',
		[
			[RUNNING, 100],
			[AWAY, 15],
		],
	],
	[
		'the API is away twice',
		[
			[RUNNING, 20],
			[AWAY, 15],
			[RUNNING, 20],
			[AWAY, 15],
		],
	],
	['the run continues for half an hour', [[RUNNING, 1_800]]],
] as Array<[string, Array<[Answer, number]>]>)('is waited for: %s', async (_name, answers) => {
	const server = await startLost(...answers);
	const { json: result } = await resultOf(server);
	expect(result).toMatchObject({ status: 'succeeded', outputs: { text: 'yes' } });
	expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
});

test.each([
	['there is no record for 30 s', [[NO_RECORD, 30]]],
	['the API is away for two minutes', [[AWAY, 120]]],
	[
		'the API goes away for two minutes',
		[
			[RUNNING, 20],
			[AWAY, 120],
		],
	],
] as Array<[string, Array<[Answer, number]>]>)('is given up: %s', async (_name, answers) => {
	const server = await startLost(...answers);
	const failed = errorIn(await resultOf(server));
	expect(failed).toMatchObject({ type: 'streamEndedEarly', workflowRunId: RUN_ID });
	expect(failed).toMatchObject({ retryable: false });
});

test('the Total Timeout ends the wait', async () => {
	const server = await startLost([RUNNING, 1_800]);
	const failed = errorIn(await resultOf(server, { totalTimeout: 60 }));
	expect(failed).toMatchObject({ workflowRunId: RUN_ID });
});
