import { toDifyResponseError, createRunError } from '../../../lib/dify/errors';
import { playEvents } from './play-events';

const CONTEXT = { url: 'http://dify/v1/chat-messages', service: 'dify', secrets: [] } as const;

function parseResponse(json: object, status = 400) {
	const response = { url: CONTEXT.url, status, headers: {}, text: JSON.stringify(json) };
	return toDifyResponseError(response, CONTEXT);
}

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

	test.each([
		['unauthorized', 'Access token is invalid', 'Dify rejected the API key'],
		['not_found', 'Conversation Not Exists.', 'Dify cannot find the conversation'],
		['invalid_param', 'Workflow not published', 'The app has not been published'],
		['not_found', 'Form not found.', 'Dify cannot find the form'],
		['plugin_runtime_error', 'Runtime of x', 'The plugin daemon of Dify is not working'],
		['human_input_form_expired', 'This form has expired, form_id=1', 'The form has expired'],
	])('%s "%s" has a title that explains more', (code, message, title) => {
		expect(parseResponse({ code, message })).toMatchObject({
			message: title,
			detail: title,
			serverText: message,
		});
	});

	test('without a message, the suggestion names what to check', () => {
		expect(parseResponse({ code: 'invalid_param', message: '' })).toMatchObject({
			message: 'Dify rejected a value in the request',
			suggestion: expect.stringMatching(
				/^Dify returned no reason\. .*type and size of files/,
			) as string,
		});
	});

	test('also with status 200 from a proxy', () => {
		const error = parseResponse(
			{ code: 'not_found', message: 'Conversation Not Exists.', status: 404 },
			200,
		);
		expect(error).toMatchObject({ type: 'conversationNotFound', status: 404 });
	});

	test('a body without code or message is not a Dify error', () => {
		expect(parseResponse({ detail: 'Not Found' }, 404)).toBeUndefined();
		expect(parseResponse({ error: { message: 'x' } })).toBeUndefined();
	});
});

describe('texts of codes with many causes', () => {
	test.each([
		['query is required in input form', 'invalidInputs'],
		['query is required', 'emptyQuery'],
		['Model notthere not exist.', 'providerModelNotFound'],
		['Model gpt-x does not exist', 'providerModelNotFound'],
		['schema does not exist', 'providerModelNotFound'],
		['Provider langgenius/openai/openai does not exist.', 'providerNotInstalled'],
		['SSE stream reconnect attempts exhausted', 'agentBackendUnreachable'],
		['relation "embedding_vector_index_7896e6f3" does not exist', 'invalidParam'],
		['[OpenAI-API-compatible] Error: ', 'pluginDaemonError'],
	])('"%s" is %s', (message, type) => {
		expect(parseResponse({ code: 'invalid_param', message, status: 400 })!.type).toBe(type);
	});

	test('the innermost message of a model is the title', () => {
		const inner = '[models] Error: API request failed: {"error":{"message":"no such model"}}';
		const message = `req_id: 7290e79a93 PluginInvokeError: ${JSON.stringify({ error_type: 'InvokeError', message: inner })}`;
		const error = parseResponse({ code: 'invalid_param', message, status: 400 });
		expect(error).toMatchObject({
			type: 'providerError',
			message: '[models] Error: API request failed: no such model',
		});
	});

	test('keys, SQL and sent values are omitted', () => {
		const validationErrors =
			'1 validation error for ChatPayload\nuser\n  Field required [type=missing, input_value={"q": "private"}, input_type=dict]';
		expect(
			parseResponse({ code: 'invalid_param', message: validationErrors, status: 400 })!.serverText,
		).toBe('user: Field required');
		const key = `bad key sk-${'a'.repeat(20)}\n[SQL: SELECT 1]`;
		expect(parseResponse({ code: 'invalid_param', message: key, status: 400 })!.serverText).toBe(
			'bad key [key]',
		);
	});
});

test('the error names the node whose model failed', () => {
	const error = 'req_id: 1 PluginInvokeError: {"error_type":"InvokeError","message":"too slow"}';
	const node = { id: '1', node_id: 'llm', node_type: 'llm', title: 'Answer' };
	const { result } = playEvents(
		{ event: 'workflow_started', task_id: 't', workflow_run_id: 'r', data: { id: 'r' } },
		{ event: 'node_finished', task_id: 't', data: { ...node, status: 'failed', error } },
		{ event: 'workflow_finished', task_id: 't', data: { id: 'r', status: 'failed', error } },
	);
	const runError = createRunError({ ...result, error: result.error! }, CONTEXT);
	expect(runError).toMatchObject({
		type: 'providerError',
		message: 'too slow',
		detail: 'too slow. The node "Answer" (llm) failed in Dify',
		facts: { failedNode: 'Answer', failedNodeType: 'llm', workflowRunId: 'r' },
	});
});
