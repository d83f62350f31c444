/** Advice of Dify errors from what the node knows: the address, the route, the type of a variable. */
import { toDifyResponseError } from '../../../lib/dify/response-error';
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { getErrorText } from '../../../lib/errors/error-types';

const CLOUD = 'https://api.dify.ai/v1';
const OWN = 'http://dify.lan/v1';

function fail(url: string, status: number, body: object) {
	return toDifyResponseError(
		{ status, url, headers: {}, text: JSON.stringify(body) },
		{ url, service: 'dify' },
	)!;
}

test.each([
	[
		"Type mismatch: variable 'x' expects integer, but got float type",
		/^The variable "x" accepts only whole numbers/,
	],
	[
		"Type mismatch: variable 'my count' expects integer, but got number type",
		/"my count" .*whole numbers/,
	],
	[
		"Type mismatch: variable 'x' expects string, but got number type",
		/^The variable "x" accepts only text/,
	],
	["Type mismatch: variable 'x' expects array[string], but got string type", /accepts only lists/],
	["Type mismatch: variable 'x' expects object, but got string type", /accepts only objects/],
	[
		"Type mismatch: variable 'x' expects float, but got integer type",
		/accepts only numbers with decimals/,
	],
])("the title explains Dify's message: %s", (message, title) => {
	const error = fail(`${OWN}/conversations/c/variables/v`, 400, {
		code: 'bad_request',
		message,
		status: 400,
	});
	expect([error.type, error.message]).toEqual(['invalidParam', expect.stringMatching(title)]);
	expect(error.suggestion).toMatch(/^Set /);
	expect(error.serverText).toBe(message);
});

const DOCKER = /docker compose|container/;

test.each([500, 502, 503, 504, 524])('Dify Cloud, %i: try later, no docker', (status) => {
	const asJson = fail(`${CLOUD}/chat-messages`, status, {
		code: 'internal_server_error',
		message: 'x',
		status,
	});
	const asPage = classifyErrorResponse(
		{ status, body: '<html>Service unavailable</html>' },
		{ url: `${CLOUD}/chat-messages`, service: 'dify' },
	);
	const own = fail(`${OWN}/chat-messages`, status, {
		code: 'internal_server_error',
		message: 'x',
		status,
	});
	expect([asJson.suggestion, asPage.suggestion]).toEqual([
		expect.stringMatching(/try again later/i),
		status === 500 ? expect.any(String) : expect.stringMatching(/try again later/i),
	]);
	expect(asJson.suggestion).not.toMatch(DOCKER);
	expect(asPage.suggestion).not.toMatch(DOCKER);
	expect(own.suggestion).toMatch(/logs|proxy|running/);
});

test.each([
	'pluginDaemonError',
	'agentBackendUnreachable',
	'runTimeout',
	'runQueued',
	'indexingStuck',
	'serverError',
	'badGateway',
	'providerUnreachable',
] as const)('%s in the cloud names no container', (type) => {
	expect(getErrorText(type, { service: 'dify', host: 'api.dify.ai' }).suggestion).not.toMatch(
		DOCKER,
	);
	expect(getErrorText(type, { service: 'dify', host: 'api.dify.ai.example.com' }).suggestion).toBe(
		getErrorText(type, { service: 'dify' }).suggestion,
	);
});

test.each([
	['datasets/d/document/create-by-file', /TXT, Markdown, PDF/],
	['datasets/d/documents/x/update-by-file', /TXT, Markdown, PDF/],
	['files/upload', /allowed in the app/],
])('415 of %s: the types of that place', (path, suggestion) => {
	const error = fail(`${OWN}/${path}`, 415, {
		code: 'unsupported_file_type',
		message: 'File type not allowed.',
		status: 415,
	});
	expect([error.type, error.suggestion]).toEqual([
		'fileTypeNotAllowed',
		expect.stringMatching(suggestion),
	]);
});
