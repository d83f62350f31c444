import type { INodeExecutionData } from 'n8n-workflow';

import { addDocument } from '../../../servers/dify';
import { unzipped } from '../../../servers/dify/zip';
import { executeIn, prepare, scene } from '../setup';

describe('documents as a ZIP', () => {
	const zip = (documentIds: unknown) => ({
		resource: 'document',
		operation: 'downloadZip',
		documentIds,
		outputField: 'files',
	});
	const filesIn = ({ binary }: INodeExecutionData) =>
		unzipped(Buffer.from(binary!.files!.data, 'base64')).map(({ name, content }) => [
			name,
			Buffer.from(content).toString(),
		]);

	test('the files of several documents, each once', async () => {
		const of = await scene('1.14');
		const [one, two] = ['a.txt', 'ä:b.txt'].map((name) =>
			addDocument(of.sim.store, of.base, { name, text: name }),
		);
		const items = await executeIn(
			prepare(of, zip(`${one!.id}, ${two!.id}, ${one!.id.toUpperCase()}`)),
		);
		expect(items).toHaveLength(1);
		const [item] = items;
		const bytes = Buffer.from(item!.binary!.files!.data, 'base64').length;
		expect(item).toMatchObject({
			json: {
				documentIds: [one!.id, two!.id],
				fileName: 'documents.zip',
				mimeType: 'application/zip',
				bytes,
			},
			pairedItem: { item: 0 },
		});
		expect(item!.binary!.files).toMatchObject({
			fileName: 'documents.zip',
			mimeType: 'application/zip',
		});
		expect(filesIn(item!)).toEqual([
			['a.txt', 'a.txt'],
			['ä:b.txt', 'ä:b.txt'],
		]);
	});

	test('more than a hundred in several ZIPs, one after the other', async () => {
		const of = await scene('1.14');
		const ids = Array.from({ length: 230 }, () => addDocument(of.sim.store, of.base).id);
		const items = await executeIn(prepare(of, zip(ids)));
		expect(items.map(({ json }) => [json.fileName, (json.documentIds as string[]).length])).toEqual(
			[
				['documents-1.zip', 100],
				['documents-2.zip', 100],
				['documents-3.zip', 30],
			],
		);
		expect(items.flatMap(({ json }) => json.documentIds)).toEqual(ids);
		expect(items.flatMap(filesIn)).toHaveLength(230);
	});

	test.each([
		['', /Document IDs.*is empty/],
		['abc', /document ID/],
	])('asks for nothing where the IDs are wrong: %j', async (ids, message) => {
		const of = await scene('1.14');
		await expect(executeIn(prepare(of, zip(ids)))).rejects.toThrow(message);
		expect(of.sim.requests).toEqual([]);
	});

	test('an older Dify is told by its version', async () => {
		const of = await scene('1.12');
		const { id } = addDocument(of.sim.store, of.base);
		await expect(executeIn(prepare(of, zip([id])))).rejects.toMatchObject({
			message: 'Downloading documents as a ZIP needs Dify 1.14 or newer, this is 1.12.1',
			description: expect.stringContaining('Update Dify') as string,
		});
	});
});
