/** The record of a run whose stream broke off: how long it may be missing, and how long the API may be unavailable. */
import { PAGES } from '../../../simulators/dify';
import { startScripted, type ScriptedServer } from '../../../simulators/scripted';
import { useSimulator } from '../../../simulators/use-simulator';
import { performance } from '../../../support/node-builtins';
import { getItemError } from '../../dify';
import { executeWorkflow } from '../workflow';

jest.mock('../../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../../support/mock-sleep'),
);

const RUN_ID = '11111111-2222-4333-8444-555555555555';
const STARTED = { event: 'workflow_started', task_id: 't', workflow_run_id: RUN_ID };
const SECOND = 1_000;

type RecordResponse = readonly [status: number, body: object | string];

const ENDED: RecordResponse = [200, { id: RUN_ID, status: 'succeeded', outputs: { text: 'yes' } }];
const RUNNING: RecordResponse = [200, { id: RUN_ID, status: 'running', outputs: null }];
const NO_RECORD: RecordResponse = [
	404,
	{ code: 'not_found', message: 'Workflow run not found', status: 404 },
];
/** Response of nginx while the API starts. */
const AWAY: RecordResponse = [502, PAGES.nginx502];

const startServer = useSimulator(startScripted);

/** A Dify that breaks off the stream, then returns these responses for the record, each for so many seconds. */
async function startLost(
	...responses: ReadonlyArray<readonly [answer: RecordResponse, forSeconds: number]>
) {
	let brokenAt = 0;
	return await startServer(({ method }, response) => {
		if (method === 'POST') {
			brokenAt = performance.now();
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.write(`data: ${JSON.stringify(STARTED)}\n\n`, () => response.destroy());
			return;
		}
		let remainingMs = performance.now() - brokenAt;
		const [recordResponse] = responses.find(
			([, seconds]) => (remainingMs -= seconds * SECOND) < 0,
		) ?? [ENDED];
		const [status, body] = recordResponse;
		const isPage = typeof body === 'string';
		response.writeHead(status, { 'content-type': isPage ? 'text/html' : 'application/json' });
		response.end(isPage ? body : JSON.stringify(body));
	});
}

async function executeLostRun({ url }: ScriptedServer, options: object = {}) {
	const [item] = await executeWorkflow(
		{ url: `${url}/v1` },
		{ continueOnFail: true, parameters: { options } },
	);
	return item!;
}

test.each([
	['there is no record yet', [[NO_RECORD, 8]]],
	['the API is unavailable after the stream ends', [[AWAY, 25]]],
	[
		'the API is unavailable later',
		[
			[RUNNING, 100],
			[AWAY, 15],
		],
	],
	[
		'the API is unavailable twice',
		[
			[RUNNING, 20],
			[AWAY, 15],
			[RUNNING, 20],
			[AWAY, 15],
		],
	],
	['the run continues for half an hour', [[RUNNING, 1_800]]],
] as Array<[string, Array<[RecordResponse, number]>]>)(
	'the run is recovered if %s',
	async (_name, responses) => {
		const server = await startLost(...responses);
		const { json: result } = await executeLostRun(server);
		expect(result).toMatchObject({ status: 'succeeded', outputs: { text: 'yes' } });
		expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
	},
);

test.each([
	['there is no record for 30 s', [[NO_RECORD, 30]]],
	['the API is unavailable for two minutes', [[AWAY, 120]]],
	[
		'the API becomes unavailable for two minutes',
		[
			[RUNNING, 20],
			[AWAY, 120],
		],
	],
] as Array<[string, Array<[RecordResponse, number]>]>)(
	'the run is lost if %s',
	async (_name, responses) => {
		const server = await startLost(...responses);
		const error = getItemError(await executeLostRun(server));
		expect(error).toMatchObject({ type: 'streamEndedEarly', workflowRunId: RUN_ID });
		expect(error).toMatchObject({ retryable: false });
	},
);

test('the Total Timeout ends the wait', async () => {
	const server = await startLost([RUNNING, 1_800]);
	const error = getItemError(await executeLostRun(server, { totalTimeout: 60 }));
	expect(error).toMatchObject({ workflowRunId: RUN_ID });
});
