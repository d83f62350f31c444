/**
 * Results of the Dify nodes for each recorded exchange with a real Dify, as recorded and in other pieces: items, text in
 * the chat, hints, or the error. `CONTRACT_WRITE=1` updates the snapshots (README.md).
 */
import { DIFY_SETS, difyExchanges } from './support/dify-exchanges';
import type { DifyExchange } from './support/dify-exchanges';
import { operationsOf } from './support/dify-operations';
import type { OperationRow } from './support/dify-operations';
import { isWriting } from '../support/approved/is-writing';
import { createSnapshots } from './support/snapshots';
import { resultOf } from './support/dify-results';
import type { DifyResult } from './support/dify-results';
import { isNightly, takeSome } from '../support/jest/properties';
import { NIGHTLY_SPLITS, SPLITS, splitBodies } from './support/split-bodies';

type VirtualTime = typeof import('./support/virtual-time');
jest.mock('node:timers', () => jest.requireActual<VirtualTime>('./support/virtual-time').timers);
jest.mock('n8n-workflow', () => jest.requireActual<VirtualTime>('./support/virtual-time').workflow);

type SplitBodies = typeof import('./support/split-bodies');
jest.mock(
	'../../lib/http/compressed-body',
	() => jest.requireActual<SplitBodies>('./support/split-bodies').compressedBody,
);

interface Played {
	exchange: DifyExchange;
	row: OperationRow;
}

/** Exchanges by the file with their results. */
function filesOf(set: (typeof DIFY_SETS)[number]): Array<[file: string, played: Played[]]> {
	const files = new Map<string, Played[]>();
	for (const exchange of difyExchanges(set)) {
		for (const row of operationsOf(exchange)) {
			const file = `${set}.${row.node}.json`;
			files.set(file, [...(files.get(file) ?? []), { exchange, row }]);
		}
	}
	return [...files];
}

const all = DIFY_SETS.flatMap(filesOf);
const store = createSnapshots('dify', (json, indent) => json.length + indent.length <= 110);

/**
 * The moderation of Dify replaces the text of these runs. If that arrives later than the text, the chat has shown the
 * text already, as one more message.
 */
const REPLACED_TEXTS: ReadonlySet<string> = new Set([
	'chat-mod-output',
	'cm-mod-output-short',
	'flow-mod-output-2',
]);

function withoutReplacedText(name: string, result: DifyResult): DifyResult {
	return REPLACED_TEXTS.has(name) ? { ...result, typed: result.typed?.slice(1) } : result;
}

const playedSplits = isNightly ? NIGHTLY_SPLITS : SPLITS;
/** A recorded result is that of the recorded pieces. */
const splits = isWriting ? SPLITS.slice(0, 1) : playedSplits;

describe.each(all)('recordings in %s', (file, played) => {
	const snapshots = store.read(file);
	const results: Record<string, DifyResult> = {};
	const siblings = difyExchanges(played[0]!.exchange.set);

	afterAll(() => {
		if (isWriting) store.write(file, { ...results });
	});

	describe.each(splits)('bodies %s', (split) => {
		const shift = all.findIndex(([name]) => name === file);
		const some = split === 'as recorded' ? played : takeSome(played, shift);
		if (some.length === 0) return;
		beforeAll(() => splitBodies(split));

		test.each(some.map((each) => [each.exchange.name, each] as const))(
			'%s has the stored result',
			async (name, each) => {
				const { result, starts } = await resultOf(each.exchange, each.row, siblings);
				results[name] = result;
				expect(starts).toBe(each.row.startsRun ? 1 : starts);
				if (isWriting) return;
				const isWhole = split === 'as recorded';
				expect(isWhole ? result : withoutReplacedText(name, result)).toEqual(snapshots[name]);
			},
		);
	});

	test('has no result of a deleted recording', () => {
		const names = played.map(({ exchange }) => exchange.name).sort();
		expect(Object.keys(isWriting ? results : snapshots).sort()).toEqual(names);
	});
});

test('each file with results belongs to recordings', () => {
	expect(store.list().sort()).toEqual(all.map(([file]) => file).sort());
});

test('each recording is replayed through a node', () => {
	const unread = DIFY_SETS.flatMap(difyExchanges).filter(
		(exchange) => operationsOf(exchange).length === 0,
	);
	expect(unread.map(({ set, name }) => `${set}/${name}`)).toEqual([]);
});
