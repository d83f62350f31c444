/**
 * A run whose stream is cut gives the same item as one whose stream is not: each recorded run is played both ways, cut
 * after every event. What only later events have (token counts, sources, values of nodes) is not compared.
 */
import { isDeepStrictEqual } from 'node:util';

import type { JsonRecord } from '../../lib/values/records';
import { DIFY_SETS, difyExchanges, isStream } from '../recordings/support/dify-exchanges';
import type { DifyExchange } from '../recordings/support/dify-exchanges';
import { operationsOf } from '../recordings/support/dify-operations';
import type { OperationRow } from '../recordings/support/dify-operations';
import { resultOf } from '../recordings/support/dify-results';
import type { DifyResult } from '../recordings/support/dify-results';
import { isNightly, takeSome } from '../support/jest/properties';

type VirtualTime = typeof import('../recordings/support/virtual-time');
jest.mock(
	'node:timers',
	() => jest.requireActual<VirtualTime>('../recordings/support/virtual-time').timers,
);
jest.mock(
	'n8n-workflow',
	() => jest.requireActual<VirtualTime>('../recordings/support/virtual-time').workflow,
);

interface RecordedRun {
	name: string;
	exchange: DifyExchange;
	row: OperationRow;
	siblings: DifyExchange[];
}

const RUNS = DIFY_SETS.flatMap((set): RecordedRun[] => {
	const siblings = difyExchanges(set);
	const streams = siblings.filter((each) => isStream(each) && each.ended === undefined);
	return streams.flatMap((exchange) =>
		operationsOf(exchange).map((row) => ({
			name: `${set}/${exchange.name}`,
			exchange,
			row,
			siblings,
		})),
	);
});

/** What nobody recorded of the answers of a real Dify to a run whose stream was cut. */
interface Unrecorded {
	/** Fields of the item that may differ; the others are compared. */
	fields: readonly string[] | 'all';
	/** Why. */
	reason: string;
}

const unrecordedMessage = (reason: string): Unrecorded => ({ fields: ['answer'], reason });
const unrecordedText = (reason: string): Unrecorded => ({ fields: ['text'], reason });

const NOT_RECORDED: Readonly<Record<string, Unrecorded>> = {
	'dify-1.14.2/events-paused-snapshot': { fields: 'all', reason: 'the record' },
	'dify-1.14.2/flow-mod-output-2': unrecordedMessage(
		'the message, with the text of the moderation',
	),
	'dify-1.14.2/stop-stop-open-flow': unrecordedMessage(
		'the message, with the text of the stopped run',
	),
	'dify-1.14.2/wf-16': unrecordedText('the text of outputs with objects'),
	'dify-1.14.2/wf-iter-continue-stream': unrecordedText('the text of outputs with lists'),
	'dify-1.14.2/wf-stop-mid-other-user': unrecordedText(
		'Dify does not store that of stopped workflows',
	),
	'dify-1.16.0/human-flow-follow': { fields: ['answered'], reason: 'the button that was used' },
	'dify-1.16.0/human-second-turn': { fields: 'all', reason: 'the record' },
	'dify-1.16.0/human-wf': {
		fields: ['status', 'outputs', 'text', 'forms'],
		reason: 'the events of the paused run; its record is from after the submission',
	},
	'dify-1.16.0/human-wf-follow': {
		fields: ['status', 'forms'],
		reason: 'the events of the paused run',
	},
	'dify-1.16.0/stop-stop-open-flow': unrecordedMessage(
		'the message, with the text of the stopped run',
	),
	'dify-1.16.0/wf-files-through': unrecordedText('the text of outputs with files'),
	'dify-1.16.0/wf-stop-mid': unrecordedText('Dify does not store that of stopped workflows'),
	'dify-1.16.1/human-wf-start.02': {
		fields: ['status', 'outputs', 'text', 'forms'],
		reason: 'the events of the paused run; its record is from later',
	},
};

/** Number of events, pings included. */
function countEvents({ answer }: DifyExchange): number {
	return answer.body.toString('utf8').split('\n\n').length - 1;
}

/** Fields of an item that only later events have. */
const LATER_FIELDS = ['usage', 'sources', 'workflow', 'nodes', 'warnings', 'thoughts'];

/** The item without them; undefined for an error, which no later node takes for an item. */
function toComparable({ items }: DifyResult, { row }: RecordedRun): JsonRecord | undefined {
	if (items === undefined) return undefined;
	// A run that is followed gets its task ID from its first event.
	const omitted = row.startsRun ? LATER_FIELDS : [...LATER_FIELDS, 'taskId'];
	expect(items).toHaveLength(1);
	return withoutFields((items[0] as { json: JsonRecord }).json, omitted);
}

function withoutFields(json: JsonRecord, names: readonly string[]): JsonRecord {
	return Object.fromEntries(Object.entries(json).filter(([name]) => !names.includes(name)));
}

const counts = {
	runs: 0,
	cuts: 0,
	/** The item of the whole run. */
	same: 0,
	/** The same, except for fields of `NOT_RECORDED`. */
	partly: 0,
	failed: 0,
	unstored: 0,
	unknown: 0,
	notRecorded: 0,
};

/** Why the cut run has no item to compare; undefined if it must have one. */
function getException(
	{ name, exchange }: RecordedRun,
	whole: JsonRecord | undefined,
	events: number,
) {
	// The run fails in both ways.
	if (whole === undefined) return 'failed';
	// Dify stores no record of these apps: the error has the text so far.
	if (!['advanced-chat', 'workflow'].includes(exchange.app)) return 'unstored';
	// Only a ping arrived, so the ID of a new run is unknown.
	if (events === 1 && exchange.answer.body.toString('utf8').startsWith('event: ping'))
		return 'unknown';
	return NOT_RECORDED[name]?.fields === 'all' ? 'notRecorded' : undefined;
}

test.each(RUNS)(
	'the result of $name is the same, or an error, wherever its stream is lost',
	async (run) => {
		const { exchange, row, siblings, name } = run;
		const whole = toComparable((await resultOf(exchange, row, siblings)).result, run);
		counts.runs++;
		const cuts = Array.from({ length: countEvents(exchange) - 1 }, (_none, at) => at + 1);
		for (const events of takeSome(cuts, counts.runs)) {
			const { result, starts } = await resultOf(exchange, row, siblings, events);
			expect(starts).toBe(row.startsRun ? 1 : 0);
			const item = toComparable(result, run);
			counts.cuts++;
			const exception = getException(run, whole, events);
			if (item === undefined && exception !== undefined) {
				counts[exception]++;
				continue;
			}
			const isSame = isDeepStrictEqual(item, whole);
			const fields = NOT_RECORDED[name]?.fields ?? [];
			const omitted = isSame || fields === 'all' ? [] : fields;
			counts[isSame ? 'same' : 'partly']++;
			expect({ events, item: item && withoutFields(item, omitted) }).toEqual({
				events,
				item: whole && withoutFields(whole, omitted),
			});
		}
	},
);

test('the number of runs and of lost streams that were compared', () => {
	expect(counts).toEqual(
		isNightly
			? {
					runs: 76,
					cuts: 844,
					same: 337,
					partly: 197,
					failed: 96,
					unstored: 168,
					unknown: 32,
					notRecorded: 14,
				}
			: {
					runs: 76,
					cuts: 278,
					same: 108,
					partly: 68,
					failed: 33,
					unstored: 54,
					unknown: 11,
					notRecorded: 4,
				},
	);
	const names = RUNS.map(({ name }) => name);
	expect(Object.keys(NOT_RECORDED).filter((name) => !names.includes(name))).toEqual([]);
});
