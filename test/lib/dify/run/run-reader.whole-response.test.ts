/** A whole response in place of a stream: what Dify calls blocking, as a gateway may turn a stream into it. */
import { readRun } from '../../../../lib/dify/run/run-reader';
import { createDifyClient } from '../../../../lib/dify/credentials';
import { getError } from '../../../support/jest/get-error';
import { ServerError } from '../../../../lib/errors/server-error';
import { sendJson, useServers } from '../../../support/servers/scripted-server';

const start = useServers();

const IDS = { task_id: 't', id: 'm', message_id: 'm', conversation_id: 'c', created_at: 1 };
const MESSAGE = {
	event: 'message',
	...IDS,
	mode: 'chat',
	answer: '<think>hm</think>A whole answer',
	metadata: { usage: { total_tokens: 3 }, retriever_resources: [{ content: 'x' }] },
};
const toRun = (data: object) => ({
	task_id: 't',
	workflow_run_id: 'r',
	data: { id: 'r', workflow_id: 'w', status: 'succeeded', outputs: { text: 'Hi' }, ...data },
});

/** @param idleMs - Longer than a busy machine takes, unless the run is to time out. */
async function read(body: unknown, idleMs = 60_000) {
	const { url } = await start((_request, response) => sendJson(response, body));
	const apiKey = `app-${'x'.repeat(24)}`;
	const client = createDifyClient({ baseUrl: `${url}/v1`, apiKey, keyType: 'app' });
	const request = { method: 'POST', url: client.buildUrl('/chat-messages'), json: { user: 'u' } };
	return await readRun(client, request as never, { timeouts: { idleMs } });
}

test.each(['chat', 'advanced-chat', 'agent-chat', 'completion'])(
	'a message of the mode %s is complete',
	async (mode) => {
		const result = await read({ ...MESSAGE, mode });
		expect(result).toMatchObject({
			status: 'succeeded',
			text: 'A whole answer',
			reasoning: 'hm',
			conversationId: 'c',
			messageId: 'm',
			usage: { total_tokens: 3 },
			retrieverResources: [{ content: 'x' }],
			warnings: [],
		});
	},
);

test.each([
	[{}, { status: 'succeeded' }],
	[{ status: 'partial-succeeded', exceptions_count: 1 }, { status: 'partial-succeeded' }],
	[{ status: 'stopped', error: 'Stopped by user.' }, { status: 'stopped' }],
	[
		{ status: 'paused', paused_nodes: ['n'], reasons: [], outputs: {} },
		{ status: 'paused', pause: { pausedNodes: ['n'] } },
	],
])('a workflow run with %j', async (data, expected) => {
	const result = await read(toRun(data));
	expect(result).toMatchObject({ workflowRunId: 'r', taskId: 't', ...expected });
	if (!('outputs' in data)) expect(result.workflow!.outputs).toEqual({ text: 'Hi' });
});

test('a failed workflow run is an error, though its status is 200', async () => {
	const error = await getError(read(toRun({ status: 'failed', error: 'No luck' })), ServerError);
	expect(error).toMatchObject({ type: 'runFailed', message: 'No luck', status: 200 });
});

test.each([
	['a message without its metadata', { ...MESSAGE, metadata: undefined }],
	['a message without its mode', { ...MESSAGE, mode: undefined }],
	['a run without an ID', { ...toRun({}), workflow_run_id: undefined }],
	['a run that continues', toRun({ status: 'running' })],
])('%s is not taken for complete', async (_case, body) => {
	const error = await getError(read(body, 500), ServerError);
	expect(['streamEndedEarly', 'runQueued', 'runTimeout', 'notAnApi']).toContain(error.type);
});
