/** What a sync does with a document in any state, with and without its source, under any option. */
import { applySyncStep, planSync } from '../../../../lib/dify/knowledge/sync';
import type { SyncSource } from '../../../../lib/dify/knowledge/sync';
import { expectApproved } from '../../../support/approved/approved-table';
import { awaitOutcome, combine, getOutcome } from '../../../support/approved/outcome';
import { createRecordedClient } from '../recorded-client';
import path from 'node:path';

const DATASET = '11111111-2222-4333-8444-555555555555';
const DOCUMENT = '22222222-2222-4333-8444-555555555555';

const source = (name: string, hash = 'new'): SyncSource => ({
	source: name,
	name: `${name}.txt`,
	hash,
	content: async (file: string) => ({ type: 'text', name: file, text: 'hello' }),
});

/** A document that a sync created, or one without a source. */
const document = (
	state: object,
	{ from, hash = 'new' }: { from?: string; hash?: string } = {},
) => ({
	id: DOCUMENT,
	name: 'kept.txt',
	indexing_status: 'completed',
	enabled: true,
	archived: false,
	tokens: 0,
	word_count: 3,
	doc_metadata:
		from === undefined
			? []
			: [
					{ name: 'n8n_source', value: from },
					{ name: 'n8n_hash', value: hash },
				],
	...state,
});

const STATES = {
	fine: {},
	disabled: { enabled: false },
	archived: { archived: true },
	'archived and disabled': { archived: true, enabled: false },
	indexing: { indexing_status: 'indexing' },
	failed: { indexing_status: 'error' },
	'said to be available': { display_status: 'available', enabled: false },
	'said to be disabled': { display_status: 'disabled' },
} as const;
const WHEN_MISSING = ['disable', 'delete', 'keep'] as const;

test('the steps: each state of a document, with a source that is the same, changed or gone', () => {
	const cases = combine({
		state: Object.keys(STATES) as Array<keyof typeof STATES>,
		item: ['same', 'changed', 'gone', 'of its name'],
		onMissingSource: WHEN_MISSING,
		isComplete: [true, false],
	}).filter(
		({ item, onMissingSource, isComplete }) =>
			item === 'gone' || (onMissingSource === 'disable' && isComplete),
	);
	const rows = cases.map(({ state, item, onMissingSource, isComplete }) => {
		const from = item === 'of its name' ? undefined : 'a';
		const sources = [
			item === 'gone' ? source('b') : { ...source('a', item === 'changed' ? 'other' : 'new') },
		];
		if (item === 'of its name') sources[0]!.name = 'kept.txt';
		const options = { onMissingSource, maxRemovedPercent: 100, isComplete };
		return {
			input: `${state}, source ${item}, ${onMissingSource}, complete ${isComplete}`,
			outcome: getOutcome(() =>
				planSync(sources, [document(STATES[state], { from })], options)
					.map((step) => `${step.action} ${step.source} as ${step.content?.name ?? '-'}`)
					.join(', '),
			),
		};
	});
	const many = combine({
		count: [1, 2, 5],
		gone: [0, 1, 2, 3],
		maxRemovedPercent: [0, 20, 50, 100],
	})
		.filter(({ count, gone }) => gone <= count)
		.map(({ count, gone, maxRemovedPercent }) => ({
			input: `${gone} of ${count} sources gone, at most ${maxRemovedPercent} %`,
			outcome: getOutcome(() => {
				const names = Array.from({ length: count }, (_none, at) => `s${at}`);
				const documents = names.map((from) => document({ name: from }, { from }));
				const sources = [...names.slice(gone).map((name) => source(name)), source('x')];
				const options = { onMissingSource: 'delete', maxRemovedPercent, isComplete: true } as const;
				return planSync(sources, documents, options).map(
					({ action, source: of }) => `${action} ${of}`,
				);
			}),
		}));
	const names = [
		[
			'one name for two new sources',
			[
				{ ...source('a/x'), name: 'x.txt' },
				{ ...source('b/x'), name: 'x.txt' },
			],
		],
		[
			'a name that a synced document of another source has',
			[{ ...source('b'), name: 'kept.txt' }, source('a')],
		],
		['one source twice', [source('a'), source('a')]],
		[
			'a source that ends with its name',
			[{ ...source('z/kept.txt'), name: 'kept.txt' }, source('a')],
		],
	] as const;
	const named = names.map(([input, sources]) => ({
		input,
		outcome: getOutcome(() =>
			planSync(sources, [document({}, { from: 'a' })], {
				onMissingSource: 'keep',
				maxRemovedPercent: 0,
				isComplete: true,
			}).map((step) => `${step.action} ${step.source} as ${step.content?.name ?? '-'}`),
		),
	}));
	expectApproved(
		path.join(__dirname, 'sync.any-documents.approved.txt'),
		[...rows, ...many, ...named],
		'A sync writes what changed, and deletes nothing whose source may still be there',
	);
});

test('the requests of each step, in their order, and its result', async () => {
	const steps = combine({
		action: ['created', 'updated', 'unchanged', 'enabled', 'disabled', 'deleted'] as const,
		state: Object.keys(STATES) as Array<keyof typeof STATES>,
	}).filter(({ action, state }) => action !== 'created' || state === 'fine');
	const rows = [];
	for (const { action, state } of steps) {
		const route = `/datasets/${DATASET}`;
		const { client, sent } = createRecordedClient({
			[`GET ${route}`]: { indexing_technique: 'economy', doc_form: 'text_model' },
			[`POST ${route}/document/create-by-text`]: { document: { id: DOCUMENT }, batch: 'b1' },
			[`GET ${route}/documents/b1/indexing-status`]: {
				data: [{ id: DOCUMENT, indexing_status: 'completed', total_segments: 2 }],
			},
			[`GET ${route}/metadata`]: { doc_metadata: [] },
			[`POST ${route}/metadata`]: { id: 'field' },
			[`GET ${route}/documents/${DOCUMENT}`]: { doc_metadata: [] },
		});
		const isWritten = action === 'created' || action === 'updated';
		const step = {
			action,
			source: 'a',
			content: isWritten ? source('a') : undefined,
			document: action === 'created' ? undefined : document(STATES[state], { from: 'a' }),
		};
		const run = { datasetId: DATASET, create: {}, waitMs: 1_000 };
		const result = await awaitOutcome(async () => await applySyncStep(client, step, run));
		const text = [...sent, JSON.stringify(result)].join('; ');
		rows.push({
			input: `${action}, ${state}`,
			outcome: text.replaceAll(DATASET, 'BASE').replaceAll(DOCUMENT, 'DOC'),
		});
	}
	expectApproved(
		path.join(__dirname, 'sync.any-documents.steps.approved.txt'),
		rows,
		'A step of a sync sends its requests in order, and tells what it did',
	);
});
