/** Exchanges with real Dify servers, kept in `test/fixtures/dify-<version>/` (see the README there). */
import type { DifyAppMode } from '../../lib/dify/types';
import { fixture, fixtureNames, httpFixture, type HttpFixture } from './streams';

/** Recorded versions. The package's reader reads their streams. */
export type RecordedVersion = '1.14.2' | '1.16.0';
export const RECORDED_VERSIONS: readonly RecordedVersion[] = ['1.14.2', '1.16.0'];

/** One field of a multipart form: a text, or a file's name, type and size. */
export interface RecordedPart {
	name: string;
	value?: string;
	filename?: string;
	type?: string;
	/** In bytes. */
	size?: number;
}

/** A recorded request. */
export interface RecordedCase {
	/** The answer is `<name>.http`. */
	name: string;
	/** Mode of the app behind the key. */
	app: DifyAppMode;
	method: string;
	/** Path and query. */
	url: string;
	/** Default: the app's own key as Bearer token; empty for none. */
	authorization?: string;
	/** Default: `application/json` where there is a body. */
	contentType?: string;
	/** A JSON body. */
	body?: Record<string, unknown>;
	/** A body that is not a JSON object. */
	text?: string;
	form?: RecordedPart[];
	/** How the answer ended, if not by Dify. */
	ended?: 'closed by client' | 'upstream aborted';
}

const loaded = new Map<RecordedVersion, RecordedCase[]>();

/** All cases of a version, from `cases.json` and `cases-<area>.json`. */
export const recordedCases = (version: RecordedVersion): readonly RecordedCase[] => {
	const known = loaded.get(version);
	if (known !== undefined) return known;
	const files = fixtureNames(`dify-${version}`, '.json');
	const cases = files.flatMap(
		(name) => JSON.parse(fixture(name).toString('utf8')) as RecordedCase[],
	);
	loaded.set(version, cases);
	return cases;
};

/** Dify's answer to the case of that name. */
export const recordedAnswer = (version: RecordedVersion, name: string): HttpFixture =>
	httpFixture(`dify-${version}/${name}.http`);
