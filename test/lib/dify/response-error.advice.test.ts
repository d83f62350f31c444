/** Advice of Dify errors from what the node knows: the address, the route, the type of a variable. */
import { toDifyResponseError } from '../../../lib/dify/response-error';
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { DIFY_ROWS } from '../../../lib/errors/chapters/dify';
import type { Failure } from '../../../lib/errors/failure';
import { tell } from '../../../lib/errors/tell';
import { combineFacts } from '../errors/table-texts';
import { ERROR_TYPES, getErrorText } from '../../../lib/errors/error-types';

const CLOUD = 'https://api.dify.ai/v1';
const OWN = 'http://dify.lan/v1';

function fail(url: string, status: number, body: object) {
	return toDifyResponseError(
		{ status, url, headers: {}, text: JSON.stringify(body) },
		{ url, service: 'dify' },
	)!;
}

const DOCKER = /docker compose|container/;

/** What nobody can see or set on Dify Cloud. */
const OF_OPERATOR =
	/docker|container|nginx|proxy in front|SSRF|log of the Dify API|\b[A-Z]+_[A-Z_]+/i;

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

test.each(ERROR_TYPES)('%s in the cloud names no container', (type) => {
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

describe('a file that Dify could not fetch', () => {
	test.each([
		['remote_file_upload_error', 'Error uploading remote file.', 400],
		['remote_file_invalid_url', 'The remote file URL is invalid.', 400],
		['remote_file_url_blocked', 'The remote file URL is not allowed.', 400],
		['remote_file_not_found', 'The remote file could not be found.', 404],
		['remote_file_access_denied', 'The remote file cannot be accessed without authorization.', 400],
		['remote_file_unavailable', 'The remote file is temporarily unavailable.', 502],
		['remote_file_invalid_response', 'The remote file server returned an invalid response.', 502],
	])('%s: %s', (code, message, status) => {
		const error = post(code, message, status, 'chat-messages');
		const title = message.replace(/\.$/, '');
		expect([error.type, error.message]).toEqual(['fileUnreachable', title]);
		expect(error.suggestion).toMatch(/Check the URL, or send the file/);
	});
});

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

test('a run that sent only pings is not said to wait in a queue', () => {
	const { title, suggestion } = getErrorText('runQueued', { service: 'dify' });
	expect(title).toBe('Dify sent only pings, and no event of the run');
	expect(suggestion).toMatch(/before you send .+Chatflows and workflows wait/);
});

test('a code that says what to do counts more than the field that Dify names', () => {
	const named = { namedParameter: 'File' };
	const tooLarge = fail(`${OWN}/files/upload`, 413, {
		code: 'file_too_large',
		message: 'x',
		status: 413,
	});
	expect(tooLarge.withFacts(named).suggestion).toContain('UPLOAD_FILE_SIZE_LIMIT');
	const refused = fail(`${OWN}/chat-messages`, 400, {
		code: 'invalid_param',
		message: 'x',
		status: 400,
	});
	expect(refused.withFacts(named).suggestion).toBe('Change "File".');
});

test('no row of the table advises on Dify Cloud what only its operator can do', () => {
	const failures = DIFY_ROWS.flatMap(({ types, needs }) =>
		combineFacts(needs).map(({ facts }): Failure => ({
			type: types[0]!,
			known: { ...facts, service: 'dify', host: 'api.dify.ai' },
		})),
	);
	const wrong = failures.filter((failure) => OF_OPERATOR.test(tell(failure, 'owner').suggestion));
	expect(wrong.map((failure) => tell(failure, 'owner').suggestion)).toEqual([]);
	expect(failures.length).toBeGreaterThan(30);
});
