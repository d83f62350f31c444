/** What a check makes of any response to a probe: the line about it, whether it is a page, its object, and the latency. */
import { createServerError } from '../../../lib/errors/create-error';
import { describeProbe, getJsonObject, getLatency, isPage } from '../../../lib/health/run-probe';
import type { ProbeResult } from '../../../lib/health/run-probe';
import { expectApproved } from '../../support/approved/approved-table';
import path from 'node:path';

const URL = 'http://server/v1/models';
const probe = (more: Partial<ProbeResult> = {}): ProbeResult => ({
	method: 'GET',
	url: URL,
	finalUrl: URL,
	durationMs: 12.6,
	status: 200,
	headers: {},
	text: '',
	json: undefined,
	...more,
});
const createError = (
	type: Parameters<typeof createServerError>[0],
	more: object = {},
): ProbeResult['error'] => createServerError(type, { url: URL }, more);

const PROBES: Readonly<Record<string, ProbeResult>> = {
	good: probe({ json: { a: 1 }, text: '{"a":1}' }),
	list: probe({ json: [1], text: '[1]' }),
	'good with an error': probe({ json: { a: 1 }, error: createError('invalidResponse') }),
	'a POST from elsewhere': probe({ method: 'POST', finalUrl: 'http://other/login' }),
	'an error': probe({
		status: 500,
		error: createError('serverError', { serverText: ' It\nfailed ', code: 'E_1' }),
	}),
	'an error of 121 characters': probe({
		status: 500,
		error: createError('serverError', { serverText: 'x'.repeat(121) }),
	}),
	'an error without words': probe({
		status: 401,
		error: createError('unauthorized', { serverText: '  ' }),
	}),
	'no response in time': probe({ status: 0, error: createError('totalTimeout') }),
	refused: probe({ status: 0, error: createError('connectionRefused', { code: 'ECONNREFUSED' }) }),
	'a code that is a sentence': probe({
		status: 0,
		error: createError('connectionLost', {
			code: 'other side closed',
			inputWords: { title: 'It was closed' },
		}),
	}),
	page: probe({ text: ' <html>' }),
	'a page by its type': probe({ headers: { 'content-type': 'text/HTML; charset=utf-8' } }),
	'a type with html in a word': probe({ headers: { 'content-type': 'application/xhtmlx' } }),
	XML: probe({ text: '<?xml ?>' }),
};

test('each response', () => {
	const rows = Object.entries(PROBES).map(([input, one]) => ({
		input,
		outcome: [
			describeProbe(one).replace(/x{50,}/, (all) => `x×${all.length}`),
			isPage(one) && 'a page',
			JSON.stringify(getJsonObject(one)),
		]
			.filter(Boolean)
			.join(' ; '),
	}));
	const times: ReadonlyArray<ReadonlyArray<readonly [status: number, durationMs: number]>> = [
		[],
		[[0, 1]],
		[
			[0, 1],
			[200, 5.4],
		],
		[
			[404, 7.5],
			[200, 9],
		],
		[[500, 0.4]],
	];
	expectApproved(
		path.join(__dirname, 'run-probe.any-response.approved.txt'),
		[
			...rows,
			{ input: 'no probe', outcome: JSON.stringify(getJsonObject(undefined)) },
			...times.map((list) => ({
				input: `latency of ${JSON.stringify(list)}`,
				outcome: String(
					getLatency([
						undefined,
						...list.map(([status, durationMs]) => probe({ status, durationMs })),
					]),
				),
			})),
		],
		'A probe reads an object only if there is one',
	);
});
