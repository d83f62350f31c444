/** Which steps a sync plans. What they do in Dify: test/nodes/DifyKnowledge/document/sync.test.ts. */
import { computeSha256, planSync, toSyncResult } from '../../../../lib/dify/knowledge/sync';
import type { SyncOptions, SyncSource } from '../../../../lib/dify/knowledge/sync';

const OPTIONS: SyncOptions = {
	onMissingSource: 'disable',
	maxRemovedPercent: 50,
	isComplete: true,
};

const toSource = (source: string, more: Partial<SyncSource> = {}): SyncSource => ({
	source,
	hash: 'h',
	name: source,
	content: async (name) => await Promise.resolve({ type: 'text', name, text: '' }),
	...more,
});

/** A document that a sync created, with the name of its source. */
const toDocument = (source: string, more: object = {}) => ({
	id: `id of ${source}`,
	name: source,
	indexing_status: 'completed',
	doc_metadata: [
		{ name: 'n8n_source', value: source },
		{ name: 'n8n_hash', value: 'h' },
	],
	...more,
});

function plan(sources: SyncSource[], documents: object[], options: Partial<SyncOptions> = {}) {
	const steps = planSync(sources, documents as Array<Record<string, unknown>>, {
		...OPTIONS,
		...options,
	});
	return steps.map(({ action, source, content, document }) =>
		[action, source, content && `as ${content.name}`, document?.id].filter(Boolean).join(' '),
	);
}

test('nothing to do without sources and documents', () => {
	expect(plan([], [])).toEqual([]);
});

test.each<[string, object, string]>([
	['is up to date', {}, 'unchanged a id of a'],
	['is shown as available', { display_status: 'available', enabled: false }, 'unchanged a id of a'],
	['is disabled', { enabled: false }, 'enabled a id of a'],
	['is archived', { archived: true }, 'enabled a id of a'],
	['is shown as disabled', { display_status: 'disabled' }, 'enabled a id of a'],
	['is not indexed', { indexing_status: 'error' }, 'updated a as a id of a'],
	['has another hash', { doc_metadata: { n8n_source: 'a' } }, 'updated a as a id of a'],
	['keeps its name', { name: 'old', indexing_status: 'error' }, 'updated a as old id of a'],
	['has no name', { name: '', indexing_status: 'error' }, 'updated a as a id of a'],
])('a document that %s', (_state, more, step) => {
	expect(plan([toSource('a')], [toDocument('a', more)])).toEqual([step]);
});

test.each([
	[[{ id: 'old', enabled: false }, { id: 'new' }], 'new'],
	[[{ id: 'new' }, { id: 'old', enabled: false }], 'new'],
	[[{ id: 'first' }, { id: 'second' }], 'first'],
])('of two documents of a source, the first available one counts: %j', (states, id) => {
	const documents = states.map((more) => toDocument('a', more));
	expect(plan([toSource('a')], documents)).toEqual([`unchanged a ${id}`]);
});

describe('a new document', () => {
	test('gets a name that can be uploaded', () => {
		expect(plan([toSource('a/b.md')], [])).toEqual(['created a/b.md as a_b.md']);
	});

	test('replaces one of that name that no sync created', () => {
		const other = { id: 'x', name: 'a' };
		expect(plan([toSource('1', { name: 'a' })], [other])).toEqual(['updated 1 as a x']);
	});

	test('does not take the name of another source', () => {
		const other = toDocument('b', { name: 'r.md' });
		const sources = [toSource('b'), toSource('x/r.md', { name: 'r.md' })];
		expect(plan(sources, [other])).toEqual(['unchanged b id of b', 'created x/r.md as x_r.md']);
		const named = [toSource('2025', { name: 'r.md' }), toSource('2026', { name: 'r.md' })];
		expect(plan(named, [])).toEqual(['created 2025 as r.md', 'created 2026 as 2026_r.md']);
	});
});

test('the same source twice is an error, whose title is short', () => {
	const source = 'x'.repeat(150);
	expect(() => plan([toSource('a'), toSource(source), toSource(source)], [])).toThrow(
		`Two items have the same source "${'x'.repeat(100)}"`,
	);
});

describe('documents whose source is missing', () => {
	const documents = ['a', 'b', 'c', 'd'].map((source) => toDocument(source));
	const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((source) => toSource(source));
	const removed = (...steps: string[]) => steps.filter((step) => !step.startsWith('unchanged'));

	test.each([
		['disable', ['disabled c id of c', 'disabled d id of d']],
		['delete', ['deleted c id of c', 'deleted d id of d']],
		['keep', []],
	] as const)(
		'documents whose source is missing, with the setting %s',
		(onMissingSource, steps) => {
			expect(removed(...plan([a!, b!], documents, { onMissingSource }))).toEqual(steps);
		},
	);

	test.each([
		[[], { maxRemovedPercent: 100 }],
		[[a!, b!], { isComplete: false }],
	])('stay if the list is empty or incomplete', (sources, options) => {
		for (const onMissingSource of ['disable', 'delete'] as const)
			expect(removed(...plan(sources, documents, { ...options, onMissingSource }))).toEqual([]);
	});

	test.each([
		[[a!, b!, c!], 25, true],
		[[a!, b!, c!], 24, false],
		[[a!], 75, true],
		[[a!], 74, false],
		[[d!], 0, false],
		[[a!, b!, c!, d!], 0, true],
	])('%# may be removed up to the share', (sources, maxRemovedPercent, isAllowed) => {
		const work = () => plan(sources, documents, { maxRemovedPercent });
		if (isAllowed) expect(work).not.toThrow();
		else expect(work).toThrow(`which is more than ${maxRemovedPercent} %`);
	});

	test('that are disabled already are neither disabled again nor part of the share', () => {
		const disabled = ['e', 'f', 'g', 'h'].map((source) => toDocument(source, { enabled: false }));
		const all = [...documents, ...disabled];
		expect(removed(...plan([a!, b!], all))).toEqual(['disabled c id of c', 'disabled d id of d']);
		expect(() => plan([a!], all)).toThrow('The source of 3 of 4 documents is missing');
		const options = { onMissingSource: 'delete', maxRemovedPercent: 75 } as const;
		expect(removed(...plan([a!, b!], all, options))).toHaveLength(6);
	});

	test('are named in the error, up to five', () => {
		const many = ['1', '2', '3', '4', '5', '6'].map((source) => toDocument(source));
		expect(() => plan([a!], many)).toThrow(
			expect.objectContaining({
				type: 'datasetRejected',
				suggestion: expect.stringMatching(/"Max Removals \(%\)".+: 1, 2, 3, 4, 5\.$/) as string,
			}),
		);
	});

	test('documents that no sync created are left alone', () => {
		const other = { id: 'x', name: 'by hand' };
		expect(plan([a!], [toDocument('a'), other], { maxRemovedPercent: 0 })).toHaveLength(1);
	});
});

test('the result of a step has the facts of its document, and the name of its content', () => {
	const document = {
		id: 'i',
		name: 'old',
		indexing_status: 'completed',
		word_count: 5,
		tokens: 7,
	};
	const facts = { indexingStatus: 'completed', wordCount: 5, tokens: 7 };
	const step = { action: 'unchanged', source: 'a', document } as const;
	expect(toSyncResult(step)).toEqual({
		action: 'unchanged',
		source: 'a',
		documentId: 'i',
		name: 'old',
		...facts,
	});
	const content = { ...toSource('a'), name: 'new' };
	const updated = { ...step, action: 'updated', content } as const;
	expect(toSyncResult(updated, { documentId: 'j' })).toMatchObject({
		action: 'updated',
		documentId: 'j',
		name: 'new',
	});
});

test('the hash is that of all chunks', async () => {
	const whole = await computeSha256([Buffer.from('abc')]);
	expect(whole).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
	expect(await computeSha256([Buffer.from('a'), Buffer.from('bc')])).toBe(whole);
});
