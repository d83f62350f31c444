import fc from 'fast-check';

import { addDocument } from '../../simulators/dify';
import { examples } from '../../support/jest/properties';
import { getNodeError } from '../dify';
import { getWrites } from '../../lib/dify/knowledge/setup';
import { byId, executeOperation, startScene } from './setup';

/** Sets a field of a document, and creates it if it is missing. */
async function setField(
	scene: Awaited<ReturnType<typeof startScene>>,
	row: { field: string; value: unknown; type?: string },
) {
	const document = addDocument(scene.sim.store, scene.dataset);
	return await executeOperation(scene, 'metadata', 'set', {
		documentId: byId(document.id),
		values: { value: [row] },
		options: { createFields: true },
	});
}

describe('metadata', () => {
	test('of a document is set, and missing fields are created on request', async () => {
		const scene = await startScene();
		const document = addDocument(scene.sim.store, scene.dataset);
		await executeOperation(scene, 'metadata', 'createField', { name: 'year', type: 'number' });
		const values = {
			value: [
				{ field: 'year', value: '2020' },
				{ field: 'read', value: 7 },
			],
		};
		const documentId = byId(document.id);
		await expect(
			executeOperation(scene, 'metadata', 'set', { documentId, values }),
		).rejects.toThrow('no metadata field "read"');
		expect(
			await executeOperation(scene, 'metadata', 'set', {
				documentId,
				values,
				options: { createFields: true },
			}),
		).toEqual([{ documentId: document.id, metadata: { year: 2020, read: 7 } }]);
		expect(await executeOperation(scene, 'metadata', 'getFields')).toMatchObject([
			{ name: 'year', type: 'number', builtInEnabled: false },
			{ name: 'read', type: 'number' },
		]);
	});

	test('a field that Dify does not create sets nothing', async () => {
		const scene = await startScene();
		scene.sim.fail({
			method: 'POST',
			path: /\/metadata$/,
			status: 200,
			body: '{}',
			contentType: 'application/json',
		});
		const error = await getNodeError(setField(scene, { field: 'city', value: 'Lima' }));
		expect(error.message).toBe('Dify did not create the metadata field "city"');
		expect(error.description).toContain('Check the metadata of the knowledge base in Dify.');
		expect(getWrites(scene.sim)).toHaveLength(1);
	});

	test('without a field with a value, nothing is sent', async () => {
		const scene = await startScene();
		const document = addDocument(scene.sim.store, scene.dataset);
		const parameters = { documentId: byId(document.id), values: {} };
		const error = await getNodeError(executeOperation(scene, 'metadata', 'set', parameters));
		expect(error.message).toBe('No metadata to set');
		expect(error.description).toContain('Add at least one field with a value.');
		expect(getWrites(scene.sim)).toEqual([]);
	});

	test('any values are set and removed: others stay, and what is missing is not created to be removed', async () => {
		const names = ['a', 'b', 'c', 'd'];
		const records = fc.dictionary(fc.constantFrom(...names), fc.constantFrom('one', 'two', ''));
		await fc.assert(
			fc.asyncProperty(records, records, async (stored, changes) => {
				fc.pre(Object.keys(changes).length > 0);
				const known = names.filter((name) => Object.hasOwn(stored, name));
				const scene = await startScene({
					fields: known.map((name) => ({ id: `id-${name}`, name, type: 'string' })),
				});
				const document = addDocument(scene.sim.store, scene.dataset);
				const before = Object.entries(stored).filter(([, value]) => value !== '');
				for (const [name, value] of before) document.values.set(name, { id: `id-${name}`, value });
				const rows = Object.entries(changes).map(([field, value]) => ({
					field,
					value,
					type: 'string',
				}));
				const [item] = await executeOperation(scene, 'metadata', 'set', {
					documentId: byId(document.id),
					values: { value: rows },
					options: { createFields: true },
				});
				const after = Object.fromEntries(
					Object.entries({ ...Object.fromEntries(before), ...changes }).filter(
						([, value]) => value !== '',
					),
				);
				const isStored = [...document.values].map(([name, { value }]) => [name, value] as const);
				const input = { stored, changes };
				expect({ input, metadata: item!.metadata, stored: Object.fromEntries(isStored) }).toEqual({
					input,
					metadata: after,
					stored: after,
				});
				const needed = new Set([...known, ...Object.keys(after)]);
				expect(scene.dataset.fields.map(({ name }) => name).toSorted()).toEqual(
					[...needed].toSorted(),
				);
			}),
			examples(30),
		);
	});

	test.each<[string | undefined, unknown, string, unknown]>([
		['number', '2026', 'number', 2026],
		['string', '2026', 'string', '2026'],
		['string', '2026-01-31', 'string', '2026-01-31'],
		['time', '2026-01-31T12:00:00Z', 'time', 1_769_860_800],
		['time', 1_769_860_800, 'time', 1_769_860_800],
		['auto', 7, 'number', 7],
		['auto', new Date('2026-01-31T12:00:00Z'), 'time', 1_769_860_800],
		[undefined, 'Ann', 'string', 'Ann'],
		[undefined, 'v1.2', 'string', 'v1.2'],
	])('a new field of the type %s with %j is a %s', async (type, value, fieldType, stored) => {
		const scene = await startScene();
		const [item] = await setField(scene, { field: 'x', value, ...(type && { type }) });
		expect(item!.metadata).toEqual({ x: stored });
		expect(scene.dataset.fields).toMatchObject([{ name: 'x', type: fieldType }]);
	});

	test.each(['2026', ' 07301', '1.5', '2026-01-31', '2026-01-31T12:00:00Z'])(
		'"%s" creates no field without a type, since that is permanent',
		async (value) => {
			const scene = await startScene();
			const error = await getNodeError(setField(scene, { field: 'x', value, type: 'auto' }));
			expect(error.message).toContain('new metadata field "x" requires a type');
			expect(error.description).toContain('Set its Type to Number, Text or Time');
			expect(getWrites(scene.sim)).toEqual([]);
		},
	);

	test.each([
		['string', 2026, '2026'],
		['number', '2026', 2026],
		['time', '2026-01-31T12:00:00Z', 1_769_860_800],
	])('a value takes the type of its existing field: %s', async (type, value, stored) => {
		const scene = await startScene({ fields: [{ id: 'f', name: 'x', type }] });
		for (const chosen of ['auto', 'string', 'number']) {
			const [item] = await setField(scene, { field: 'x', value, type: chosen });
			expect(item!.metadata).toEqual({ x: stored });
		}
	});
});
