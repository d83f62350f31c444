import * as fc from 'fast-check';

import { describeDifyFailure, describeRunError } from '../../../../lib/dify/errors/classify';
import { readProviderError } from '../../../../lib/dify/errors/provider-error';
import { remedyFor } from '../../../../lib/errors/remedies';
import { examples } from '../../../support/properties';
import { httpFixture } from '../../../support/streams';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../../support/time';
import { playText } from '../play';

/** What the scripted model said, which the recordings of both versions word differently. */
const inner = (status: number) =>
	expect.stringContaining(
		`[models] Error: API request failed with status code ${status}: `,
	) as string;

/** The failure of a recorded answer, streamed or not. */
function failureOf(name: string) {
	const { status, headers, body } = httpFixture(name);
	const type = headers.find(([header]) => /^content-type$/i.test(header))?.[1] ?? '';
	if (!type.startsWith('text/event-stream'))
		return describeDifyFailure({ status, body: body.toString(), contentType: type });
	const { error } = playText(body.toString()).result;
	if (error === undefined) throw new Error(`${name} did not fail`);
	return describeRunError(error);
}

describe('errors of the model behind Dify, as recorded', () => {
	test.each([
		['dify-1.16.0/agent-model-500.http', 500],
		['dify-1.16.0/chat-model-500.http', 500],
		['dify-1.16.0/chat-model-500-blocking.http', 500],
		['dify-1.16.0/chat-model-429.http', 429],
		['dify-1.16.0/flow-model-500.http', 500],
		['dify-1.16.0/cm-model-429-blocking.http', 429],
		['dify-1.14.2/flow-model-500.http', 500],
		['dify-1.14.2/n8n-model-500-agent.http', 500],
		['dify-1.14.2/cm-model-429.http', 429],
	])('%s: the inner message, and no advice to correct a value', (name, status) => {
		const failure = failureOf(name);
		expect(failure).toMatchObject({
			kind: 'modelProvider',
			serverText: inner(status),
			retryable: false,
		});
		expect(remedyFor(failure.kind, { service: 'dify' }).remedy).toContain(
			'The key of the "Dify API" credential is fine',
		);
	});

	test.each([
		['dify-1.14.2/flow14-model-dies.http', 'modelConnection', 'Response ended prematurely'],
		[
			'dify-1.16.0/file-url-dead.http',
			'fileUnreachable',
			'Reached maximum retries (3) for URL http://127.0.0.1:9/a.png',
		],
	])('%s is %s', (name, kind, serverText) => {
		expect(failureOf(name)).toMatchObject({ kind, serverText, retryable: false });
	});

	test.each([
		[
			'Request to Plugin Daemon Service failed-500',
			'pluginDaemon',
			'Request to Plugin Daemon Service failed-500',
		],
		[
			'[openai_api_compatible] Error: req_id:  PluginDaemonInternalServerError: no available node, plugin runtime not found',
			'pluginDaemon',
			'no available node, plugin runtime not found',
		],
		[
			'Run failed: Provider langgenius/openai/openai does not exist.',
			'providerMissing',
			'Provider langgenius/openai/openai does not exist.',
		],
		[
			"[models] Server Unavailable Error, HTTPConnectionPool(host='127.0.0.1', port=15080): Max retries exceeded with url: /v1/chat/completions (Caused by NewConnectionError(\"HTTPConnection(host='127.0.0.1', port=15080): Failed to establish a new connection: [Errno 111] Connection refused\"))",
			'modelConnection',
			'[models] Server Unavailable Error, Connection refused: 127.0.0.1:15080/v1/chat/completions',
		],
	])('%s', (message, kind, serverText) => {
		expect(readProviderError(message)).toEqual({ kind, serverText });
	});
});

describe('what is none', () => {
	test.each([
		'Conversation Not Exists.',
		'Too many requests. Please try again later.',
		'{"a":1}',
		'Run failed: boom',
		'',
		"(type 'text-input') name in input form must be a string",
	])('%j', (message) => {
		expect(readProviderError(message)).toBeUndefined();
	});

	test('a code that says what it is counts more than a text', () => {
		const body = JSON.stringify({
			code: 'provider_quota_exceeded',
			message: '{"args":{},"error_type":"InvokeError","message":"x"}',
			status: 400,
		});
		expect(describeDifyFailure({ status: 400, body }).kind).toBe('providerQuota');
	});

	test('no message crashes it or keeps n8n busy', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.json()), fc.nat(3), (inner, depth) => {
				let message = inner;
				for (let at = 0; at < depth; at++)
					message = `req_id: 1 PluginInvokeError: ${JSON.stringify({ error_type: 'InvokeError', message })}`;
				const found = readProviderError(message);
				if (depth > 0) expect(found?.kind).toBeDefined();
			}),
			examples(300),
		);
		const pieces = [
			'{',
			'[models] Error: ',
			"HTTPConnectionPool(host='",
			' ',
			'Reached maximum retries (',
		];
		for (const piece of pieces) {
			const text = piece.repeat(200_000);
			expect(cpuMilliseconds(() => void readProviderError(text))).toBeLessThan(LINEAR_CPU_MS);
		}
	});
});
