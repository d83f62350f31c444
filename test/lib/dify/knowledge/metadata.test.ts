/** Metadata of a document: which values are sent for which fields, and which fields are created. */
import { setMetadata, parseMetadataFields } from '../../../../lib/dify/knowledge/metadata';
import type { MetadataType } from '../../../../lib/dify/knowledge/metadata';
import { parseMetadata } from '../../../../lib/dify/knowledge/document-metadata';
import { expectApproved } from '../../../support/approved/approved-table';
import { awaitOutcome, combine, getOutcome } from '../../../support/approved/outcome';
import { createRecordedClient } from '../recorded-client';
import path from 'node:path';

const datasetId = '11111111-2222-4333-8444-555555555555';
const documentId = '22222222-2222-4333-8444-555555555555';
const FIELDS = ['string', 'number', 'time'].map((type) => ({ id: `id-${type}`, name: type, type }));
const VALUES = [
	'Lima',
	'7',
	7,
	0,
	true,
	'2026-01-31',
	new Date(0),
	{ b: 1, a: 2 },
	[1],
	'',
	null,
	'9'.repeat(20),
];

/** What is written for values, and what the node returns. */
async function set(
	values: Record<string, { value: unknown; type?: MetadataType }>,
	createFields: boolean,
) {
	const { client, sent } = createRecordedClient({
		[`GET /datasets/${datasetId}/metadata`]: { doc_metadata: FIELDS },
		[`GET /datasets/${datasetId}/documents/${documentId}`]: {
			doc_metadata: [
				{ id: 'built-in', name: 'uploader', value: 'me' },
				{ id: 'id-string', name: 'string', value: 'old' },
				{ id: 'id-other', name: 'other', value: 0 },
				{ id: 'id-empty', name: 'empty', value: null },
			],
		},
		[`POST /datasets/${datasetId}/metadata`]: { id: 'id-new' },
	});
	const change = { datasetId, documentId, values, createFields };
	const result = await awaitOutcome(async () => await setMetadata(client, change));
	const writes = sent.filter((line) => !line.startsWith('GET'));
	return [...writes, JSON.stringify(result)]
		.join('; ')
		.replaceAll(datasetId, 'BASE')
		.replaceAll(documentId, 'DOC');
}

test('each value in a field of each type, and in a new one', async () => {
	const types = [undefined, 'string', 'number', 'time'] as const;
	const cases = [
		...combine({ name: ['string', 'number', 'time'], value: VALUES, type: [undefined] }),
		...combine({ name: ['new'], value: VALUES, type: types }),
	];
	const rows = [];
	for (const { name, value, type } of cases) {
		const outcome = await set({ [name]: { value, type } }, true);
		rows.push({ input: `${name} = ${JSON.stringify(value)} as ${type}`, outcome });
	}
	rows.push(
		{ input: 'nothing', outcome: await set({}, true) },
		{
			input: 'a missing field',
			outcome: await set({ new: { value: 'x' }, more: { value: 'y' } }, false),
		},
		{
			input: 'a value and a removal',
			outcome: await set({ string: { value: 'x' }, other: { value: null } }, true),
		},
		{
			input: 'several',
			outcome: await set(
				{ string: { value: 'x' }, new: { value: 'y' }, number: { value: 3 } },
				true,
			),
		},
	);
	expectApproved(
		path.join(__dirname, 'metadata.approved.txt'),
		rows,
		'Metadata keep their type, and a field is created only if it is missing',
	);
});

test('fields and values as Dify lists them', () => {
	const lists = [
		[
			{ id: 'a', name: 'x', type: 'time', count: 0 },
			{ id: '', name: 'y' },
			{ id: 'b', name: 3 },
		],
		[{ id: 'c', name: 'z', type: 'new' }],
		'none',
	];
	const rows = [
		...lists.map((list) => ({
			input: `fields ${JSON.stringify(list)}`,
			outcome: getOutcome(() => parseMetadataFields({ doc_metadata: list })),
		})),
		...[
			{ a: 1 },
			[
				{ name: 'a', value: 0 },
				{ name: 3, value: 1 },
			],
			null,
			'x',
		].map((value) => ({
			input: `metadata ${JSON.stringify(value)}`,
			outcome: parseMetadata(value),
		})),
	];
	expectApproved(
		path.join(__dirname, 'metadata.lists.approved.txt'),
		rows,
		'Fields and values of Dify are read as they are',
	);
});
