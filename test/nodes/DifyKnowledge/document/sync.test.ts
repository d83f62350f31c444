import type { INodeExecutionData } from 'n8n-workflow';

import { writes } from '../../../lib/dify/knowledge/setup';
import { executeIn, manage, prepare, scene, type Scene } from '../setup';

jest.mock('../../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../../support/mock-sleep'),
);

interface File {
	source: string;
	text: string;
	hash?: string;
}

function items(
	files: File[],
	isText: boolean,
): { items: INodeExecutionData[]; perItem: Array<Record<string, unknown>> } {
	return {
		items: files.map(({ source, text }) => ({
			json: { source },
			binary: {
				data: {
					data: Buffer.from(text).toString('base64'),
					mimeType: 'text/plain',
					fileName: source,
				},
			},
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
	of: Scene,
	files: File[],
	parameters: Record<string, unknown> = {},
	isText = false,
) {
	const done = await manage(of, 'document', 'sync', parameters, items(files, isText));
	return done.map(({ action, source }) => `${String(action)} ${String(source)}`);
}

const FILES: File[] = [
	{ source: 'a.md', text: 'first' },
	{ source: 'b.md', text: 'second' },
];

describe('Document Sync', () => {
	test('a document that Dify has locked does not block the others, and the next sync retries it', async () => {
		const of = await scene();
		await sync(of, FILES);
		const [locked] = [...of.base.documents.values()];
		locked!.enabled = false;
		locked!.busy = 1_000;
		const done = await manage(
			of,
			'document',
			'sync',
			{},
			items([...FILES, { source: 'c.md', text: 'third' }], false),
		);
		expect(done.map(({ action, source }) => `${String(action)} ${String(source)}`)).toEqual([
			'locked a.md',
			'unchanged b.md',
			'created c.md',
		]);
		expect(String((done[0]!.warnings as string[])[0])).toMatch(
			/"a\.md" was not enabled; the next sync will try again: /,
		);
		locked!.busy = 0;
		expect(await sync(of, [...FILES, { source: 'c.md', text: 'third' }])).toEqual([
			'enabled a.md',
			'unchanged b.md',
			'unchanged c.md',
		]);
	});

	test.each([true, false])('created, unchanged, updated, disabled; as text: %s', async (isText) => {
		const of = await scene();
		expect(await sync(of, FILES, {}, isText)).toEqual(['created a.md', 'created b.md']);
		expect(await sync(of, FILES, {}, isText)).toEqual(['unchanged a.md', 'unchanged b.md']);
		expect(await sync(of, [{ source: 'a.md', text: 'changed' }, FILES[1]!], {}, isText)).toEqual([
			'updated a.md',
			'unchanged b.md',
		]);
		expect([...of.base.documents.values()].map(({ text }) => text)).toEqual(['changed', 'second']);
		await expect(sync(of, [FILES[1]!], {}, isText)).rejects.toThrow(
			'The source of 1 of 2 documents is missing',
		);
		const options = { maxRemovedPercent: 50 };
		const perItem = items([FILES[1]!], isText);
		perItem.perItem[0]!.options = options;
		const done = await manage(of, 'document', 'sync', {}, perItem);
		expect(done).toMatchObject([
			{ action: 'unchanged', source: 'b.md' },
			{ action: 'disabled', source: 'a.md', datasetId: of.base.id },
		]);
	});

	test('sources with the same name keep separate documents, and other documents stay', async () => {
		const of = await scene();
		const named = (sources: string[]) => {
			const { items: list, perItem } = items(
				sources.map((source) => ({ source, text: source })),
				true,
			);
			return {
				items: list,
				perItem: perItem.map((row) => ({ ...row, options: { name: 'report.md' } })),
			};
		};
		const names = async () =>
			(await manage(of, 'document', 'sync', {}, named(['2025', '2026']))).map(({ name }) => name);
		expect(await names()).toEqual(['report.md', '2026_report.md']);
		expect(await names()).toEqual(['report.md', '2026_report.md']);
		expect([...of.base.documents.values()].map(({ text }) => text)).toEqual(['2025', '2026']);
		await expect(manage(of, 'document', 'sync', {}, named(['1', '1']))).rejects.toThrow(
			'Two items have the same source "1"',
		);
	});

	test('a dry run reports the steps and changes nothing', async () => {
		const of = await scene();
		const done = await manage(of, 'document', 'sync', { dryRun: true }, items(FILES, false));
		expect(done).toMatchObject([
			{ action: 'created', source: 'a.md', name: 'a.md', dryRun: true },
			{ action: 'created', source: 'b.md', dryRun: true },
		]);
		expect(writes(of.sim)).toEqual([]);
	});

	test('with a hash from the source, nothing is read', async () => {
		const of = await scene();
		const files = FILES.map((file) => ({ ...file, hash: `hash of ${file.source}` }));
		await sync(of, files);
		expect(
			await sync(
				of,
				files.map((file) => ({ ...file, text: 'not looked at' })),
			),
		).toEqual(['unchanged a.md', 'unchanged b.md']);
	});

	test('without a source in the node, the item identifies the document: by source, path, ID or file path', async () => {
		const of = await scene();
		const binary = {
			data: { data: 'eA==', mimeType: 'text/plain', fileName: 'd.md', directory: '/manuals' },
		};
		const list = [{ source: 'a', path: 'x' }, { path: 'b', id: 9 }, { id: 3 }, {}];
		const done = await manage(
			of,
			'document',
			'sync',
			{ contentType: 'file', binaryPropertyName: 'data' },
			{ items: list.map((json) => ({ json, binary })) },
		);
		expect(done.map(({ source }) => source)).toEqual(['a', 'b', '3', '/manuals/d.md']);
	});

	test('an expression without a result is an error, even if the item has a path', async () => {
		const of = await scene();
		const setup = {
			items: [{ json: { path: 'a.md' } }],
			written: { source: '={{ $json.key }}' },
		};
		await expect(manage(of, 'document', 'sync', { text: 'x' }, setup)).rejects.toThrow(
			'The field "Source" is empty',
		);
	});

	test('D100: an item without a source is an error, and then this sync removes no documents', async () => {
		const of = await scene();
		await sync(of, FILES);
		const broken = items([{ source: '', text: 'x' }, FILES[1]!], false);
		await expect(manage(of, 'document', 'sync', {}, broken)).rejects.toThrow(
			'The field "Source" is empty',
		);
		const fake = prepare(
			of,
			{ resource: 'document', operation: 'sync' },
			{ ...broken, continueOnFail: true },
		);
		expect((await executeIn(fake)).map(({ json }) => json.action ?? 'error')).toEqual([
			'error',
			'unchanged',
		]);
		expect(fake.hints[0]?.message).toContain('this sync removes no documents');
	});

	test('D100: an empty list, as from "Always Output Data", changes nothing', async () => {
		const of = await scene();
		await sync(of, FILES);
		const before = writes(of.sim).length;
		const fake = prepare(of, { resource: 'document', operation: 'sync', source: undefined });
		expect(await executeIn(fake)).toEqual([]);
		expect(fake.hints[0]?.message).toContain('nothing was changed');
		expect(writes(of.sim)).toHaveLength(before);
	});

	test('a failed document continues as an item, and the others are synced', async () => {
		const of = await scene();
		const files = [{ source: 'bad.zip', text: 'x' }, FILES[0]!];
		const setup = { ...items(files, false), continueOnFail: true };
		const done = await manage(of, 'document', 'sync', {}, setup);
		expect(done).toMatchObject([
			{
				action: 'failed',
				source: 'bad.zip',
				error: { message: 'Dify rejected a value in the request' },
			},
			{ action: 'created', source: 'a.md' },
		]);
	});

	test('results belong to their items', async () => {
		const of = await scene();
		const result = await executeIn(
			prepare(of, { resource: 'document', operation: 'sync' }, items(FILES, false)),
		);
		expect(result.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 1 }]);
		await expect(sync(of, [FILES[0]!, FILES[0]!])).rejects.toThrow(
			'Two items have the same source "a.md"',
		);
	});
});
