/** Dify's Python writes numbers that no JSON has, and whole numbers that JavaScript would round. */
import { getRecord } from '../../../../lib/dify/run/record';
import { runWorkflow } from '../../../../lib/dify/run/workflow';
import { events, startScripted, type Script } from '../../../servers/scripted';
import { useSimulator } from '../../../servers/use-simulator';
import { clientOf, say, UNKNOWN_ID as RUN } from '../client';

const start = useSimulator(startScripted);

/** As Python writes it, and as it is given. */
const WRITTEN =
	'{"score": NaN, "most": Infinity, "least": -Infinity, "id": 12345678901234567890, "said": "NaN", "n": 7}';
const GIVEN = {
	score: 'NaN',
	most: 'Infinity',
	least: '-Infinity',
	id: '12345678901234567890',
	said: 'NaN',
	n: 7,
};
const NOTE =
	'No number of JavaScript holds NaN, Infinity, -Infinity, 12345678901234567890 exactly: kept as text.';

const started = `data: {"event":"workflow_started","task_id":"t","workflow_run_id":"${RUN}","data":{"id":"${RUN}"}}\n\n`;
const run = `"id":"${RUN}","workflow_id":"w","status":"succeeded"`;
const finished = `data: {"event":"workflow_finished","task_id":"t","workflow_run_id":"${RUN}","data":{${run},"outputs":${WRITTEN}}}\n\n`;
const json =
	(text: string): Script =>
	(_request, response) => {
		response.writeHead(200, { 'content-type': 'application/json' });
		response.end(text);
	};

async function workflow(script: Script) {
	const server = await start(script);
	const client = clientOf(server, 'workflow');
	return await runWorkflow(
		client,
		{ inputs: {}, user: 'u' },
		{ waits: { looksMs: [5], pauseMs: 5 } },
	);
}

test.each<[string, Script]>([
	['in a stream', (_request, response) => events(response, started + finished)],
	[
		'in a whole answer',
		json(`{"task_id":"t","workflow_run_id":"${RUN}","data":{${run},"outputs":${WRITTEN}}}`),
	],
])('%s: texts, and it is said', async (_name, script) => {
	const result = await workflow(script);
	expect(result).toMatchObject({ status: 'succeeded', workflow: { outputs: GIVEN } });
	expect(result.warnings).toEqual([NOTE]);
});

test.each([
	['as it is', WRITTEN],
	['as JSON in a text, from 1.12', JSON.stringify(WRITTEN)],
])('in a record, %s: texts, and the client knows of them', async (_name, outputs) => {
	const client = clientOf(await start(json(`{${run},"outputs":${outputs}}`)), 'workflow');
	const record = await getRecord(client, RUN);
	expect(record.outputs).toEqual(GIVEN);
	expect([...client.withSignal(undefined).execution.inexact]).toHaveLength(4);
});

test('in the record of a run whose stream broke off', async () => {
	const result = await workflow(({ path }, response) => {
		if (path.includes('/events'))
			json('{"code":"not_found","message":"x","status":404}')({} as never, response);
		else if (path.includes('/workflows/run/'))
			json(`{${run},"outputs":${WRITTEN}}`)({} as never, response);
		else events(response, started);
	});
	expect(result.workflow?.outputs).toEqual(GIVEN);
});

test('in the usage of a chat', async () => {
	const end = `{"event":"message_end","id":"m","message_id":"m","conversation_id":"c","task_id":"t","metadata":{"usage":{"total_tokens":3,"latency":NaN}}}`;
	const server = await start((_request, response) => events(response, `data: ${end}\n\n`));
	const { result } = await say(clientOf(server));
	expect(result.usage).toEqual({ total_tokens: 3, latency: 'NaN' });
	expect(result.warnings[0]).toContain('NaN');
});

const event = (name: string, data: string) =>
	`data: {"event":"${name}","task_id":"t","workflow_run_id":"${RUN}","data":${data}}\n\n`;
const good = event('workflow_finished', `{${run},"outputs":{"a":1}}`);
const BIG = '9007199254740993';

test.each<[string, string, object]>([
	[
		'outputs of a node',
		event('node_finished', `{"id":"n","outputs":{"x":NaN}}`),
		{ nodes: [{ outputs: { x: 'NaN' } }] },
	],
	[
		'inputs of a node',
		event('node_started', `{"id":"n","inputs":{"x":${BIG}}}`),
		{ nodes: [{ inputs: { x: BIG } }] },
	],
	[
		'what a node did',
		event('node_finished', `{"id":"n","process_data":[-Infinity]}`),
		{ nodes: [{ processData: ['-Infinity'] }] },
	],
	[
		'a pass of an iteration',
		event('iteration_completed', `{"id":"i","outputs":[${BIG},1]}`),
		{ nodes: [{ outputs: [BIG, 1] }] },
	],
	[
		'the log of an agent',
		event('agent_log', `{"id":"l","data":{"n":${BIG}}}`),
		{ agentLogs: [{ data: { n: BIG } }] },
	],
	[
		'a time of Dify',
		event('node_finished', `{"id":"n","elapsed_time":NaN}`),
		{ nodes: [{ status: 'succeeded' }] },
	],
	[
		'deep inside',
		event('node_finished', `{"id":"n","outputs":{"a":[{"b":[NaN]}]}}`),
		{ nodes: [{ outputs: { a: [{ b: ['NaN'] }] } }] },
	],
])('relatives: %s', async (_name, told, expected) => {
	const {
		workflow: read,
		warnings,
		status,
	} = await workflow((_request, response) => events(response, started + told + good));
	expect({ status, read }).toMatchObject({
		status: 'succeeded',
		read: { ...expected, outputs: { a: 1 } },
	});
	expect(warnings).toEqual([expect.stringContaining('kept as text')]);
});

test.each([
	['an event that is cut', 'data: {"event":"workflow_finished","data":{"outputs":{"a":1}\n\n'],
	['an event of words', 'data: Internal Server Error\n\n'],
	['no event at all', ''],
])('relatives: %s in place of the end, and a good record', async (_name, told) => {
	const result = await workflow(({ method, path }, response) => {
		if (path.includes('/events'))
			json('{"code":"not_found","message":"x","status":404}')({} as never, response);
		else if (method === 'GET') json(`{${run},"outputs":{"a":1}}`)({} as never, response);
		else events(response, started + told);
	});
	expect(result).toMatchObject({ status: 'succeeded', workflow: { outputs: { a: 1 } } });
});
