import { addDocument } from '../../../simulators/dify';
import { lastBody } from '../../../lib/dify/knowledge/setup';
import { nodeErrorOf } from '../../dify';
import { byId, executeIn, manage, prepare, scene } from '../setup';

const TEXT = { name: 'llama.txt', text: 'Llamas live in the Andes.' };

describe('Documents', () => {
	test('documents: create or update from text and file, D85', async () => {
		const of = await scene();
		const [made] = await manage(of, 'document', 'upsertText', { ...TEXT, options: { wait: 10 } });
		expect(made).toEqual({
			action: 'created',
			documentId: [...of.base.documents.keys()][0],
			datasetId: of.base.id,
			name: 'llama.txt',
			batch: expect.any(String) as string,
			indexingStatus: 'completed',
			chunks: 1,
		});
		const items = [
			{
				json: {},
				binary: {
					data: {
						data: Buffer.from('# A file').toString('base64'),
						mimeType: 'text/plain',
						fileName: 'llama.txt',
					},
				},
			},
		];
		const parameters = { binaryPropertyName: 'data', options: { wait: 10 } };
		expect(await manage(of, 'document', 'upsertFile', parameters, { items })).toMatchObject([
			{ action: 'updated', documentId: made!.documentId },
		]);
		expect(of.base.documents.get(String(made!.documentId))!.text).toBe('# A file');
		expect(
			await manage(of, 'document', 'upsertText', { ...TEXT, options: { ifExists: 'skip' } }),
		).toMatchObject([{ action: 'skipped' }]);
	});

	test('D93: without waiting, the item is returned immediately, with the batch', async () => {
		const of = await scene();
		of.sim.store.worker = 'down';
		const [made] = await manage(of, 'document', 'upsertText', { ...TEXT, options: { wait: 0 } });
		expect(made).toMatchObject({
			action: 'created',
			indexingStatus: 'waiting',
			batch: expect.any(String) as string,
		});
		const where = { documentId: byId(String(made!.documentId)), options: { batch: made!.batch } };
		expect(await manage(of, 'document', 'getStatus', { ...where, wait: 0 })).toMatchObject([
			{ indexingStatus: 'waiting', chunks: 0 },
		]);
		of.sim.store.worker = 'up';
		expect(await manage(of, 'document', 'getStatus', { ...where, wait: 10 })).toMatchObject([
			{ indexingStatus: 'completed', chunks: 1 },
		]);
	});

	test('rules for chunks: complete, with line breaks entered as \\n', async () => {
		const of = await scene();
		const options = { separator: '\\n###\\n', maxTokens: 100, wait: 5 };
		await manage(of, 'document', 'upsertText', { ...TEXT, options });
		expect(lastBody(of.sim, /create-by-text$/)).toMatchObject({
			process_rule: {
				mode: 'custom',
				rules: {
					pre_processing_rules: [
						{ id: 'remove_extra_spaces', enabled: true },
						{ id: 'remove_urls_emails', enabled: false },
					],
					segmentation: { separator: '\n###\n', max_tokens: 100, chunk_overlap: 50 },
				},
			},
		});
		const parents = await scene();
		await manage(parents, 'document', 'upsertText', {
			...TEXT,
			options: { childSeparator: '.', wait: 5 },
		});
		expect(lastBody(parents.sim, /create-by-text$/)).toMatchObject({
			doc_form: 'hierarchical_model',
			process_rule: {
				mode: 'hierarchical',
				rules: { parent_mode: 'paragraph', subchunk_segmentation: { separator: '.' } },
			},
		});
		const wrong = { ...TEXT, options: { chunking: 'automatic', maxTokens: 100 } };
		await expect(manage(of, 'document', 'upsertText', wrong)).rejects.toThrow(
			'the other chunk options have no effect',
		);
		const long = { ...TEXT, options: { maxTokens: 5000 } };
		await expect(manage(of, 'document', 'upsertText', long)).rejects.toThrow(
			'must be between 50 and 4,000',
		);
	});

	test('documents: get, get many, set status, delete', async () => {
		const of = await scene();
		const known = addDocument(of.sim.store, of.base, { name: 'a.txt' });
		const documentId = byId(known.id);
		expect(await manage(of, 'document', 'get', { documentId })).toMatchObject([
			{ id: known.id, name: 'a.txt' },
		]);
		const parameters = { documentIds: `${known.id}, ${known.id}`, statusAction: 'disable' };
		expect(await manage(of, 'document', 'setStatus', parameters)).toHaveLength(2);
		expect(
			await manage(of, 'document', 'getAll', { options: { status: 'disabled' } }),
		).toHaveLength(1);
		await expect(
			manage(of, 'document', 'setStatus', { documentIds: '', statusAction: 'enable' }),
		).rejects.toThrow('is empty');
		expect(await manage(of, 'document', 'delete', { documentId })).toMatchObject([
			{ deleted: true, existed: true },
		]);
		expect(await manage(of, 'document', 'delete', { documentId })).toMatchObject([
			{ deleted: true, existed: false },
		]);
	});

	test('a failed item continues as an item with the error', async () => {
		const of = await scene();
		const perItem = [
			{ documentId: byId('nothing') },
			{ documentId: byId(addDocument(of.sim.store, of.base).id) },
		];
		const setup = { items: [{ json: {} }, { json: {} }], perItem, continueOnFail: true };
		const [failed, good] = await manage(of, 'document', 'get', {}, setup);
		expect(failed).toMatchObject({ error: { message: 'The document ID is not valid: "nothing"' } });
		expect(good).toMatchObject({ indexing_status: 'completed' });
		const error = await nodeErrorOf(manage(of, 'document', 'get', { documentId: byId('nothing') }));
		expect(error.description).toContain('UUID');
		await expect(manage(of, 'document', 'nonsense')).rejects.toThrow('has no operation "nonsense"');
	});
});

test('a document at another origin is fetched only if the option allows it', async () => {
	const elsewhere = await scene();
	const of = await scene();
	of.sim.store.options.filesUrl = elsewhere.sim.url.replace(/\/v1$/, '');
	const { origin } = new URL(elsewhere.sim.url);
	const known = addDocument(of.sim.store, of.base, { name: 'a.txt' });
	elsewhere.sim.fail({ path: /file-preview/, status: 200, body: 'the file' });
	const download = async (options: object) =>
		await manage(of, 'document', 'download', {
			documentId: byId(known.id),
			outputField: 'data',
			options,
		});
	const error = await nodeErrorOf(download({}));
	expect(error.message).toBe('The file of the document could not be downloaded');
	expect(error.description).toContain(
		`it is stored at ${origin}, not on the Dify server of the credential`,
	);
	expect(error.description).toContain('Fetch Files From');
	expect(elsewhere.sim.requests).toEqual([]);
	const [facts] = await download({ fetchFilesFrom: origin });
	expect(facts).toMatchObject({ bytes: 8 });
	expect(elsewhere.sim.requests[0]!.headers.authorization).toBeUndefined();
});

test('a document is downloaded from its URL without the key', async () => {
	const of = await scene();
	const known = addDocument(of.sim.store, of.base, { name: 'a.txt' });
	of.sim.fail({ path: /file-preview/, status: 200, contentType: 'text/plain', body: 'the file' });
	const fake = prepare(of, {
		resource: 'document',
		operation: 'download',
		documentId: byId(known.id),
		outputField: 'data',
	});
	const [item] = await executeIn(fake);
	expect(item!.json).toEqual({
		documentId: known.id,
		fileName: 'a.txt',
		mimeType: 'text/plain',
		bytes: 8,
	});
	expect(Buffer.from(item!.binary!.data!.data, 'base64').toString()).toBe('the file');
	const fetched = of.sim.requests.find(({ url }) => url.includes('file-preview'))!;
	expect(fetched.headers.authorization).toBeUndefined();
	of.sim.fail({ path: /file-preview/, status: 403, body: 'expired' });
	await expect(executeIn(fake)).rejects.toThrow();
});
