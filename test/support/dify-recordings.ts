/** Exchanges with real Dify servers, kept in `test/fixtures/dify-<version>/` (see the README there). */
import type { DifyAppMode } from '../../lib/dify/types';
import { fixture, fixtureNames, httpFixture, type HttpFixture } from './streams';

/** Those that the simulator is compared with, and whose streams the package's reader is fed with. */
export type RecordedVersion = '1.12.1' | '1.14.2' | '1.16.0';
export const RECORDED_VERSIONS: readonly RecordedVersion[] = ['1.12.1', '1.14.2', '1.16.0'];

/** One field of a multipart form: a text, or a file of which only name, type and size are kept. */
export interface RecordedPart {
	name: string;
	value?: string;
	filename?: string;
	type?: string;
	/** Bytes. */
	size?: number;
}

/** A request as it was sent. */
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
	/** A body that is no JSON object. */
	text?: string;
	form?: RecordedPart[];
	/** How the answer ended, where Dify did not end it. */
	ended?: 'closed by client' | 'upstream aborted';
}

const loaded = new Map<RecordedVersion, RecordedCase[]>();

/** All cases of a version: those of `cases.json`, and of `cases-<area>.json` for each further area of the API. */
export const recordedCases = (version: RecordedVersion): readonly RecordedCase[] => {
	const known = loaded.get(version);
	if (known !== undefined) return known;
	const files = fixtureNames(`dify-${version}`, '.json');
	const cases = files.flatMap((name) => JSON.parse(fixture(name).toString('utf8')) as RecordedCase[]);
	loaded.set(version, cases);
	return cases;
};

/** What Dify answered to the case of that name. */
export const recordedAnswer = (version: RecordedVersion, name: string): HttpFixture =>
	httpFixture(`dify-${version}/${name}.http`);
