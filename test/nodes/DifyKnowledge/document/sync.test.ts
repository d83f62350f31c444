import type { INodeExecutionData } from 'n8n-workflow';

import { binaryFile } from '../../../support/n8n/binary-file';
import { getWrites } from '../../../lib/dify/knowledge/setup';
import { addDataset, knowledgeKey } from '../../../simulators/dify';
import { runDocument, executePrepared, prepare, startScene } from '../setup';
import type { Scene } from '../setup';

jest.mock('../../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../../support/waiting/mock-sleep'),
);

interface File {
	source: string;
	text: string;
	hash?: string;
}

function createItems(
	files: File[],
	isText: boolean,
): { items: INodeExecutionData[]; perItem: Array<Record<string, unknown>> } {
	return {
		items: files.map(({ source, text }) => ({
			json: { source },
			binary: { data: binaryFile(text, source) },
		})),
		perItem: files.map(({ source, text, hash }) => ({
			source,
			...(isText
				? { text, contentType: 'text' }
				: { contentType: 'file', binaryPropertyName: 'data' }),
			...(hash === undefined ? {} : { options: { hash } }),
		})),
	};
}

async function sync(
	scene: Scene,
	files: File[],
	parameters: Record<string, unknown> = {},
	isText = false,
) {
	const results = await runDocument(scene, 'sync', parameters, createItems(files, isText));
	return results.map(({ action, source }) => `${String(action)} ${String(source)}`);
}

const FILES: File[] = [
	{ source: 'a.md', text: 'first' },
	{ source: 'b.md', text: 'second' },
];

describe('syncing documents', () => {
	test('a document that Dify has locked does not block the others, and the next sync retries it', async () => {
		const scene = await startScene();
		await sync(scene, FILES);
		const [locked] = [...scene.dataset.documents.values()];
		locked!.enabled = false;
		locked!.busy = 1_000;
		const results = await runDocument(
			scene,
			'sync',
			{},
			createItems([...FILES, { source: 'c.md', text: 'third' }], false),
		);
		expect(results.map(({ action, source }) => `${String(action)} ${String(source)}`)).toEqual([
			'locked a.md',
			'unchanged b.md',
			'created c.md',
		]);
		expect(String((results[0]!.warnings as string[])[0])).toMatch(
			/"a\.md" was not enabled; the next sync will try again: /,
		);
		locked!.busy = 0;
		expect(await sync(scene, [...FILES, { source: 'c.md', text: 'third' }])).toEqual([
			'enabled a.md',
			'unchanged b.md',
			'unchanged c.md',
		]);
	});

	test.each([true, false])(
		'creates, updates and disables documents, and leaves the others unchanged; as text: %s',
		async (isText) => {
			const scene = await startScene();
			expect(await sync(scene, FILES, {}, isText)).toEqual(['created a.md', 'created b.md']);
			expect(await sync(scene, FILES, {}, isText)).toEqual(['unchanged a.md', 'unchanged b.md']);
			expect(
				await sync(scene, [{ source: 'a.md', text: 'changed' }, FILES[1]!], {}, isText),
			).toEqual(['updated a.md', 'unchanged b.md']);
			expect([...scene.dataset.documents.values()].map(({ text }) => text)).toEqual([
				'changed',
				'second',
			]);
			await expect(sync(scene, [FILES[1]!], {}, isText)).rejects.toThrow(
				'The source of 1 of 2 documents is missing',
			);
			const options = { maxRemovedPercent: 50 };
			const perItem = createItems([FILES[1]!], isText);
			perItem.perItem[0]!.options = options;
			const results = await runDocument(scene, 'sync', {}, perItem);
			expect(results).toMatchObject([
				{ action: 'unchanged', source: 'b.md' },
				{ action: 'disabled', source: 'a.md', datasetId: scene.dataset.id },
			]);
		},
	);

	test.each([
		[
			'disable',
			[
				['a.md', false],
				['b.md', true],
			],
			/^PATCH .+status.disable$/,
		],
		['delete', [['b.md', true]], /^DELETE .+documents.[^/]+$/],
	] as const)(
		'a document without a source: %s is the only change',
		async (onMissingSource, left, change) => {
			const scene = await startScene();
			await sync(scene, FILES);
			const writeCount = getWrites(scene.sim).length;
			const setup = createItems([FILES[1]!], false);
			setup.perItem[0]!.options = { onMissingSource, maxRemovedPercent: 50 };
			await runDocument(scene, 'sync', {}, setup);
			const documents = [...scene.dataset.documents.values()];
			expect(documents.map(({ name, enabled }) => [name, enabled])).toEqual(left);
			const writes = getWrites(scene.sim).slice(writeCount);
			expect(writes.map(({ method, path }) => `${method} ${path}`)).toEqual([
				expect.stringMatching(change),
			]);
		},
	);

	test('a dry run reports the steps and changes nothing', async () => {
		const scene = await startScene();
		const results = await runDocument(scene, 'sync', { dryRun: true }, createItems(FILES, false));
		expect(results).toMatchObject([
			{ action: 'created', source: 'a.md', name: 'a.md', dryRun: true },
			{ action: 'created', source: 'b.md', dryRun: true },
		]);
		expect(getWrites(scene.sim)).toEqual([]);
	});

	test('each knowledge base is synced with the credential and the options of its own items', async () => {
		const [first, other] = [await startScene(), await startScene()];
		// With an ID of its own, as in another Dify.
		const second = { ...other, dataset: addDataset(other.sim.store, { name: 'Notes' }) };
		const setup = createItems([...FILES, { source: 'c.md', text: 'third' }], true);
		const scenes = [first, second, first];
		const credentials = scenes.map(({ sim }) => ({
			baseUrl: sim.url,
			apiKey: knowledgeKey(),
			keyType: 'knowledge',
		}));
		setup.perItem.forEach((parameters, at) => {
			parameters.difyDatasetId = { __rl: true, mode: 'id', value: scenes[at]!.dataset.id };
		});
		const sent = await executePrepared(
			prepare(first, { resource: 'document', operation: 'sync' }, { ...setup, credentials }),
		);
		expect(sent.map(({ json, pairedItem }) => [json.source, json.datasetId, pairedItem])).toEqual([
			['a.md', first.dataset.id, { item: 0 }],
			['c.md', first.dataset.id, { item: 2 }],
			['b.md', second.dataset.id, { item: 1 }],
		]);
		const getNames = ({ dataset }: Scene) =>
			[...dataset.documents.values()].map(({ name }) => name);
		expect([getNames(first), getNames(second)]).toEqual([['a.md', 'c.md'], ['b.md']]);
		// Of the first one, which deletes what has no source.
		const left = createItems([FILES[0]!, FILES[1]!], true);
		left.perItem.forEach((parameters, at) => {
			parameters.difyDatasetId = { __rl: true, mode: 'id', value: scenes[at]!.dataset.id };
			parameters.options = { maxRemovedPercent: 100, onMissingSource: ['delete', 'disable'][at] };
		});
		await executePrepared(
			prepare(
				first,
				{ resource: 'document', operation: 'sync' },
				{ ...left, credentials: credentials.slice(0, 2) },
			),
		);
		expect([getNames(first), getNames(second)]).toEqual([['a.md'], ['b.md']]);
	});

	test('with a hash from the source, changed content is not compared', async () => {
		const scene = await startScene();
		const files = FILES.map((file) => ({ ...file, hash: `hash of ${file.source}` }));
		await sync(scene, files);
		expect(
			await sync(
				scene,
				files.map((file) => ({ ...file, text: 'not compared' })),
			),
		).toEqual(['unchanged a.md', 'unchanged b.md']);
	});

	test('without a source in the node, the item identifies the document: by source, path, ID or file path', async () => {
		const scene = await startScene();
		const binary = {
			data: { data: 'eA==', mimeType: 'text/plain', fileName: 'd.md', directory: '/manuals' },
		};
		const list = [{ source: 'a', path: 'x' }, { path: 'b', id: 9 }, { id: 3 }, {}];
		const results = await runDocument(
			scene,
			'sync',
			{ contentType: 'file', binaryPropertyName: 'data' },
			{ items: list.map((json) => ({ json, binary })) },
		);
		expect(results.map(({ source }) => source)).toEqual(['a', 'b', '3', '/manuals/d.md']);
	});

	test('an expression without a result is an error, even if the item has a path', async () => {
		const scene = await startScene();
		const setup = {
			items: [{ json: { path: 'a.md' } }],
			written: { source: '={{ $json.key }}' },
		};
		await expect(runDocument(scene, 'sync', { text: 'x' }, setup)).rejects.toThrow(
			'This item has no key',
		);
	});

	test('an empty list, as from "Always Output Data", changes nothing', async () => {
		const scene = await startScene();
		await sync(scene, FILES);
		const writeCount = getWrites(scene.sim).length;
		const fake = prepare(scene, { resource: 'document', operation: 'sync', source: undefined });
		expect(await executePrepared(fake)).toEqual([]);
		expect(fake.hints[0]?.message).toContain('nothing was changed');
		expect(getWrites(scene.sim)).toHaveLength(writeCount);
	});

	test('an item without data beside others is no empty list', async () => {
		const scene = await startScene();
		const { items } = createItems([FILES[0]!], false);
		const setup = { items: [{ json: {} }, ...items], written: { source: '={{ $json.source }}' } };
		await expect(runDocument(scene, 'sync', {}, setup)).rejects.toThrow('This item has no source');
	});

	test('a failed document continues as an item, and the others are synced', async () => {
		const scene = await startScene();
		const files = [{ source: 'bad.zip', text: 'x' }, FILES[0]!];
		const setup = { ...createItems(files, false), continueOnFail: true };
		const results = await runDocument(scene, 'sync', {}, setup);
		expect(results).toMatchObject([
			{
				action: 'failed',
				source: 'bad.zip',
				error: { message: 'Dify rejected a value in the request' },
			},
			{ action: 'created', source: 'a.md' },
		]);
	});

	test('with an error output, a failed document has nothing but its error, so that it goes there', async () => {
		const scene = await startScene();
		const files = [{ source: 'bad.zip', text: 'x' }, FILES[0]!];
		const setup = { ...createItems(files, false), hasErrorOutput: true };
		const results = await runDocument(scene, 'sync', {}, setup);
		expect(results.map((json) => Object.keys(json).includes('action'))).toEqual([false, true]);
		expect(results[0]).toEqual({
			error: expect.objectContaining({
				message: 'Dify rejected a value in the request',
				action: 'failed',
				source: 'bad.zip',
			}) as object,
		});
	});

	test('a knowledge base that is gone fails for each of its items', async () => {
		const scene = await startScene();
		const { items, perItem } = createItems([...FILES, { source: 'c.md', text: 'third' }], false);
		const gone = { __rl: true, mode: 'id', value: 'a0000000-0000-4000-8000-000000000000' };
		const results = await executePrepared(
			prepare(
				scene,
				{ resource: 'document', operation: 'sync' },
				{
					items,
					perItem: perItem.map((entry, at) =>
						at === 1 ? entry : { ...entry, difyDatasetId: gone },
					),
					continueOnFail: true,
				},
			),
		);
		const states = results.map(({ json, pairedItem }) => [
			pairedItem,
			json.action ?? (json.error as { message: string }).message,
		]);
		expect(states).toEqual([
			[{ item: 0 }, 'Dataset not found'],
			[{ item: 2 }, 'Dataset not found'],
			[{ item: 1 }, 'created'],
		]);
	});

	test('results belong to their items', async () => {
		const scene = await startScene();
		const result = await executePrepared(
			prepare(scene, { resource: 'document', operation: 'sync' }, createItems(FILES, false)),
		);
		expect(result.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 1 }]);
		await expect(sync(scene, [FILES[0]!, FILES[0]!])).rejects.toThrow(
			'Two items have the same source "a.md"',
		);
	});

	test.each([true, false])(
		'lists the documents once, and enables a changed one once; as text: %s',
		async (isText) => {
			const scene = await startScene();
			const count = (pattern: RegExp) =>
				scene.sim.requests.filter(({ method, path }) => pattern.test(`${method} ${path}`)).length;
			await sync(scene, [...FILES, { source: 'c.md', text: 'third' }], {}, isText);
			expect(count(/^GET .+documents$/)).toBe(1);
			const [disabled, archived] = [...scene.dataset.documents.values()];
			disabled!.enabled = false;
			archived!.archived = true;
			const changed = [...FILES, { source: 'c.md', text: 'third' }].map((file) => ({
				...file,
				text: `${file.text}, changed`,
			}));
			expect(await sync(scene, changed, {}, isText)).toEqual([
				'updated a.md',
				'updated b.md',
				'updated c.md',
			]);
			expect(count(/^GET .+documents$/)).toBe(2);
			expect([count(/status.enable$/), count(/status.un_archive$/)]).toEqual([1, 1]);
			expect(scene.dataset.documents.size).toBe(3);
		},
	);

	/** What Dify says of documents, and what becomes of their sources. */
	const STATES = { enabled: {}, disabled: { enabled: false }, archived: { archived: true } };
	const FATES = ['kept', 'changed', 'gone'];

	test.each([true, false])(
		'each document ends as its source says, whatever its state; as text: %s',
		async (isText) => {
			const scene = await startScene();
			const files = Object.keys(STATES).flatMap((state) =>
				FATES.map((fate) => ({ source: `${state}-${fate}.md`, text: `text of ${state} ${fate}` })),
			);
			await sync(scene, files, {}, isText);
			for (const document of scene.dataset.documents.values())
				Object.assign(document, STATES[document.name.split('-', 1)[0] as keyof typeof STATES]);
			const later = files
				.filter(({ source }) => !source.endsWith('gone.md'))
				.map((file) =>
					file.source.endsWith('changed.md') ? { ...file, text: `${file.text}, changed` } : file,
				);
			const items = createItems(later, isText);
			items.perItem[0]!.options = { onMissingSource: 'delete', maxRemovedPercent: 100 };
			const results = await runDocument(scene, 'sync', {}, items);
			const actions = results.map(({ action, source }) => `${String(source)} ${String(action)}`);
			expect(actions.sort()).toEqual([
				'archived-changed.md updated',
				'archived-gone.md deleted',
				'archived-kept.md enabled',
				'disabled-changed.md updated',
				'disabled-gone.md deleted',
				'disabled-kept.md enabled',
				'enabled-changed.md updated',
				'enabled-gone.md deleted',
				'enabled-kept.md unchanged',
			]);
			const left = [...scene.dataset.documents.values()];
			expect(left.map(({ name, text }) => [name, text])).toEqual(
				later.map(({ source, text }) => [source, text]),
			);
			expect(left.filter(({ enabled, archived }) => !enabled || archived)).toEqual([]);
		},
	);
});
