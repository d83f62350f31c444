import { documentRoutes } from '../../../../lib/dify/knowledge/routes';
import * as fc from 'fast-check';

import {
	checkSources,
	HASH_FIELD,
	hashOf,
	planSync,
	sha256,
	SOURCE_FIELD,
	type SyncRules,
	type SyncSource,
} from '../../../../lib/dify/knowledge/sync';
import { plannedOutcome, runStep, type SyncRun } from '../../../../lib/dify/knowledge/sync-run';
import { addDocument, type DifySim, type SimDataset } from '../../../servers/dify';
import { failureOf, fileOf } from '../client';
import { apiOf, scene, writes } from './setup';

const RULES: SyncRules = { whenGone: 'disable', mostGonePercent: 20, isComplete: true };

function source(name: string, content = name): SyncSource {
	return { source: `/in/${name}`, name, hash: sha256(content) };
}

/** Syncs as the node does, and gives what was done. */
async function sync(
	sim: DifySim,
	base: SimDataset,
	sources: SyncSource[],
	rules: Partial<SyncRules> = {},
	signal?: AbortSignal,
): Promise<string[]> {
	const open = apiOf(sim);
	const api = signal === undefined ? open : open.withSignal(signal);
	const run: SyncRun = {
		content: async (_source, name) => ({ file: fileOf(`content of ${name}`, name) }),
		create: { technique: 'high_quality' },
		waitMs: 5000,
	};
	const documents = await api.list(documentRoutes.list, { dataset_id: base.id }, 'all');
	const steps = await planSync(sources, documents, { ...RULES, ...rules });
	const done: string[] = [];
	for (const step of steps)
		done.push(`${(await runStep(api, base.id, step, run)).action} ${step.source}`);
	return done;
}

describe('Document Sync', () => {
	const FILES = ['a.md', 'b.md', 'c.md'].map((name) => source(name));

	test('D97: what is new is created; a second time, nothing is written', async () => {
		const { sim, base } = await scene();
		expect(await sync(sim, base, FILES)).toEqual([
			'created /in/a.md',
			'created /in/b.md',
			'created /in/c.md',
		]);
		expect(
			[...base.documents.values()].map(({ name, values }) => [
				name,
				values.get(SOURCE_FIELD)?.value,
			]),
		).toEqual([
			['a.md', '/in/a.md'],
			['b.md', '/in/b.md'],
			['c.md', '/in/c.md'],
		]);
		const before = writes(sim).length;
		expect(await sync(sim, base, FILES)).toEqual([
			'unchanged /in/a.md',
			'unchanged /in/b.md',
			'unchanged /in/c.md',
		]);
		expect(writes(sim)).toHaveLength(before);
	});

	test('1,000 unchanged documents: no write, and at most 12 requests', async () => {
		const { sim, base } = await scene({
			fields: [SOURCE_FIELD, HASH_FIELD].map((name) => ({ id: `f-${name}`, name, type: 'string' })),
		});
		const files = Array.from({ length: 1000 }, (_, at) => source(`file ${at}.md`));
		for (const file of files) addMarked(sim, base, file);
		expect(new Set((await sync(sim, base, files)).map((done) => done.split(' ')[0]))).toEqual(
			new Set(['unchanged']),
		);
		expect(writes(sim)).toEqual([]);
		expect(sim.requests.length).toBeLessThanOrEqual(12);
	});

	test('D98: changed content is sent, waited for, and marked at the very end', async () => {
		const { sim, base } = await scene();
		await sync(sim, base, FILES);
		sim.store.knowledge.steps = 3;
		const at = sim.requests.length;
		const ids = [...base.documents.keys()];
		expect(await sync(sim, base, [FILES[0]!, source('b.md', 'new'), FILES[2]!])).toEqual([
			'unchanged /in/a.md',
			'updated /in/b.md',
			'unchanged /in/c.md',
		]);
		const order = sim.requests
			.slice(at)
			.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`);
		const created = order.indexOf('POST create-by-file');
		expect(order.lastIndexOf('GET indexing-status')).toBeGreaterThan(created);
		expect(order.indexOf('POST metadata')).toBeGreaterThan(
			order.lastIndexOf('GET indexing-status'),
		);
		expect([...base.documents.keys()]).toEqual(ids);
	});

	test('D99: killed at any request, the next syncs complete it, without duplicates', async () => {
		const counted = await scene();
		await sync(counted.sim, counted.base, FILES);
		for (let cut = 1; cut <= counted.sim.requests.length; cut++) {
			const { sim, base } = await scene();
			const killed = new AbortController();
			const push = sim.requests.push.bind(sim.requests);
			let seen = 0;
			sim.requests.push = (...requests) => {
				if (++seen === cut) killed.abort(new Error('killed'));
				return push(...requests);
			};
			await sync(sim, base, FILES, {}, killed.signal).catch(() => undefined);
			await sync(sim, base, FILES);
			expect([...base.documents.values()].map(({ name }) => name).sort()).toEqual([
				'a.md',
				'b.md',
				'c.md',
			]);
			expect(await sync(sim, base, FILES)).toEqual(FILES.map((file) => `unchanged ${file.source}`));
		}
	});

	test('D100: an empty source changes nothing, nor does one that is not complete', async () => {
		const { sim, base } = await scene();
		await sync(sim, base, FILES);
		const before = writes(sim).length;
		expect(await sync(sim, base, [], { mostGonePercent: 100 })).toEqual([]);
		expect(
			await sync(sim, base, FILES.slice(1), { mostGonePercent: 100, isComplete: false }),
		).toHaveLength(2);
		expect(writes(sim)).toHaveLength(before);
	});

	test('D101: 3 of 10 gone are more than 20 %, so nothing is done', async () => {
		const { sim, base } = await scene();
		const files = Array.from({ length: 10 }, (_, at) => source(`${at}.md`));
		for (const file of files) addMarked(sim, base, file);
		const failed = await failureOf(sync(sim, base, files.slice(3)));
		expect(failed.message).toBe(
			'3 of 10 documents have no source any more, which is more than 20 %',
		);
		expect(failed.remedy).toContain('Is the list of sources complete?');
		expect(writes(sim)).toEqual([]);
		const rest = (await sync(sim, base, files.slice(3), { mostGonePercent: 30 })).slice(7);
		expect(rest.sort()).toEqual(['disabled /in/0.md', 'disabled /in/1.md', 'disabled /in/2.md']);
		// They count no more, and come back as they were.
		expect(await sync(sim, base, files.slice(3))).toHaveLength(7);
		expect((await sync(sim, base, files)).slice(0, 3)).toEqual([
			'enabled /in/0.md',
			'enabled /in/1.md',
			'enabled /in/2.md',
		]);
		expect(base.documents.size).toBe(10);
	});

	test('gone documents can be deleted, or kept; others are never touched', async () => {
		const { sim, base } = await scene({ technique: 'high_quality' });
		addDocument(sim.store, base, { name: 'by hand.txt' });
		await sync(sim, base, FILES);
		expect(await sync(sim, base, FILES.slice(1), { whenGone: 'keep' })).toHaveLength(2);
		const done = await sync(sim, base, FILES.slice(1), { whenGone: 'delete', mostGonePercent: 50 });
		expect(done.at(-1)).toBe('deleted /in/a.md');
		expect([...base.documents.values()].map(({ name }) => name)).toEqual([
			'by hand.txt',
			'b.md',
			'c.md',
		]);
	});

	test('a document in the archive, disabled or failed is brought back under its name', async () => {
		const { sim, base } = await scene();
		await sync(sim, base, FILES);
		const [a, b, c] = [...base.documents.values()];
		a!.archived = true;
		b!.enabled = false;
		c!.status = 'error';
		expect(await sync(sim, base, FILES)).toEqual([
			'enabled /in/a.md',
			'enabled /in/b.md',
			'updated /in/c.md',
		]);
		expect(await sync(sim, base, FILES)).toEqual(FILES.map((file) => `unchanged ${file.source}`));
		expect(base.documents.size).toBe(3);
	});

	test('two documents of one source: the one that is found stays', async () => {
		const { sim, base } = await scene();
		addMarked(sim, base, source('a.md'), { enabled: false });
		const good = addMarked(sim, base, source('a.md'));
		expect(await sync(sim, base, [source('a.md')], { whenGone: 'delete' })).toEqual([
			'unchanged /in/a.md',
			'deleted /in/a.md',
		]);
		expect([...base.documents.keys()]).toEqual([good.id]);
	});
});

function addMarked(sim: DifySim, base: SimDataset, file: SyncSource, over = {}) {
	for (const name of [SOURCE_FIELD, HASH_FIELD])
		if (!base.fields.some((field) => field.name === name))
			base.fields.push({ id: `f-${name}`, name, type: 'string' });
	const values = new Map([
		[SOURCE_FIELD, { id: `f-${SOURCE_FIELD}`, value: file.source }],
		[HASH_FIELD, { id: `f-${HASH_FIELD}`, value: file.hash }],
	]);
	return addDocument(sim.store, base, { name: file.name, values, ...over });
}

describe('the plan of a sync', () => {
	const marked = (name: string, more = {}) => ({
		id: `id of ${name}`,
		name,
		indexing_status: 'completed',
		display_status: 'available',
		enabled: true,
		doc_metadata: [
			{ id: 's', name: SOURCE_FIELD, value: `/in/${name}` },
			{ id: 'h', name: HASH_FIELD, value: sha256(name) },
		],
		...more,
	});

	test('two sources with names that become the same in Dify get names of their own, always the same', async () => {
		const files = [
			{ source: '1', name: 'a/b.md', hash: 'h' },
			{ source: '2', name: 'a:b.md', hash: 'h' },
			{ source: '3', name: `${'n'.repeat(250)}.md`, hash: 'h' },
		];
		const namesFor = async (sources: typeof files) =>
			(await planSync(sources, [], RULES)).map((step) => ('name' in step ? step.name : ''));
		const names = await namesFor(files);
		expect(names).toEqual([
			`a_b-${sha256('1').slice(0, 8)}.md`,
			`a_b-${sha256('2').slice(0, 8)}.md`,
			`${'n'.repeat(188)}-${sha256('3').slice(0, 8)}.md`,
		]);
		expect(await namesFor([...files].reverse())).toEqual(names.reverse());
	});

	test('a name that belongs to the document of another source is not taken over', async () => {
		const [step] = await planSync(
			[{ source: '/new/a.md', name: 'a.md', hash: 'h' }],
			[marked('a.md')],
			{
				...RULES,
				whenGone: 'keep',
			},
		);
		expect(step).toMatchObject({
			action: 'create',
			name: `a-${sha256('/new/a.md').slice(0, 8)}.md`,
		});
	});

	test('a document without a marker, but with the name, is adopted', async () => {
		const bare = { ...marked('a.md'), doc_metadata: null };
		expect(await planSync([source('a.md')], [bare], RULES)).toMatchObject([
			{ action: 'update', document: { id: 'id of a.md' } },
		]);
	});

	test('the same source twice is an error', () => {
		expect(() => checkSources([source('a'), source('a')])).toThrow(
			'Two items have the source "/in/a"',
		);
	});

	test('what a dry run shows', async () => {
		const steps = await planSync([source('a.md', 'new'), source('b.md')], [marked('a.md')], RULES);
		expect(steps.map(plannedOutcome)).toEqual([
			{
				action: 'updated',
				source: '/in/a.md',
				documentId: 'id of a.md',
				name: 'a.md',
				indexingStatus: 'completed',
				remarks: [],
			},
			{ action: 'created', source: '/in/b.md', name: 'b.md', remarks: [] },
		]);
	});

	test('for any sources and documents: each source has one step, each new document a name of its own', async () => {
		const name = fc.constantFrom(
			'a.md',
			'b.md',
			'a/b.md',
			'a:b.md',
			'a_b.md',
			`${'x'.repeat(220)}.md`,
		);
		const files = fc.uniqueArray(
			fc.record({ source: fc.string({ minLength: 1 }), name, hash: fc.string() }),
			{
				selector: (each) => each.source,
			},
		);
		await fc.assert(
			fc.asyncProperty(files, fc.array(name), fc.jsonValue(), async (sources, known, odd) => {
				const documents = [
					...known.map((each) => marked(each)),
					{ id: 'odd', name: odd, doc_metadata: odd },
				];
				const steps = await planSync(sources, documents, { ...RULES, mostGonePercent: 100 });
				expect(steps.slice(0, sources.length).map((step) => step.source)).toEqual(
					sources.map((each) => each.source),
				);
				const names = steps.flatMap((step) => (step.action === 'create' ? [step.name] : []));
				expect(new Set(names).size).toBe(names.length);
				for (const each of names) expect([...each].length).toBeLessThanOrEqual(200);
				// Nothing that no sync has made is disabled.
				for (const step of steps.slice(sources.length))
					expect('document' in step && step.document.id).not.toBe('odd');
			}),
		);
	});
});

test('the hash of a file does not depend on its pieces', async () => {
	const whole = sha256('some content of a file');
	for (const piece of [1, 3, 7, 1000])
		expect(await hashOf(fileOf('some content of a file', 'a', 'text/plain', piece).open())).toBe(
			whole,
		);
});
