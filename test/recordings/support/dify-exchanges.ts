/** Recorded exchanges with real Dify servers: requests and responses. */
import { fixture, fixtureNames, httpFixture } from '../../support/servers/streams';
import type { HttpFixture } from '../../support/servers/streams';

/** Folders below `test/fixtures`. Dify 1.12 is no longer supported, so its recordings are not listed. */
export const DIFY_SETS = [
	'dify-1.14.2',
	'dify-1.16.0',
	'dify-1.16.1',
	'dify-main-2026-07',
] as const;

export type DifySet = (typeof DIFY_SETS)[number];

/** One recorded request, as in a set's `cases*.json`, and the response. */
export interface DifyExchange {
	set: DifySet;
	name: string;
	/** Mode of the app that the key belongs to. */
	app: string;
	method: string;
	/** Path without `/v1`. */
	path: string;
	query: URLSearchParams;
	body: Readonly<Record<string, unknown>>;
	/** How the response ended, if not by Dify. */
	ended?: 'closed by client' | 'upstream aborted';
	answer: HttpFixture;
}

interface RecordedCase {
	name: string;
	app: string;
	method: string;
	url: string;
	body?: Record<string, unknown>;
	ended?: DifyExchange['ended'];
}

/** The exchanges of a set, by name. */
export function difyExchanges(set: DifySet): DifyExchange[] {
	const cases = fixtureNames(set, '.json').flatMap(
		(file) => JSON.parse(fixture(file).toString('utf8')) as RecordedCase[],
	);
	const sortedCases = [...cases].sort((one, other) => (one.name < other.name ? -1 : 1));
	return sortedCases.map(({ name, app, method, url, body = {}, ended }) => {
		const [path = '', query = ''] = url.split('?');
		return {
			set,
			name,
			app,
			method,
			path: path.replace(/^\/v1(?=\/)/, ''),
			query: new URLSearchParams(query),
			body,
			ended,
			answer: httpFixture(`${set}/${name}.http`),
		};
	});
}

export function isStream({ answer }: DifyExchange): boolean {
	return answer.headers.some(
		([name, value]) => /^content-type$/i.test(name) && value.startsWith('text/event-stream'),
	);
}

/** The response as JSON; undefined if it is not JSON. */
export function jsonOf({ answer }: DifyExchange): unknown {
	try {
		return JSON.parse(answer.body.toString('utf8'));
	} catch {
		return undefined;
	}
}

/** The `data:` objects of a recorded stream. */
export function eventsOf({ answer }: DifyExchange): Array<Record<string, unknown>> {
	return answer.body
		.toString('utf8')
		.split('\n')
		.filter((line) => line.startsWith('data: {'))
		.flatMap((line) => {
			try {
				return [JSON.parse(line.slice('data: '.length)) as Record<string, unknown>];
			} catch {
				// The recording may end within a line.
				return [];
			}
		});
}
