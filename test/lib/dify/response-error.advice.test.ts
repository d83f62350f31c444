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
	["Type mismatch: variable 'x' expects integer, but got float type", /a whole number/],
	["Type mismatch: variable 'my count' expects integer, but got number type", /a whole number/],
	["Type mismatch: variable 'x' expects string, but got number type", /text/],
	["Type mismatch: variable 'x' expects array[string], but got string type", /a JSON list/],
	["Type mismatch: variable 'x' expects object, but got string type", /an object/],
	["Type mismatch: variable 'x' expects float, but got integer type", /with decimals/],
])('the suggestion names the type of the variable: %s', (message, suggestion) => {
	const error = fail(`${OWN}/conversations/c/variables/v`, 400, {
		code: 'bad_request',
		message,
		status: 400,
	});
	expect([error.type, error.message]).toEqual(['invalidParam', message]);
	expect(error.suggestion).toMatch(/^Set /);
	expect(error.suggestion).toMatch(suggestion);
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

const post = (code: string, message: string, status = 400, path = 'datasets/d/documents') =>
	fail(`${OWN}/${path}`, status, { code, message, status });

describe('what Dify is still working on is tried again later', () => {
	test.each([
		['document_indexing', 'Cannot delete document during indexing.', 400],
		['document_indexing', 'Cannot update document during indexing.', 400],
		[
			'dataset_indexing_in_progress',
			'Some documents in this dataset are still being indexed.',
			409,
		],
		['invalid_param', 'Another document metadata operation is running, please wait a moment.', 400],
		[
			'invalid_param',
			'Another knowledge base metadata operation is running, please wait a moment.',
			400,
		],
		['bad_request', 'Document is not completed.', 404],
	])('%s "%s"', (code, message, status) => {
		const error = post(code, message, status);
		expect([error.type, error.message]).toEqual(['documentBusy', message.replace(/\.$/, '')]);
		expect(error.suggestion).toMatch(/\btry again\b/);
	});

	test('a document that is finished cannot be processed again', () => {
		const error = post('document_already_finished', 'The document has been processed.');
		expect(error).toMatchObject({ type: 'datasetRejected' });
	});
});

test.each([
	['invalid_param', 'Dataset does not exist.', 'datasetNotFound', /Select it again/],
	['invalid_param', 'Dataset not found', 'datasetNotFound', /Select it again/],
	['not_found', 'Dataset not found.', 'datasetNotFound', /Select it again/],
	['invalid_param', 'Metadata name already exists in Built-in fields.', 'nameTaken', /built-in/],
	['invalid_param', 'Metadata name already exists.', 'nameTaken', /.+/],
	['invalid_param', 'Speech to text is not enabled', 'appFeatureDisabled', /^Enable the feature/],
	['invalid_param', 'Text to Speech is not enabled', 'appFeatureDisabled', /^Enable the feature/],
	['invalid_param', 'TTS is not enabled', 'appFeatureDisabled', /^Enable the feature/],
] as const)('%s "%s" is %s', (code, message, type, suggestion) => {
	const error = post(code, message);
	expect([error.type, error.suggestion]).toEqual([type, expect.stringMatching(suggestion)]);
});

test.each([
	['file_extension_blocked', 'The file extension is blocked for security reasons.'],
	['invalid_param', "File extension '.exe' is not allowed for security reasons"],
	['invalid_param', "File extension '.html' is not allowed for security reasons"],
	['bad_request', "File extension '.svg' is not allowed for security reasons"],
])('a blocked extension names the setting: %s "%s"', (code, message) => {
	for (const path of ['files/upload', 'datasets/d/document/create-by-file'])
		expect(post(code, message, 400, path)).toMatchObject({
			type: 'fileRejected',
			suggestion: expect.stringContaining('UPLOAD_FILE_EXTENSION_BLACKLIST') as string,
		});
});

test.each([
	['unauthorized', 'Tenant owner account not found or tenant is not active.', 401],
	['unauthorized', 'Tenant does not exist.', 401],
	['unauthorized', 'Tenant owner account does not exist.', 401],
	['invalid_param', 'Tenant does not exist.', 400],
	['forbidden', "The workspace's status is archived.", 403],
])('a workspace that is gone is not a wrong key: %s "%s"', (code, message, status) => {
	for (const path of ['info', 'datasets']) {
		const error = post(code, message, status, path);
		expect(error).toMatchObject({
			type: 'appInactive',
			message: message.replace(/\.$/, ''),
		});
		expect(error.suggestion).not.toMatch(/Copy the API key/);
	}
});

test.each(['Access token is invalid', "Authorization scheme must be 'Bearer'"])(
	'a wrong key stays one: %s',
	(message) => {
		expect(post('unauthorized', message, 401)).toMatchObject({
			type: 'unauthorized',
			message,
		});
	},
);

test.each([
	['datasets/d/retrieve', 'You do not have permission to access this dataset.'],
	['datasets/d', 'You do not have permission to access this dataset.'],
	['datasets/d/documents', "You don't have the permission to access the requested resource."],
])('403 of %s: "%s" is about the members of the knowledge base, not the plan', (path, message) => {
	const error = post('forbidden', message, 403, path);
	expect(error).toMatchObject({ type: 'forbidden', message: message.replace(/\.$/, '') });
	expect(error.suggestion).toMatch(/permission/i);
	expect(error.suggestion).not.toMatch(/plan/);
});

describe('a file that Dify could not fetch', () => {
	test.each([
		['remote_file_upload_error', 'Error uploading remote file.', 400],
		['remote_file_invalid_url', 'The remote file URL is invalid.', 400],
		['remote_file_url_blocked', 'The remote file URL is not allowed.', 400],
		['remote_file_not_found', 'The remote file could not be found.', 404],
		['remote_file_access_denied', 'The remote file cannot be accessed without authorization.', 400],
		['remote_file_unavailable', 'The remote file is temporarily unavailable.', 502],
		['remote_file_invalid_response', 'The remote file server returned an invalid response.', 502],
		['invalid_param', "Access to 'http://10.0.0.7/a.pdf' was blocked by SSRF protection.", 400],
		['invalid_param', 'Reached maximum retries for URL http://10.0.0.7/a.pdf', 400],
	])('%s: %s', (code, message, status) => {
		const error = post(code, message, status, 'chat-messages');
		const title = message.replace(/\.$/, '').replace('http://10.0.0.7/a.pdf', '…');
		expect([error.type, error.message]).toEqual(['fileUnreachable', title]);
		expect(error.suggestion).toMatch(/Check the URL, or send the file/);
	});
});

test.each(['retrieve', 'hit-testing', 'documents'])(
	'an address that Dify gave up on in %s of a knowledge base is no file',
	(path) => {
		const text = 'Reached maximum retries (3) for URL http://10.0.0.8:9000/retrieval';
		const error = post('internal_server_error', text, 500, `datasets/d/${path}`);
		expect(error.message).toBe('Reached maximum retries (3) for URL …');
		expect(error.serverText).toBe(text);
		expect(error.suggestion).toMatch(/external knowledge API/);
		expect(error.suggestion).not.toContain('file');
	},
);

test.each([
	'Failed to invoke datasource: File is not exist',
	'Start node id not found',
	'Pipeline is not published',
])('a pipeline that fails has no logs of an app: %s', (message) => {
	const error = post('pipeline_run_error', message, 500, 'datasets/d/pipeline/run');
	expect([error.type, error.message]).toEqual(['runFailed', message]);
	expect(error.suggestion).toMatch(/pipeline/);
	expect(error.suggestion).not.toContain('app');
});

test.each([
	'Segment is already enabled.',
	'Segment is already disabled.',
	'Document is already archived.',
])('what is already so is not busy: %s', (message) => {
	const error = post('invalid_action', message);
	expect([error.type, error.message]).toEqual(['datasetRejected', message.slice(0, -1)]);
	expect(error.suggestion).toBe('It already has this status: nothing was changed.');
});

test('a run that sent only pings is not said to wait in a queue', () => {
	const { title, suggestion } = getErrorText('runQueued', { service: 'dify' });
	expect(title).toBe('Dify sent only pings, and no event of the run');
	expect(suggestion).toMatch(/before you send .+Chatflows and workflows wait/);
});
