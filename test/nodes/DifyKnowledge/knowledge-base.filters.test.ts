import { DifyRetriever } from '../../../nodes/DifyRetriever/DifyRetriever.node';
import type { SuppliedRetriever } from '../../../nodes/DifyRetriever/supply';
import { addDocument, knowledgeKey } from '../../simulators/dify';
import { fakeContext } from '../../support/n8n/context';
import { runBase, executePrepared, prepare, startScene } from './setup';
import type { Scene } from './setup';

/** A knowledge base of several customers. Dify 1.13.3 ignores the filter and returns all records. */
async function startWithoutFilters(): Promise<Scene> {
	const scene = await startScene({ technique: 'high_quality' });
	for (const author of ['Ann', 'Bob', undefined])
		addDocument(scene.sim.store, scene.dataset, {
			name: `${author ?? 'no one'}.txt`,
			text: `llama of ${author ?? 'no one'}`,
		});
	const records = [...scene.dataset.documents.values()].map((document) => ({
		segment: {
			id: document.segments[0]!.id,
			document_id: document.id,
			content: document.text,
			document: { id: document.id, name: document.name, doc_metadata: getMetadata(document.name) },
		},
		score: 0.5,
	}));
	scene.sim.fail({
		path: /retrieve$/,
		status: 200,
		contentType: 'application/json',
		body: JSON.stringify({ query: { content: 'llama' }, records }),
		times: 9,
	});
	return scene;
}

function getMetadata(name: string): object | null {
	return name.startsWith('no one') ? null : { author: name.replace('.txt', '') };
}

const createFilter = (operator: string, value: string) => ({
	metadataFilters: { condition: [{ field: 'author', operator, value }] },
});

describe('a metadata filter is applied to the response', () => {
	test.each([
		['is', 'Ann', ['llama of Ann'], 2],
		['is not', 'Ann', ['llama of Bob'], 2],
		['in', 'Ann, Bob', ['llama of Ann', 'llama of Bob'], 1],
		['empty', '', ['llama of no one'], 2],
	])('%s %s: other records are removed and counted', async (operator, value, texts, count) => {
		const scene = await startWithoutFilters();
		const parameters = {
			resource: 'knowledgeBase',
			operation: 'retrieve',
			query: 'llama',
			...createFilter(operator, value),
		};
		const fake = prepare(scene, parameters);
		const results = await executePrepared(fake);
		expect(results.map(({ json }) => json.content)).toEqual(texts);
		expect(fake.hints.map(({ message }) => message)).toEqual([
			expect.stringContaining(
				`Dify returned ${count} record(s) that do not match the metadata filter`,
			),
		]);
		const raw = await runBase(scene, 'retrieve', {
			...parameters,
			simplify: false,
		});
		expect(raw).toHaveLength(texts.length);
	});

	test('the retriever of a chain applies a metadata filter to the response', async () => {
		const scene = await startWithoutFilters();
		const fake = fakeContext(
			{ difyDatasetIds: [scene.dataset.id], topK: 5, options: {}, ...createFilter('is', 'Ann') },
			{ baseUrl: scene.sim.url, apiKey: knowledgeKey(), keyType: 'knowledge' },
		);
		const { response } = await new DifyRetriever().supplyData.call(fake.context, 0);
		const results = await (response as SuppliedRetriever).invoke('llama');
		expect(results.map(({ pageContent }) => pageContent)).toEqual(['llama of Ann']);
		expect(fake.hints.map(({ message }) => message)).toEqual([
			expect.stringContaining('Dify returned 2 record(s) that do not match the metadata filter'),
		]);
	});
});

test('a filter that does not fit the type of its field is an error, also in the retriever of a chain', async () => {
	const fields = [{ id: 'f', name: 'author', type: 'string' }];
	const { sim, dataset } = await startScene({ technique: 'high_quality', fields });
	const fake = fakeContext(
		{ difyDatasetIds: [dataset.id], topK: 5, options: {}, ...createFilter('>', '5') },
		{ baseUrl: sim.url, apiKey: knowledgeKey(), keyType: 'knowledge' },
	);
	const { response } = await new DifyRetriever().supplyData.call(fake.context, 0);
	await expect((response as SuppliedRetriever).invoke('llama')).rejects.toThrow('"author" is text');
});
