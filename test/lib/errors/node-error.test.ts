import { NodeOperationError } from 'n8n-workflow';
import type { INode } from 'n8n-workflow';
import { createModelServer } from '../../../lib/servers/endpoint';
import { ServerError } from '../../../lib/errors/server-error';
import { createInputError, createServerError } from '../../../lib/errors/create-error';
import { toErrorDetails, SubNodeError, toNodeError } from '../../../lib/errors/node-error';
import { startLlamaServerSim } from '../../simulators/llama-server';
import { fetchStatus } from '../http/client';
import * as util from 'node:util';
import { useSimulator } from '../../simulators/use-simulator';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const startServer = useSimulator(startLlamaServerSim);

const SAMPLE = 'local-key-1234567890';
const NODE: INode = {
	id: '1',
	name: 'Local Chat Model',
	type: 'n8n-nodes-local-llama.localChatModel',
	typeVersion: 1,
	position: [0, 0],
	parameters: {},
};
const REQUEST_URL = 'http://10.0.0.5:8080/v1/chat/completions';

describe('toNodeError', () => {
	test('has a short title, the full text as description, and all received data in the details', () => {
		const serverError = createServerError(
			'connectionLost',
			{ url: REQUEST_URL },
			{ status: 200, code: 'ECONNRESET', serverText: 'boom', facts: { taskId: 't1' } },
		).withPartial({
			text: 'Once upon',
			reasoning: 'hm',
		});
		const error = toNodeError(NODE, serverError);
		expect(error).toBeInstanceOf(NodeOperationError);
		expect(error.message).toBe('The connection was lost during the response');
		expect(error.description).toBe(
			`The connection was lost during the response. Server message: "boom". ${serverError.suggestion} The details contain the text received so far. URL: ${REQUEST_URL}`,
		);
		expect(error.context).toMatchObject({
			data: {
				type: 'connectionLost',
				url: REQUEST_URL,
				httpStatus: 200,
				serverText: 'boom',
				partialText: 'Once upon',
				partialReasoning: 'hm',
				code: 'ECONNRESET',
				taskId: 't1',
			},
		});
		expect(error.messages).toEqual(['Received so far: Once upon']);
		expect(error.functionality).toBe('regular');
		expect(error.node).toBe(NODE);
	});

	test.each(['badRequest', 'serverError', 'streamError'] as const)(
		'an agent gets no words of a server that nothing explains: %s',
		(type) => {
			const tool = { ...NODE, type: 'n8n-nodes-local-llama.localLlamaTool' };
			const details = {
				title: 'The tenant Acme is closed',
				serverText: 'The tenant Acme is closed.',
			};
			const { message, description } = toNodeError(tool, createServerError(type, {}, details));
			expect(message).toMatch(/^The service behind this tool (?:rejected|is unavailable)/);
			expect(description).toBe(message);
		},
	);

	test('includes the server message in an agent’s error if the agent can correct its call', () => {
		const tool = { ...NODE, type: 'n8n-nodes-local-llama.difyWorkflowTool' };
		const response = { status: 400, title: 'topic is required in input form' };
		const serverError = createServerError('invalidInputs', { url: REQUEST_URL }, response);
		const { message } = toNodeError(tool, serverError);
		expect(message).toContain(serverError.suggestion);
		expect(message).not.toContain('10.0.0.5');
	});

	describe('what a server says of a field is told to an agent only if the agent fills it in', () => {
		const details = {
			status: 400,
			sentence: 'Prompt: must not be in capitals',
			serverText: 'must not be in capitals',
			field: 'Prompt',
		};
		test.each([true, false])('filled in: %j', (isFilledByModel) => {
			const tool = { ...NODE, type: 'n8n-nodes-local-llama.localLlamaTool' };
			const error = createServerError('badRequest', {}, { ...details, isFilledByModel });
			expect(toNodeError(tool, error).message).toMatch(
				isFilledByModel
					? /^Prompt: must not be in capitals\b/
					: /^The service behind this tool rejected/,
			);
		});

		test('its own sentence about a value is told whoever wrote the value', () => {
			const tool = { ...NODE, type: 'n8n-nodes-local-llama.localLlamaTool' };
			const error = createInputError('The field "Prompt" is empty', 'Enter a value.', {
				field: 'Prompt',
				inputProblem: 'empty',
			});
			expect(toNodeError(tool, error).message).toContain('The field "Prompt" is empty');
		});
	});

	test('an error of a sub-node keeps title, description and details', () => {
		const nodeError = toNodeError(NODE, createServerError('busy', {}));
		const supplyError = new SubNodeError(NODE, nodeError);
		const { message, description, context } = nodeError;
		expect(supplyError).toMatchObject({ name: 'SubNodeError', message, description, context });
		expect(supplyError.functionality).toBe('configuration-node');
		expect(supplyError.node).toBe(NODE);
	});

	test('is in the log of n8n once, which adds all causes of an error', () => {
		const nodeError = toNodeError(NODE, createServerError('busy', {}));
		for (const error of [nodeError, new SubNodeError(NODE, nodeError)])
			expect(error.cause).toBeUndefined();
		// The stack of an unexpected error is in its cause.
		const cause = new TypeError('x is not a function');
		expect(toNodeError(NODE, cause).cause).toBe(cause);
	});

	test('returns a node error unchanged, and converts anything else', () => {
		const known = new NodeOperationError(NODE, 'known');
		expect(toNodeError(NODE, known)).toBe(known);
		expect(
			toNodeError(NODE, new NodeOperationError(NODE, 'known', { description: 'more' })).description,
		).toBe('more');
		expect(toNodeError(NODE, new TypeError('a bug'))).toMatchObject({
			message: 'a bug',
			// Shown in the chat.
			description: 'a bug',
		});
		expect(toNodeError(NODE, 'a text').message).toBe('a text');
	});

	test('contains no secret in any form, even if the server echoes it', async () => {
		const server = await startServer({ apiKey: SAMPLE });
		server.route('POST /v1/chat/completions', (request) => ({
			kind: 'plain',
			dressed: true,
			reply: {
				status: 500,
				headers: [['Content-Type', 'application/json']],
				body: JSON.stringify({
					error: {
						message: `bad header ${request.headers.authorization}`,
						headers: request.headers,
						request: request.rawHeaders,
					},
				}),
			},
		}));
		const target = createModelServer(
			{
				baseUrl: server.url,
				apiKey: SAMPLE,
				extraHeaders: { header: [{ name: 'x-tenant-token', value: 'tenant-s3cret' }] },
			},
			NO_EXECUTION,
		);
		const serverError: unknown = await fetchStatus(target, `${target.url.api}/chat/completions`, {
			json: {},
			allowErrorStatus: false,
		}).catch((error: unknown) => error);
		const error = toNodeError(NODE, serverError);
		const texts = [
			JSON.stringify(error),
			JSON.stringify({ ...error }),
			util.inspect(error, { depth: 9, showHidden: true }),
			error.stack,
		].join('\n');
		expect(server.requests[0]!.headers.authorization).toBe(`Bearer ${SAMPLE}`);
		expect(texts).toContain('bad header Bearer ***');
		for (const secret of [SAMPLE, 'tenant-s3cret']) expect(texts).not.toContain(secret);
	});
});

test('errorDetails: is plain data, and facts do not replace standard fields', () => {
	const serverError = new ServerError({
		type: 'badRequest',
		inputWords: { title: 'No', suggestion: '.' },
		status: 400,
		facts: { type: 'x', httpStatus: 1, param: undefined, n: 2 },
	});
	expect(toErrorDetails(serverError)).toEqual({
		type: 'badRequest',
		retryable: false,
		httpStatus: 400,
		n: 2,
	});
});
