import { DifyRetriever } from '../../../nodes/DifyRetriever/DifyRetriever.node';
import type { SuppliedRetriever } from '../../../nodes/DifyRetriever/supply';
import { searchKnowledgeBases } from '../../../nodes/shared/dify/editor-lists';
import { addDataset, addDocument, knowledgeKey } from '../../simulators/dify';
import type { DifySim, SimDataset } from '../../simulators/dify';
import { countRequests, startSim } from '../../lib/dify/client';
import { editorContext } from '../../support/n8n/editor-context';
import { fakeContext } from '../../support/n8n/context';
import { until } from '../../support/servers/scripted-server';
import { withDeadline } from '../../support/waiting/deadline';
import { getNodeError } from '../dify';

async function startScene() {
	const sim = await startSim({});
	const addFilledDataset = (name: string, texts: string[], overrides: Partial<SimDataset> = {}) => {
		const dataset = addDataset(sim.store, { name, technique: 'high_quality', ...overrides });
		for (const text of texts) addDocument(sim.store, dataset, { name: `${text}.txt`, text });
		return dataset;
	};
	const supply = async (datasets: SimDataset[], parameters: Record<string, unknown> = {}) => {
		const fake = fakeContext(
			{ difyDatasetIds: datasets.map(({ id }) => id), topK: 5, options: {}, ...parameters },
			{ baseUrl: sim.url, apiKey: knowledgeKey(), keyType: 'knowledge' },
		);
		const { response } = await new DifyRetriever().supplyData.call(fake.context, 0);
		return { ...fake, retriever: response as SuppliedRetriever };
	};
	return { sim, addFilledDataset, supply };
}

/** The context of the list in the editor. */
const createEditorContext = (
	{ url: baseUrl }: DifySim,
	apiKey = knowledgeKey(),
	difyDatasetIds: string[] = [],
) => editorContext({ baseUrl, apiKey, keyType: 'knowledge' }, { difyDatasetIds });

const listKnowledgeBases = async (...args: Parameters<typeof createEditorContext>) =>
	await new DifyRetriever().methods.loadOptions.getKnowledgeBases.call(
		createEditorContext(...args),
	);

describe('Dify Retriever', () => {
	test('names an external knowledge base, of which no document would ever come', async () => {
		const { addFilledDataset, supply } = await startScene();
		const dataset = addFilledDataset('Papers', ['llama wool']);
		const external = addFilledDataset('Wiki', [], { provider: 'external' });
		const { retriever } = await supply([dataset, external]);
		await expect(retriever.invoke('llama wool')).rejects.toThrow('"Wiki" is external');
	});

	test('returns documents in the format of chains, and logs query and results', async () => {
		const { addFilledDataset, supply } = await startScene();
		const dataset = addFilledDataset('Papers', ['llama wool', 'the moon']);
		const { retriever, inputs, outputs } = await supply([dataset]);
		expect([retriever.lc_runnable, Array.isArray(retriever.lc_namespace)]).toEqual([true, true]);
		const document = [...dataset.documents.values()][0]!;
		expect(await retriever.invoke('llama wool')).toEqual([
			{
				pageContent: 'llama wool',
				metadata: {
					score: 1,
					source: 'llama wool.txt',
					documentId: document.id,
					segmentId: document.segments[0]!.id,
					datasetId: dataset.id,
				},
			},
		]);
		expect(inputs).toEqual([{ query: 'llama wool' }]);
		expect(outputs).toMatchObject([
			{ documents: [{ source: 'llama wool.txt', score: 1, text: 'llama wool' }] },
		]);
		expect(await retriever.invoke('nothing')).toEqual([]);
	});

	test.each([
		{ what: 'of the call', hasSignal: true, isStop: false },
		{ what: 'of the execution', hasSignal: false, isStop: true },
		{ what: 'of the execution, while the call has a signal', hasSignal: true, isStop: true },
	])(
		'an abort $what ends the request, and its error is not cached',
		async ({ hasSignal, isStop }) => {
			const { sim, addFilledDataset, supply } = await startScene();
			const { retriever, cancel } = await supply([addFilledDataset('Papers', ['llama'])]);
			sim.fail({ path: /retrieve$/, how: 'silence' });
			const ofCall = new AbortController();
			const config = hasSignal ? { signal: ofCall.signal } : undefined;
			const aborted = getNodeError(retriever.invoke('llama', config));
			await until(() => countRequests(sim, /retrieve$/) > 0);
			(isStop ? cancel : ofCall).abort();
			const error = await withDeadline(aborted, () => 'the end of the search');
			expect(error.message).toMatch(/cancel|stop/i);
			// Errors are not cached.
			expect(await retriever.invoke('llama')).toHaveLength(1);
		},
	);

	test('results of several knowledge bases are sorted by score, keyword results last, up to the limit', async () => {
		const { addFilledDataset, supply } = await startScene();
		const keywords = addFilledDataset('Words', ['llama of the words'], { technique: 'economy' });
		const first = addFilledDataset('One', ['llama wool', 'llama alone']);
		const second = addFilledDataset('Two', ['llama and more']);
		const documents = await (
			await supply([keywords, first, second], { topK: 4 })
		).retriever.invoke('llama wool');
		expect(documents.map(({ pageContent, metadata }) => [pageContent, metadata.score])).toEqual([
			['llama wool', 1],
			['llama alone', 0.5],
			['llama and more', 0.5],
			['llama of the words', 0],
		]);
		const twice = await (await supply([second, second])).retriever.invoke('llama wool');
		expect(twice.map(({ pageContent }) => pageContent)).toEqual(['llama and more']);
		expect(
			await (await supply([keywords, first, second], { topK: 1 })).retriever.invoke('llama wool'),
		).toHaveLength(1);
	});

	test('an error of one of two knowledge bases fails the node', async () => {
		const { addFilledDataset, supply } = await startScene();
		const good = addFilledDataset('Good', ['llama']);
		const bad = addFilledDataset('Bad', ['llama'], { apiEnabled: false });
		const both = await supply([good, bad]);
		const failed = await getNodeError(both.retriever.invoke('llama'));
		expect(failed.message).toContain('Dataset api access is not enabled');
	});

	test('a long question is truncated, with a hint', async () => {
		const { addFilledDataset, supply } = await startScene();
		const { retriever, hints } = await supply([addFilledDataset('Papers', ['llama'])]);
		expect(await retriever.invoke(`llama ${'x '.repeat(300)}`)).toHaveLength(1);
		expect(hints[0]?.message).toContain('truncated to 250 characters');
	});

	test('no knowledge base is an error', async () => {
		const { supply } = await startScene();
		await expect(supply([])).rejects.toThrow('is empty');
	});

	test('the list has all knowledge bases except external ones', async () => {
		const { sim, addFilledDataset } = await startScene();
		addFilledDataset('Papers', []);
		addDataset(sim.store, { name: 'Elsewhere', provider: 'external' });
		addFilledDataset('Reports', []);
		addDataset(sim.store, { name: 'Far away', provider: 'external' });
		const names = (await listKnowledgeBases(sim)).map(({ name }) => name);
		expect(names.toSorted()).toEqual(['Papers', 'Reports']);
	});

	test('a failed list shows the reason and the fix, and keeps selected entries', async () => {
		const { sim, addFilledDataset } = await startScene();
		const { id } = addFilledDataset('Papers', []);
		const entries = await listKnowledgeBases(sim, 'dataset-wrong', [id, 'failedList']);
		expect(entries).toEqual([
			{ name: expect.any(String) as string, value: 'failedList' },
			{ name: id, value: id },
		]);
		const error = await getNodeError(
			searchKnowledgeBases.call(createEditorContext(sim, 'dataset-wrong')),
		);
		expect(entries[0]!.name).toBe(error.message.replaceAll('\u2011', '-'));
		expect(entries[0]!.name).toMatch(/^Access token is invalid\. Copy the API key again/);
	});

	test('the entry of a failed list is rejected before sending', async () => {
		const { sim, addFilledDataset, supply } = await startScene();
		const requestCount = sim.requests.length;
		const failed = supply([addFilledDataset('Papers', []), { id: 'failedList' } as SimDataset]);
		await expect(failed).rejects.toMatchObject({
			message: expect.stringContaining('contains the error message of a list') as string,
			description: expect.stringContaining('Remove this entry') as string,
		});
		expect(sim.requests).toHaveLength(requestCount);
	});
});
