/** Documents that are created or updated with each option: the requests with their bodies, and the result. */
import { upsertDocument } from '../../../../lib/dify/knowledge/write-document';
import { expectApproved } from '../../../support/approved/approved-table';
import { awaitOutcome, combine } from '../../../support/approved/outcome';
import { createRecordedClient } from '../recorded-client';
import path from 'node:path';

const datasetId = '11111111-2222-4333-8444-555555555555';
const documentId = '22222222-2222-4333-8444-555555555555';
const other = '33333333-2222-4333-8444-555555555555';
const shorten = (text: string): string =>
	text.replaceAll(datasetId, 'BASE').replaceAll(documentId, 'DOC').replaceAll(other, 'OTHER');

const DATASETS: Readonly<Record<string, object>> = {
	new: {},
	'with texts': { indexing_technique: 'economy', doc_form: 'text_model' },
	'with parents': { indexing_technique: 'high_quality', doc_form: 'hierarchical_model' },
	'of a pipeline': { indexing_technique: 'high_quality', chunk_structure: 'qa_model' },
	'without a form': { indexing_technique: 'high_quality' },
};
const OPTIONS: ReadonlyArray<Readonly<Record<string, unknown>>> = [
	{},
	{ technique: 'economy' },
	{ form: 'qa_model', language: 'German' },
	{ form: 'hierarchical_model' },
	{ processRule: { mode: 'custom', rules: { segmentation: { separator: '#' } } } },
	{
		form: 'hierarchical_model',
		processRule: { mode: 'custom', rules: { segmentation: { separator: '#' } } },
	},
	{ processRule: { mode: 'hierarchical', rules: { parent_mode: 'full-doc' } } },
	{ embeddingModel: { provider: 'p', name: 'm' } },
];

/** Documents that the search for the name finds. */
const FOUND: Readonly<Record<string, object[]>> = {
	none: [],
	'one of the name': [{ id: documentId, name: 'a.txt', enabled: true }],
	'one of another name': [{ id: other, name: 'aa.txt', enabled: true }],
	'a disabled and an enabled one': [
		{ id: other, name: 'a.txt', enabled: false, display_status: 'disabled' },
		{ id: documentId, name: 'a.txt', enabled: true, display_status: 'available' },
	],
	'only a disabled one': [
		{ id: documentId, name: 'a.txt', enabled: false, display_status: 'disabled' },
	],
};

const FILE = {
	name: 'a.txt',
	mimeType: 'text/plain',
	size: 3,
	open: () => [Buffer.from('abc')],
};

async function upsert(
	dataset: object,
	found: readonly object[],
	{ isFile, options }: { isFile: boolean; options: object },
): Promise<string> {
	const written = { document: { id: documentId, name: 'a.txt' }, batch: 'b' };
	const { client, sent } = createRecordedClient({
		[`GET /datasets/${datasetId}`]: dataset,
		[`GET /datasets/${datasetId}/documents`]: { data: found, has_more: false },
		[`POST /datasets/${datasetId}/document/create-by-text`]: written,
		[`POST /datasets/${datasetId}/document/create-by-file`]: written,
	});
	const forms: string[] = [];
	const upload = client.upload.bind(client);
	client.upload = async (route, file, uploadOptions = {}) => {
		forms.push(JSON.stringify(uploadOptions));
		return await upload(route, file, uploadOptions);
	};
	const content = isFile
		? { type: 'file', file: FILE }
		: { type: 'text', text: 'abc', name: 'a.txt' };
	const outcome = await awaitOutcome(
		async () => await upsertDocument(client, { datasetId, content, options } as never),
	);
	const result = typeof outcome === 'string' ? outcome : JSON.stringify(outcome);
	return shorten([...sent, ...forms, result].join(' ; '));
}

test('each option for each knowledge base', async () => {
	const rows = [];
	for (const { name, options, isFile } of combine({
		name: Object.keys(DATASETS),
		options: OPTIONS,
		isFile: [false, true],
	})) {
		const outcome = await upsert(DATASETS[name]!, [], { isFile, options });
		rows.push({
			input: `${isFile ? 'file' : 'text'}, ${name}, ${JSON.stringify(options)}`,
			outcome: outcome.split(' ; ').slice(2, -1).join(' ; '),
		});
	}
	expectApproved(
		path.join(__dirname, 'write-document.any-options.approved.txt'),
		rows,
		'A document is written with the chosen options, and with no others',
	);
});

test('each choice for each document that is there', async () => {
	const rows = [];
	for (const { name, ifExists, isFile } of combine({
		name: Object.keys(FOUND),
		ifExists: [undefined, 'update', 'skip', 'fail'],
		isFile: [false, true],
	})) {
		const options = { ifExists };
		const outcome = await upsert(DATASETS['with texts']!, FOUND[name]!, { isFile, options });
		rows.push({ input: `${isFile ? 'file' : 'text'}, ${name}, ${ifExists}`, outcome });
	}
	expectApproved(
		path.join(__dirname, 'write-document.any-options.existing.approved.txt'),
		rows,
		'An existing document is treated as chosen',
	);
});
