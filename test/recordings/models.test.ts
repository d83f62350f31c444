/**
 * Results of the nodes for every recorded response of the supported model servers, as recorded and in other pieces. See
 * README.md.
 *
 * `CONTRACT_WRITE=1` updates the snapshots.
 */
import { isNonEmpty, isRecord } from '../../lib/values/records';
import { everyExchange, unknownFolders } from './support/catalog';
import type { Played } from './support/node-runner';
import type { Exchange, Json } from './support/exchange';
import { isWriting } from '../support/approved/is-writing';
import { createSnapshots } from './support/snapshots';
import { play } from './support/playback';
import { failureOf, readable } from './support/result';
import { getEntryPoints } from './support/node-entry-points';
import { isNightly, takeSome } from '../support/jest/properties';
import { NIGHTLY_SPLITS, SPLITS, splitBodies } from './support/split-bodies';
import type timers from 'node:timers';

type SplitBodies = typeof import('./support/split-bodies');
jest.mock(
	'../../lib/http/compressed-body',
	() => jest.requireActual<SplitBodies>('./support/split-bodies').compressedBody,
);

/** Timeouts of seconds become minutes here: a busy machine must not look like a silent server. */
jest.mock('node:timers', () => {
	const real = jest.requireActual<typeof timers>('node:timers');
	const setTimeout = (call: () => void, ms = 0) =>
		real.setTimeout(call, Math.min(ms < 4_000 ? ms : ms * 60, 2 ** 31 - 1));
	return { ...real, setTimeout };
});

/** @returns undefined if the node neither requests the recorded endpoint nor reports a reason */
async function resultAt(exchange: Exchange, run: (played: Played) => Promise<Json>) {
	const playback = await play(exchange);
	try {
		const result = await run({ exchange, url: playback.url }).catch((error: unknown) =>
			failureOf(error, exchange),
		);
		return playback.requestCount() > 0 || isRefusal(result) ? readable(result) : undefined;
	} finally {
		await playback.close();
	}
}

/** Whether the node reports its own reason. A path that the server lacks belongs to another endpoint. */
function isRefusal({ error }: Json): boolean {
	return isRecord(error) && error.type !== 'routeNotFound';
}

async function resultsOf(exchange: Exchange): Promise<Json> {
	const { method, path } = exchange.request;
	const results: Json = {};
	for (const [label, run] of getEntryPoints(exchange)) {
		const result = await resultAt(exchange, run);
		if (result !== undefined) results[label] = result;
	}
	return Object.keys(results).length === 0 ? {} : { ...results, request: `${method} ${path}` };
}

const snapshots = createSnapshots('models', ({ length }) => length <= 200);
const exchanges = everyExchange().filter((exchange) => getEntryPoints(exchange).length > 0);
const files = [...new Set(exchanges.map(({ file }) => file))];

test('every folder of recordings has snapshots, or is excluded for a reason', () => {
	expect(unknownFolders()).toEqual([]);
});

const playedSplits = isNightly ? NIGHTLY_SPLITS : SPLITS;
/** A recorded result is that of the recorded pieces. */
const splits = isWriting ? SPLITS.slice(0, 1) : playedSplits;

describe.each(files)('recordings in %s', (file) => {
	const own = exchanges.filter((exchange) => exchange.file === file);
	const expected = snapshots.read(`${file}.json`);
	const written: Json = {};

	describe.each(splits)('bodies %s', (split) => {
		const some = split === 'as recorded' ? own : takeSome(own, files.indexOf(file));
		if (some.length === 0) return;
		beforeAll(() => splitBodies(split));

		test.each(some.map((exchange) => [exchange.name, exchange] as const))(
			'%s has the stored result',
			async (name, exchange) => {
				const results = await resultsOf(exchange);
				if (isWriting) written[name] = results;
				else expect(results).toEqual(expected[name] ?? {});
			},
		);
	});

	test('no snapshot belongs to a deleted recording', () => {
		const names = new Set(own.map(({ name }) => name));
		expect(isWriting ? [] : Object.keys(expected).filter((name) => !names.has(name))).toEqual([]);
	});

	afterAll(() => {
		const entries = Object.entries(written).filter(([, results]) => isNonEmpty(results));
		entries.sort(([one], [other]) => (one < other ? -1 : 1));
		if (isWriting) snapshots.write(`${file}.json`, Object.fromEntries(entries));
	});
});
