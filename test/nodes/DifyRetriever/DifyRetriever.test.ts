import type { ILoadOptionsFunctions } from 'n8n-workflow';

import { DifyRetriever } from '../../../nodes/DifyRetriever/DifyRetriever.node';
import type { SuppliedRetriever } from '../../../nodes/DifyRetriever/supply';
import { searchKnowledgeBases } from '../../../nodes/shared/dify/search-knowledge';
import {
	addDataset,
	addDocument,
	type DifySim,
	knowledgeKey,
	type SimDataset,
} from '../../simulators/dify';
import { calls, startSim } from '../../lib/dify/client';
import { fakeContext } from '../../support/context';
import { setImmediate } from '../../support/node-builtins';
import { nodeErrorOf } from '../dify';

async function scene() {
	const sim = await startSim({});
	const fill = (name: string, texts: string[], over: Partial<SimDataset> = {}) => {
		const base = addDataset(sim.store, { name, technique: 'high_quality', ...over });
		for (const text of texts) addDocument(sim.store, base, { name: `${text}.txt`, text });
		return base;
	};
	const supplied = async (bases: SimDataset[], parameters: Record<string, unknown> = {}) => {
		const fake = fakeContext(
			{ difyDatasetIds: bases.map(({ id }) => id), topK: 5, options: {}, ...parameters },
			{ baseUrl: sim.url, apiKey: knowledgeKey(), keyType: 'knowledge' },
		);
		const { response } = await new DifyRetriever().supplyData.call(fake.context, 0);
		return { ...fake, retriever: response as SuppliedRetriever };
	};
	return { sim, fill, supplied };
}

/** The context of the list in the editor. */
function editorContext(
	{ url }: DifySim,
	credential: { apiKey?: string } = {},
	chosen: string[] = [],
): ILoadOptionsFunctions {
	return {
		getCredentials: async () => ({
			baseUrl: url,
			apiKey: knowledgeKey(),
			keyType: 'knowledge',
			...credential,
		}),
		getNode: () => ({ name: 'Dify Retriever', type: 'difyRetriever' }),
		getNodeParameter: () => chosen,
		helpers: {},
	} as unknown as ILoadOptionsFunctions;
}

const listed = async (...editor: Parameters<typeof editorContext>) =>
	await new DifyRetriever().methods.loadOptions.getKnowledgeBases.call(editorContext(...editor));
const listedByLocator = async (...editor: Parameters<typeof editorContext>) =>
	await searchKnowledgeBases.call(editorContext(...editor));

describe('Dify Retriever', () => {
	test('D134: returns documents in the format of chains, and logs query and hits', async () => {
		const { fill, supplied } = await scene();
		const base = fill('Papers', ['llama wool', 'the moon']);
		const { retriever, inputs, outputs } = await supplied([base]);
		expect([retriever.lc_runnable, Array.isArray(retriever.lc_namespace)]).toEqual([true, true]);
		const document = [...base.documents.values()][0]!;
		expect(await retriever.invoke('llama wool')).toEqual([
			{
				pageContent: 'llama wool',
				metadata: {
					score: 1,
					source: 'llama wool.txt',
					documentId: document.id,
					segmentId: document.segments[0]!.id,
					datasetId: base.id,
				},
			},
		]);
		expect(inputs).toEqual([{ query: 'llama wool' }]);
		expect(outputs).toMatchObject([
			{ documents: [{ source: 'llama wool.txt', score: 1, text: 'llama wool' }] },
		]);
		expect(await retriever.invoke('nothing')).toEqual([]);
	});

	test('D136: an abort ends the request', async () => {
		const { sim, fill, supplied } = await scene();
		const { retriever } = await supplied([fill('Papers', ['llama'])]);
		sim.fail({ path: /retrieve$/, how: 'silence' });
		const stop = new AbortController();
		const aborted = nodeErrorOf(retriever.invoke('llama', { signal: stop.signal }));
		while (calls(sim, /retrieve$/) === 0) await new Promise((resolve) => setImmediate(resolve));
		stop.abort();
		expect((await aborted).message).toBeTruthy();
		// Errors are not cached.
		expect(await retriever.invoke('llama')).toHaveLength(1);
	});

	test('several knowledge bases: by score, keywords last, limited', async () => {
		const { fill, supplied } = await scene();
		const keywords = fill('Words', ['llama of the words'], { technique: 'economy' });
		const one = fill('One', ['llama wool', 'llama alone']);
		const two = fill('Two', ['llama and more']);
		const found = await (
			await supplied([keywords, one, two], { topK: 4 })
		).retriever.invoke('llama wool');
		expect(found.map(({ pageContent, metadata }) => [pageContent, metadata.score])).toEqual([
			['llama wool', 1],
			['llama alone', 0.5],
			['llama and more', 0.5],
			['llama of the words', 0],
		]);
		expect(
			await (await supplied([keywords, one, two], { topK: 1 })).retriever.invoke('llama wool'),
		).toHaveLength(1);
	});

	test('D137: an error of one of two knowledge bases fails the node', async () => {
		const { fill, supplied } = await scene();
		const good = fill('Good', ['llama']);
		const bad = fill('Bad', ['llama'], { apiEnabled: false });
		const strict = await supplied([good, bad]);
		const failed = await nodeErrorOf(strict.retriever.invoke('llama'));
		expect(failed.message).toContain('Dataset api access is not enabled');
	});

	test('D107: a long question is truncated, with a hint', async () => {
		const { fill, supplied } = await scene();
		const { retriever, hints } = await supplied([fill('Papers', ['llama'])]);
		expect(await retriever.invoke(`llama ${'x '.repeat(300)}`)).toHaveLength(1);
		expect(hints[0]?.message).toContain('truncated to 250 characters');
	});

	test('an error is reported by this node, also in its log', async () => {
		const { sim, fill, supplied } = await scene();
		const { retriever, outputs } = await supplied([fill('Papers', ['llama'])]);
		sim.store.knowledge.embeddingDown = true;
		const failed = await nodeErrorOf(retriever.invoke('llama'));
		expect(failed.message).toContain('HTTPConnectionPool');
		expect(outputs[0]).toBe(failed);
	});

	test('no knowledge base is an error', async () => {
		const { supplied } = await scene();
		await expect(supplied([])).rejects.toThrow('is empty');
	});

	test('the list has all knowledge bases except external ones', async () => {
		const { sim, fill } = await scene();
		fill('Papers', []);
		addDataset(sim.store, { name: 'Elsewhere', provider: 'external' });
		expect((await listed(sim)).map(({ name }) => name)).toEqual(['Papers']);
	});

	test('a failed list shows the reason and the fix, and keeps selected entries', async () => {
		const { sim, fill } = await scene();
		const { id } = fill('Papers', []);
		const entries = await listed(sim, { apiKey: 'dataset-wrong' }, [id, 'failedList']);
		expect(entries).toEqual([
			{ name: expect.any(String) as string, value: 'failedList' },
			{ name: id, value: id },
		]);
		const error = await nodeErrorOf(listedByLocator(sim, { apiKey: 'dataset-wrong' }));
		expect(entries[0]!.name).toBe(error.message.replaceAll('\u2011', '-'));
		expect(entries[0]!.name).toMatch(/^Access token is invalid.+Copy the API key again/);
	});

	test('the entry of a failed list is rejected before sending', async () => {
		const { sim, fill, supplied } = await scene();
		const requestCount = sim.requests.length;
		const failed = supplied([fill('Papers', []), { id: 'failedList' } as SimDataset]);
		await expect(failed).rejects.toMatchObject({
			message: expect.stringContaining('contains the error message of a list') as string,
			description: expect.stringContaining('Remove this entry') as string,
		});
		expect(sim.requests).toHaveLength(requestCount);
	});
});
