import { createField, metadataFields, setMetadata } from '../../../../lib/dify/knowledge/metadata';
import { addDocument } from '../../../servers/dify';
import { failureOf, UNKNOWN_ID } from '../client';
import { lastBody, scene, writes } from './setup';

async function withFields() {
	const fields = [
		{ id: 'f-author', name: 'author', type: 'string' },
		{ id: 'f-year', name: 'year', type: 'number' },
		{ id: 'f-when', name: 'when', type: 'time' },
	];
	const made = await scene({ technique: 'high_quality', fields });
	const document = addDocument(made.sim.store, made.base);
	return { ...made, document };
}

describe('metadata', () => {
	test('fields: create, list', async () => {
		const { api, base } = await scene({ technique: 'economy' });
		const field = await createField(api, base.id, 'author', 'string');
		expect(await metadataFields(api, base.id)).toEqual({
			fields: [{ ...field, count: 0 }],
			builtInEnabled: false,
		});
		expect(await failureOf(createField(api, base.id, 'author', 'string'))).toMatchObject({
			kind: 'nameTaken',
		});
		expect(await failureOf(createField(api, base.id, 'source', 'string'))).toMatchObject({
			kind: 'nameTaken',
		});
		expect(await failureOf(createField(api, base.id, '', 'string'))).toMatchObject({
			kind: 'invalidParam',
		});
	});

	test('D113: other values survive, and each is written with the type of its field', async () => {
		const { sim, api, base, document } = await withFields();
		await setMetadata(api, base.id, document.id, { author: 'Ann', year: '2020' });
		expect(await setMetadata(api, base.id, document.id, { when: '2026-01-31T12:00:00Z' })).toEqual({
			author: 'Ann',
			year: 2020,
			when: 1769860800,
		});
		expect(lastBody(sim, /documents\/metadata$/)).toEqual({
			operation_data: [
				{
					document_id: document.id,
					metadata_list: [
						{ id: 'f-author', name: 'author', value: 'Ann' },
						{ id: 'f-year', name: 'year', value: 2020 },
						{ id: 'f-when', name: 'when', value: 1769860800 },
					],
					partial_update: true,
				},
			],
		});
		expect(await setMetadata(api, base.id, document.id, { author: null })).toEqual({
			year: 2020,
			when: 1769860800,
		});
	});

	test('D115: a field that is missing is made where that is wanted', async () => {
		const { sim, api, base, document } = await withFields();
		const failed = await failureOf(setMetadata(api, base.id, document.id, { topic: 'x' }));
		expect(failed.message).toBe('The knowledge base has no metadata field "topic"');
		expect(writes(sim)).toEqual([]);
		const values = { topic: 'x', pages: 3, read: '2026-01-31' };
		expect(
			await setMetadata(api, base.id, document.id, values, {
				createFields: true,
				types: { read: 'time' },
			}),
		).toEqual({ topic: 'x', pages: 3, read: 1769817600 });
		expect(base.fields.slice(3).map(({ name, type }) => [name, type])).toEqual([
			['topic', 'string'],
			['pages', 'number'],
			['read', 'time'],
		]);
	});

	test('text for a number is refused before anything is made: every search with the field would fail', async () => {
		const { sim, api, base, document } = await withFields();
		const wrong = { topic: 'x', year: 'notanumber' };
		const failed = await failureOf(
			setMetadata(api, base.id, document.id, wrong, { createFields: true }),
		);
		expect(failed.message).toBe('"year" needs a number, but has notanumber');
		expect(writes(sim)).toEqual([]);
		expect((await failureOf(setMetadata(api, base.id, document.id, {}))).message).toContain(
			'no metadata to set',
		);
	});

	test('a document that is not there', async () => {
		const { api, base } = await withFields();
		expect(await failureOf(setMetadata(api, base.id, UNKNOWN_ID, { author: 'x' }))).toMatchObject({
			status: 404,
		});
	});
});
