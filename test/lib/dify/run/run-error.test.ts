/** What the error of a run says and advises: who failed, and whether the request is to blame. */
import { createRunError } from '../../../../lib/dify/run/run-error';
import type { ServerError } from '../../../../lib/errors/server-error';
import { EVENT_IDS, playEvents } from '../play-events';

const CONTEXT = { url: 'http://dify/v1/workflows/run', service: 'dify', secrets: [] } as const;
const RUN = { task_id: 't', workflow_run_id: 'r' };
const KEY_ADVICE = /key, quota and model/;

function play(...events: object[]): ServerError {
	const { result } = playEvents(...events);
	return createRunError({ ...result, error: result.error! }, CONTEXT);
}

const ended = (data: object) => ({
	event: 'node_finished',
	...RUN,
	data: { id: 'e', node_id: 'n', node_type: 'llm', title: 'Node', status: 'failed', ...data },
});
const finished = (error: string) => ({
	event: 'workflow_finished',
	...RUN,
	data: { id: 'r', status: 'failed', outputs: null, error },
});
const failNode = (error: string, type: string) =>
	play(ended({ node_type: type, title: 'Step', error }), finished(error));
const failChat = (message: string, fields: object = {}) =>
	play(
		{ event: 'agent_message', ...EVENT_IDS, answer: 'Let me look' },
		{ event: 'error', ...EVENT_IDS, code: 'invalid_param', status: 400, message, ...fields },
	);

describe('what fails after a run began is not the fault of a value in the request', () => {
	test.each([
		['Extra data: line 1 column 208 (char 207)', {}],
		["Expecting ',' delimiter: line 1 column 300 (char 299)", { code: undefined }],
		["'NoneType' object has no attribute 'content'", {}],
		['Ollama 响应格式错误', { code: 'bad_request' }],
	])('%s', (message, fields) => {
		const error = failChat(message, fields);
		expect(error).toMatchObject({ type: 'runFailed', message, partialText: 'Let me look' });
		expect(error.suggestion).toMatch(/logs of the app/);
	});

	test.each([
		['internal_server_error', 500, 'serverError'],
		['too_many_requests', 429, 'busy'],
		['provider_quota_exceeded', 400, 'providerQuotaExceeded'],
		['completion_request_error', 400, 'providerError'],
	])('%s stays what its code says', (code, status, type) => {
		expect(failChat('x', { code, status }).type).toBe(type);
	});

	test('what fails before a run began still is', () => {
		const error = play({ event: 'error', code: 'invalid_param', status: 400, message: 'Bad x' });
		expect(error.type).toBe('invalidParam');
	});
});

describe('a run of no steps has an ID, and Dify has stored none of it', () => {
	const failedStart = (data: object) =>
		play({
			event: 'workflow_finished',
			...RUN,
			data: { id: 'r', status: 'failed', outputs: null, error: 'topic is required', ...data },
		});

	test('so the inputs are named, and no logs; the IDs stay', () => {
		const error = failedStart({ total_steps: 0 });
		expect(error).toMatchObject({ type: 'runFailed', facts: { taskId: 't', workflowRunId: 'r' } });
		expect(error.suggestion).toMatch(/Correct the inputs/);
		expect(error.suggestion).not.toMatch(/[Oo]pen the run/);
	});

	test.each([{ total_steps: 1 }, {}])('other runs have logs: %p', (data) => {
		expect(failedStart(data).suggestion).toMatch(/Open the run in the logs/);
	});
});

describe('the node that is named failed first, not the iteration around it', () => {
	const around = (event: string, data: object) => ({
		event,
		...RUN,
		data: { id: 'i', node_id: 'each', title: 'Each row', ...data },
	});
	const inner = { id: 'f', node_type: 'http-request', title: 'Fetch' };

	test.each([
		['iteration', { iteration_id: 'each' }],
		['loop', { loop_id: 'each' }],
	])('in a failed %s', (event, place) => {
		const message = 'Request failed with status code 404';
		const failure = { status: 'failed', error: message };
		const error = play(
			around(`${event}_started`, {}),
			ended({ ...inner, ...place, error: message }),
			around(`${event}_completed`, failure),
			finished(message),
		);
		expect(error.facts).toMatchObject({ failedNode: 'Fetch', failedNodeType: 'http-request' });
		expect(error.detail).toContain('The node "Fetch"');
	});

	test('the iteration, if only its own error ended the run', () => {
		const error = play(
			ended({ ...inner, iteration_id: 'each', error: 'Other' }),
			around('iteration_completed', { status: 'failed', error: 'Invalid iterator value' }),
			finished('Invalid iterator value'),
		);
		expect(error.facts).toMatchObject({ failedNode: 'Each row' });
	});

	test('not one in an iteration that continued, whose error a later node repeats', () => {
		const error = play(
			ended({ ...inner, iteration_id: 'each', error: 'timeout' }),
			around('iteration_completed', { status: 'succeeded' }),
			ended({ id: 'g', title: 'Last', error: 'timeout' }),
			finished('timeout'),
		);
		expect(error.facts).toMatchObject({ failedNode: 'Last' });
	});
});

const TOOL_FAILURE = String.raw`{"args":{},"error_type":"Exception","message":"invoke tool failed: request failed with status code: 500 and respond with: {\n \"message\": \"Internal Server Error\",\n \"code\": \"unknown\"\n}\n"}`;

describe('a tool that fails is not the model', () => {
	test.each([
		[`Failed to transform agent message: PluginInvokeError: ${TOOL_FAILURE}`, 'agent'],
		[
			'Failed to invoke tool: PluginInvokeError: {"error_type":"HTTPError","message":"403 Client Error"}',
			'tool',
		],
		['req_id: 1 PluginInvokeError: {"error_type":"ValueError","message":"no results"}', 'tool'],
		['Failed to invoke tool bb: User not found', 'tool'],
	])('%s (%s)', (message, type) => {
		const error = failNode(message, type);
		expect(error.type).toBe('runFailed');
		if (type === 'tool') expect(error.suggestion).toMatch(/\btool\b/);
		expect(error.suggestion).not.toMatch(KEY_ADVICE);
	});

	test('the same plugin error of a model is', () => {
		const message = 'req_id: 1 PluginInvokeError: {"error_type":"ValueError","message":"x"}';
		expect(failNode(message, 'llm').type).toBe('providerError');
	});
});

describe('a request that a node gave up on is not said to be unreachable', () => {
	const URL_OF_NODE = 'http://10.0.0.7/api?x=1';
	test.each([
		[`Reached maximum retries (3) for URL ${URL_OF_NODE}`, 'http-request'],
		[`Reached maximum retries for URL ${URL_OF_NODE}`, 'http-request'],
		[`Run failed: Reached maximum retries (0) for URL ${URL_OF_NODE}`, 'tool'],
		[`Reached maximum retries (3) for URL ${URL_OF_NODE}`, 'knowledge-retrieval'],
	])('%s of a node %s', (text, type) => {
		const error = failNode(text, type);
		expect(error).toMatchObject({
			type: 'runFailed',
			message: text.replace(URL_OF_NODE, '…'),
		});
		expect(error.detail).toContain(URL_OF_NODE);
		expect(error.detail).toContain('The node "Step"');
		expect(error.suggestion).not.toContain('binary data');
	});

	test('an HTTP node requests from the containers of Dify', () => {
		expect(failNode(`xq ${URL_OF_NODE}`, 'http-request').suggestion).toMatch(
			/own containers.+SSRF/,
		);
	});
});

describe('an error of a model is one of its provider, also outside a plugin error', () => {
	test.each([
		["[openai] Rate Limit Error, Error code: 429 - {'error': {'message': 'No quota'}}", 'llm'],
		['Run failed: [models] Server Unavailable Error, No available providers', 'llm'],
		['[azure_openai] Bad Request Error, Unsupported parameter', 'question-classifier'],
		['[models] Error: API request failed with status code 429: busy', 'parameter-extractor'],
	])('%s', (text, type) => {
		expect(failNode(text, type)).toMatchObject({
			type: 'providerError',
			suggestion: expect.stringMatching(KEY_ADVICE) as string,
		});
	});

	test('a connection is one that Dify could not make', () => {
		expect(failNode('[ollama] Connection Error, refused', 'llm').type).toBe('providerUnreachable');
	});

	test('a rejected key is a key', () => {
		const text = '[openai] Incorrect model credentials provided, please check and try again.';
		expect(failNode(text, 'llm').type).toBe('providerKeyInvalid');
	});

	test.each([
		['[openai] Rate Limit Error, no quota', 'tool'],
		['[Errno 2] Error: no such file', 'code'],
		['Error in [openai] Rate Limit Error', 'code'],
	])('%s of a node %s is not', (text, type) => {
		expect(failNode(text, type).type).toBe('runFailed');
	});
});
