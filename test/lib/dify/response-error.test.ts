import { toDifyResponseError } from '../../../lib/dify/response-error';
import { createRunError } from '../../../lib/dify/run/run-error';
import { playEvents } from './play-events';
import { createDifyClient } from '../../../lib/dify/credentials';
import { toResponseError } from '../../../lib/http/request-errors';

const CONTEXT = { url: 'http://dify/v1/chat-messages', service: 'dify', secrets: [] } as const;

function parseResponse(json: object, status = 400) {
	const response = { url: CONTEXT.url, status, headers: {}, text: JSON.stringify(json) };
	return toDifyResponseError(response, CONTEXT);
}

const parseError = (code: string, message: string, status = 400) =>
	parseResponse({ code, message, status }, status)!;

describe('an error body is recognized with any code', () => {
	test.each([
		['brand_new_code', 400, 'invalidParam'],
		['brand_new_code', 404, 'notFound'],
		['brand_new_code', 429, 'busy'],
		['brand_new_code', 502, 'serverError'],
		['brand_new_code', 503, 'serverError'],
		['service_unavailable', 503, 'serverError'],
		['trigger_workflow_service_mode_unavailable', 400, 'startsWithTrigger'],

		['agent_version_not_found_error', 404, 'workflowVersionNotFound'],
		['vector_space_estimate_exceeded', 403, 'planLimitReached'],
	])('%s with %i is %s, with the message of Dify as title', (code, status, type) => {
		const error = parseResponse({ code, message: 'Its own message.', status }, status);
		expect(error).toMatchObject({ type, code, status, message: 'Its own message' });
		expect(error!.suggestion).not.toMatch(/Base URL|dropped its body|docker compose ps\)/);
	});

	test('without a message, the suggestion names what to check', () => {
		expect(parseResponse({ code: 'invalid_param', message: '' })).toMatchObject({
			message: 'Dify rejected a value in the request',
			suggestion: expect.stringMatching(
				/^Dify returned no reason\. .*type and size of files/,
			) as string,
		});
	});

	test('an error with status 200 from a proxy is recognized', () => {
		const error = parseResponse(
			{ code: 'not_found', message: 'Conversation Not Exists.', status: 404 },
			200,
		);
		expect(error).toMatchObject({ type: 'notFound', status: 404 });
	});

	test('an error with status 200 that names no other has this one', () => {
		const error = parseResponse({ code: 'not_found', message: 'Conversation Not Exists.' }, 200);
		expect(error).toMatchObject({ code: 'not_found', status: 200 });
	});

	test('a body without code or message is not a Dify error', () => {
		expect(parseResponse({ detail: 'Not Found' }, 404)).toBeUndefined();
		expect(parseResponse({ error: { message: 'x' } })).toBeUndefined();
	});
});

describe('texts of codes with many causes', () => {
	test.each([
		['Model notthere not exist.', 'providerModelNotFound'],
		['Model gpt-x does not exist', 'providerModelNotFound'],
		['schema does not exist', 'providerModelNotFound'],
		['Provider langgenius/openai/openai does not exist.', 'providerNotInstalled'],
		['relation "embedding_vector_index_7896e6f3" does not exist', 'invalidParam'],
		['[OpenAI-API-compatible] Error: ', 'pluginDaemonError'],
	])('"%s" is %s', (message, type) => {
		expect(parseError('invalid_param', message).type).toBe(type);
	});

	test('the innermost message of a model is the title', () => {
		const inner = '[models] Error: API request failed: {"error":{"message":"no such model"}}';
		const message = `req_id: 7290e79a93 PluginInvokeError: ${JSON.stringify({ error_type: 'InvokeError', message: inner })}`;
		const error = parseError('invalid_param', message);
		expect(error).toMatchObject({
			type: 'providerError',
			message: 'API request failed: no such model',
		});
	});

	test('SQL and sent values are omitted', () => {
		const validationErrors =
			'1 validation error for ChatPayload\nuser\n  Field required [type=missing, input_value={"q": "private"}, input_type=dict]';
		expect(parseError('invalid_param', validationErrors).serverText).toBe('user: Field required');
		const sql = 'bad value\n[SQL: SELECT 1]';
		expect(parseError('invalid_param', sql).serverText).toBe('bad value');
	});
});

function failRun(error: string, type: string, title = 'Fetch') {
	const node = { id: '1', node_id: 'n', node_type: type, title };
	const { result } = playEvents(
		{ event: 'workflow_started', task_id: 't', workflow_run_id: 'r', data: { id: 'r' } },
		{ event: 'node_finished', task_id: 't', data: { ...node, status: 'failed', error } },
		{ event: 'workflow_finished', task_id: 't', data: { id: 'r', status: 'failed', error } },
	);
	return createRunError({ ...result, error: result.error! }, CONTEXT);
}

test('the error names the node whose model failed', () => {
	const error = 'req_id: 1 PluginInvokeError: {"error_type":"InvokeError","message":"too slow"}';
	expect(failRun(error, 'llm', 'Answer')).toMatchObject({
		type: 'providerError',
		message: 'too slow',
		detail: 'too slow. The node "Answer" (llm) failed in Dify',
		facts: { failedNode: 'Answer', failedNodeType: 'llm', workflowRunId: 'r' },
	});
});

const getPool = (host: string, port: number) =>
	`HTTPConnectionPool(host='${host}', port=${port}): Max retries exceeded with url: /v1/chat (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f>: Failed to establish a new connection: [Errno 111] Connection refused'))`;

describe('a model that Dify cannot reach', () => {
	test.each([
		[
			'provider_not_initialize',
			`[openai_api_compatible] Error: req_id: 12ab PluginInvokeError: ${getPool('10.1.2.3', 9931)}`,
		],
		[
			'completion_request_error',
			`req_id: 7 PluginInvokeError: {"error_type":"InvokeConnectionError","message":"${getPool('ollama', 11434).replace(/"/g, '\\"')}"}`,
		],
		['invalid_param', getPool('host.docker.internal', 8080)],
	])('keeps the words of Dify for %s', (code, message) => {
		const error = parseError(code, message);
		expect(error).toMatchObject({
			type: 'providerUnreachable',
			message: expect.stringContaining('Max retries exceeded') as string,
		});
		expect(error.detail).toContain('ConnectionPool');
	});

	test('credentials that are missing stay missing', () => {
		const message = 'No valid model provider credentials found. Please go to Settings.';
		expect(parseError('provider_not_initialize', message)).toMatchObject({
			type: 'providerKeyInvalid',
			message: 'No valid model provider credentials found',
		});
	});
});

test('a trace whose end is missing is no title', () => {
	const message = `PluginInvokeError: {"error_type":"ValueError","message":"Traceback (most recent call last): File \\"/app/a.py\\""}`;
	const error = parseError('completion_request_error', message);
	expect(error.message).toBe('The model behind Dify rejected the request or failed');
	expect(error.serverText).toContain('Traceback');
});

test.each([400, 429])('an agent at its limit, with status %i', (status) => {
	const message = 'Agent run exceeded the maximum of 12 steps';
	expect(parseError('agent_run_limit_exceeded', message, status)).toMatchObject({
		type: 'agentLimitReached',
		message,
		retryable: false,
	});
});

test.each([
	{
		code: 'unsupported_audio_type',
		message: 'Audio type not allowed.',
		status: 415,
		type: 'fileTypeNotAllowed',
		suggestion: /MP3, M4A, WAV, AMR and MPGA/,
	},
	{
		code: 'file_too_large',
		message: 'File size exceeded. {message}',
		status: 413,
		type: 'requestTooLarge',
		suggestion: /UPLOAD_FILE_SIZE_LIMIT/,
	},
	{
		code: 'audio_too_large',
		message: 'Audio size larger than 30 mb',
		status: 413,
		type: 'requestTooLarge',
		suggestion: /30 MB/,
	},
	{
		code: 'invalid_action',
		message: 'Document:a.txt is being indexed, please try again later',
		status: 400,
		type: 'documentBusy',
		suggestion: /ten minutes/,
	},
])(
	'the suggestion for $code, "$message", names the limit of Dify: $suggestion',
	({ code, message, status, type, suggestion }) => {
		const error = parseError(code, message, status);
		expect(error.type).toBe(type);
		expect(error.suggestion).toMatch(suggestion);
		expect(error.suggestion.split(' ').length).toBeLessThanOrEqual(40);
	},
);

test.each([
	['Document:a.txt is being indexed, please try again later', 'a.txt'],
	['Document: my file.pdf is being indexed, please try again later', 'my file.pdf'],
	['Document:a:b.txt is being indexed, please try again later', 'a:b.txt'],
])('a locked document is named: %s', (message, name) => {
	expect(parseError('invalid_action', message)).toMatchObject({
		type: 'documentBusy',
		message: message.replace(/\.$/, ''),
		detail: message,
	});
	expect(parseError('invalid_action', `Document: ${name} is not completed.`).message).toBe(
		`Document: ${name} is not completed`,
	);
});

test.each(['<html><title>413 Request Entity Too Large</title></html>', '', 'Payload too large'])(
	'a file that a proxy rejects names the settings of the proxy and of Dify: %j',
	(text) => {
		const url = 'http://dify/v1/files/upload';
		const { endpoint } = createDifyClient({ baseUrl: 'http://dify/v1' });
		const error = toResponseError(endpoint, { url }, { url, status: 413, headers: {}, text });
		expect(error.type).toBe('requestTooLarge');
		expect(error.suggestion).toMatch(/NGINX_CLIENT_MAX_BODY_SIZE.+UPLOAD_FILE_SIZE_LIMIT/);
	},
);

test.each([['human_input_form_submitted'], ['human_input_form_expired']])(
	'%s says how to see the end of the run',
	(code) => {
		const error = parseError(code, 'This form is not open', 412);
		expect(error).toMatchObject({
			type: 'formClosed',
			message: 'This form is not open',
			retryable: false,
		});
		expect(error.suggestion).toContain('use Follow');
	},
);

test.each(['http-request', 'tool'])('a %s node that fails is named', (type) => {
	const error = failRun('Reached maximum retries (3) for URL http://10.0.0.7/api?x=1', type);
	expect(error).toMatchObject({
		type: 'runFailed',
		message: 'Reached maximum retries (3) for URL …',
		detail: expect.stringContaining('The node "Fetch"') as string,
	});
	expect(error.suggestion).not.toContain('binary data');
});
