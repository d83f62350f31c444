import { DifyRetriever } from '../../../../nodes/DifyRetriever/DifyRetriever.node';
import type { SuppliedRetriever } from '../../../../nodes/DifyRetriever/supply';
import { addDocument, knowledgeKey } from '../../../simulators/dify';
import { fakeContext } from '../../../support/context';
import { executeIn, manage, prepare, scene, type Scene } from '../setup';

/** A knowledge base of several customers. Dify 1.13.3 ignores the filter and returns all records. */
async function ignoring(): Promise<Scene> {
	const of = await scene({ technique: 'high_quality' });
	for (const author of ['Ann', 'Bob', undefined])
		addDocument(of.sim.store, of.base, {
			name: `${author ?? 'nobody'}.txt`,
			text: `llama of ${author ?? 'nobody'}`,
		});
	const records = [...of.base.documents.values()].map((document) => ({
		segment: {
			id: document.segments[0]!.id,
			document_id: document.id,
			content: document.text,
			document: { id: document.id, name: document.name, doc_metadata: metadataOf(document.name) },
		},
		score: 0.5,
	}));
	of.sim.fail({
		path: /retrieve$/,
		status: 200,
		contentType: 'application/json',
		body: JSON.stringify({ query: { content: 'llama' }, records }),
		times: 9,
	});
	return of;
}

function metadataOf(name: string): object | null {
	return name.startsWith('nobody') ? null : { author: name.replace('.txt', '') };
}

const filtered = (operator: string, value: string) => ({
	metadataFilters: { condition: [{ field: 'author', operator, value }] },
});

describe('a metadata filter is applied to the response', () => {
	test.each([
		['is', 'Ann', ['llama of Ann'], 2],
		['is not', 'Ann', ['llama of Bob'], 2],
		['in', 'Ann, Bob', ['llama of Ann', 'llama of Bob'], 1],
		['empty', '', ['llama of nobody'], 2],
	])('%s %s: what does not fit is left out and counted', async (operator, value, texts, count) => {
		const of = await ignoring();
		const parameters = {
			resource: 'knowledgeBase',
			operation: 'retrieve',
			query: 'llama',
			...filtered(operator, value),
		};
		const fake = prepare(of, parameters);
		const found = await executeIn(fake);
		expect(found.map(({ json }) => json.content)).toEqual(texts);
		expect(fake.hints.map(({ message }) => message)).toEqual([
			expect.stringContaining(
				`Dify returned ${count} record(s) that do not match the metadata filter`,
			),
		]);
		const raw = await manage(of, 'knowledgeBase', 'retrieve', { ...parameters, simplify: false });
		expect(raw).toHaveLength(texts.length);
	});

	test('in the retriever of a chain, too', async () => {
		const of = await ignoring();
		const fake = fakeContext(
			{ difyDatasetIds: [of.base.id], topK: 5, options: {}, ...filtered('is', 'Ann') },
			{ baseUrl: of.sim.url, apiKey: knowledgeKey(), keyType: 'knowledge' },
		);
		const { response } = await new DifyRetriever().supplyData.call(fake.context, 0);
		const found = await (response as SuppliedRetriever).invoke('llama');
		expect(found.map(({ pageContent }) => pageContent)).toEqual(['llama of Ann']);
	});
});
