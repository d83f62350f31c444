/** What users of knowledge bases of Dify must not lose (README.md has the table), against a simulated Dify. */
import type { INodeExecutionData } from 'n8n-workflow';

import { addDataset, addDocument, knowledgeKey, startDifySim } from '../simulators/dify';
import type { DifySim, SimDataset, SimDocument } from '../simulators/dify';
import type { ExecuteFake, ExecuteSetup } from '../support/n8n/execute-context';
import * as buffer from 'node:buffer';
import { useSimulator } from '../simulators/use-simulator';
import { execute, prepare, supplyRetriever } from '../recordings/support/dify-node-runner';
import { useServers } from '../support/servers/scripted-server';

jest.mock('n8n-workflow', () => jest.requireActual<object>('../recordings/support/mock-sleep'));

type Parameters = Record<string, unknown>;

const byId = (value: unknown) => ({ __rl: true, mode: 'id', value });
const serve = useServers();
const start = useSimulator(startDifySim);

/** Message of the error; undefined if nothing failed. */
const errorOf = async (work: Promise<unknown>) =>
	await work.then(
		() => undefined,
		(error: Error) => error.message,
	);

interface Base {
	sim: DifySim;
	base: SimDataset;
}

async function startBase(over: Partial<SimDataset> = {}): Promise<Base> {
	const sim = await start();
	return {
		sim,
		base: addDataset(sim.store, { name: 'Papers', technique: 'high_quality', ...over }),
	};
}

function prepareKnowledge(
	{ sim, base }: Base,
	operation: string,
	parameters: Parameters,
	setup: Partial<ExecuteSetup> = {},
): ExecuteFake {
	const access = { baseUrl: sim.url, apiKey: knowledgeKey() };
	const filled = { difyDatasetId: byId(base.id), options: {}, ...parameters };
	return prepare('difyKnowledge', operation, access, filled, setup);
}

async function knowledge(
	of: Base,
	operation: string,
	parameters: Parameters,
): Promise<INodeExecutionData[]> {
	return await execute('difyKnowledge', prepareKnowledge(of, operation, parameters));
}

const documentsOf = ({ base }: Base) =>
	[...base.documents.values()].map(({ name, enabled }) => `${name} ${enabled ? 'on' : 'off'}`);

describe('an empty or partial source list removes no document', () => {
	const SOURCES = ['a.md', 'b.md', 'c.md', 'd.md', 'e.md'];
	const OLD = SOURCES.map((name) => `${name} on`);

	const itemsOf = (sources: readonly string[]) => ({
		items: sources.map((source) => ({ json: { source } })),
		perItem: sources.map((source) => ({ source, name: source, text: `text of ${source}` })),
	});

	function sync(of: Base, options: Parameters, setup: Partial<ExecuteSetup>): ExecuteFake {
		const parameters = { contentType: 'text', source: '', text: '', dryRun: false };
		return prepareKnowledge(of, 'document sync', { ...parameters, options }, setup);
	}

	async function synced(): Promise<Base> {
		const of = await startBase();
		await execute('difyKnowledge', sync(of, {}, itemsOf(SOURCES)));
		expect(documentsOf(of)).toEqual(OLD);
		return of;
	}

	test.each(['delete', 'disable'])('no item: %s', async (onMissingSource) => {
		const of = await synced();
		await errorOf(execute('difyKnowledge', sync(of, { onMissingSource }, { items: [] })));
		expect(documentsOf(of)).toEqual(OLD);
	});

	test.each(['delete', 'disable'])(
		'the one empty item of Always Output Data: %s',
		async (onMissingSource) => {
			const of = await synced();
			const options = { onMissingSource, maxRemovedPercent: 100 };
			await errorOf(execute('difyKnowledge', sync(of, options, { items: [{ json: {} }] })));
			expect(documentsOf(of)).toEqual(OLD);
		},
	);

	test.each([
		['delete', false],
		['delete', true],
		['disable', true],
	])(
		'an item that cannot be read: %s, continue on fail: %s',
		async (onMissingSource, continueOnFail) => {
			const of = await synced();
			const options = { onMissingSource, maxRemovedPercent: 100 };
			const { items, perItem } = itemsOf(['a.md', 'b.md', 'c.md', 'd.md']);
			perItem[3]!.source = '';
			const written = { source: '={{ $json.path }}' };
			const fake = sync(of, options, { items, perItem, written, continueOnFail });
			await errorOf(execute('difyKnowledge', fake));
			expect(documentsOf(of)).toEqual(OLD);
		},
	);

	test.each(['delete', 'disable'])(
		'a list that lost more than its share: %s',
		async (onMissingSource) => {
			const of = await synced();
			const fake = sync(of, { onMissingSource }, itemsOf(['a.md', 'b.md']));
			expect(await errorOf(execute('difyKnowledge', fake))).toBeDefined();
			expect(documentsOf(of)).toEqual(OLD);
		},
	);

	test('documents that the sync did not create stay, even if a source is missing', async () => {
		const of = await startBase();
		addDocument(of.sim.store, of.base, { name: 'by hand.md' });
		await execute('difyKnowledge', sync(of, {}, itemsOf(SOURCES)));
		const options = { onMissingSource: 'delete', maxRemovedPercent: 50 };
		await execute('difyKnowledge', sync(of, options, itemsOf(SOURCES.slice(1))));
		expect(documentsOf(of)).toEqual(['by hand.md on', ...OLD.slice(1)]);
	});
});

describe('an empty filter matches no documents instead of all', () => {
	/** Documents of two customers. */
	async function customers(): Promise<Base> {
		const of = await startBase({ fields: [{ id: 'f1', name: 'customer', type: 'string' }] });
		for (const customer of ['anna', 'bert'])
			addDocument(of.sim.store, of.base, {
				name: `${customer}.txt`,
				text: `llama of ${customer}`,
				values: new Map([['customer', { id: 'f1', value: customer }]]),
			});
		return of;
	}

	const filtered = (value: unknown, operator: string) => ({
		query: 'llama',
		topK: 10,
		simplify: true,
		options: { filterLogic: 'and' },
		metadataFilters: { condition: [{ field: 'customer', operator, value }] },
	});

	/** Texts that a node returns; none if it fails. */
	const textsOf = async (work: Promise<unknown>) =>
		await work.then(
			(found) => JSON.stringify(found).match(/llama of \w+/g) ?? [],
			() => [],
		);

	const EMPTY: ReadonlyArray<readonly [unknown, string]> = [
		['', 'is'],
		[undefined, 'is'],
		[null, 'is'],
		['', 'in'],
		[[], 'in'],
		['', 'contains'],
		['', 'start with'],
	];

	test.each(EMPTY)('retrieve: %j %s', async (value, operator) => {
		const of = await customers();
		const found = knowledge(of, 'knowledgeBase retrieve', filtered(value, operator));
		expect(await textsOf(found)).toEqual([]);
	});

	test.each(EMPTY)('Retriever: %j %s', async (value, operator) => {
		const { sim, base } = await customers();
		const access = { baseUrl: sim.url, apiKey: knowledgeKey() };
		const parameters = { difyDatasetIds: [base.id], ...filtered(value, operator) };
		const { retriever } = await supplyRetriever(access, parameters);
		expect(await textsOf(retriever.invoke('llama'))).toEqual([]);
	});

	test('a filter with a value matches only the documents of this customer', async () => {
		const of = await customers();
		const found = knowledge(of, 'knowledgeBase retrieve', filtered('anna', 'is'));
		expect(await textsOf(found)).toEqual(['llama of anna']);
		const access = { baseUrl: of.sim.url, apiKey: knowledgeKey() };
		const parameters = { difyDatasetIds: [of.base.id], ...filtered('bert', 'is') };
		const { retriever } = await supplyRetriever(access, parameters);
		expect(await textsOf(retriever.invoke('llama'))).toEqual(['llama of bert']);
	});
});

describe('questions and answers of a chunk, and other metadata, survive an update', () => {
	async function withChunk(): Promise<{ of: Base; document: SimDocument; place: Parameters }> {
		const of = await startBase({
			form: 'qa_model',
			fields: [
				{ id: 'f1', name: 'city', type: 'string' },
				{ id: 'f2', name: 'year', type: 'number' },
			],
		});
		const document = addDocument(of.sim.store, of.base, {
			text: 'What is a llama?',
			values: new Map([
				['city', { id: 'f1', value: 'Quito' }],
				['year', { id: 'f2', value: 2024 }],
			]),
		});
		const [chunk] = document.segments;
		Object.assign(chunk!, { answer: 'An animal.', keywords: ['llama'] });
		return { of, document, place: { documentId: byId(document.id), chunkId: chunk!.id } };
	}

	test.each([
		[{ content: 'What are llamas?' }, 'What are llamas?', 'An animal.', ['llama']],
		[{ answer: 'Camels.' }, 'What is a llama?', 'Camels.', ['llama']],
		[{ keywords: 'wool' }, 'What is a llama?', 'An animal.', ['wool']],
		[{ enabled: true }, 'What is a llama?', 'An animal.', ['llama']],
	])('chunk: %j', async (options, content, answer, keywords) => {
		const { of, document, place } = await withChunk();
		await knowledge(of, 'chunk update', { ...place, options });
		expect(document.segments).toMatchObject([{ content, answer, keywords }]);
	});

	test('metadata: setting one field keeps the other', async () => {
		const { of, document, place } = await withChunk();
		const values = { value: [{ field: 'city', value: 'Lima', type: 'auto' }] };
		await knowledge(of, 'metadata set', { ...place, values });
		expect([...document.values].map(([name, { value }]) => [name, value])).toEqual([
			['city', 'Lima'],
			['year', 2024],
		]);
	});

	test('metadata: new content under the same name keeps it', async () => {
		const { of, document } = await withChunk();
		of.base.form = 'text_model';
		document.form = 'text_model';
		const text = { name: document.name, text: 'New text.', options: { wait: 0 } };
		await knowledge(of, 'document upsertText', text);
		expect(of.base.documents.size).toBe(1);
		expect([...document.values.keys()]).toEqual(['city', 'year']);
	});
});

test('the file of a document on another host is fetched if the node names it, without the key', async () => {
	const of = await startBase();
	const { id, fileId } = addDocument(of.sim.store, of.base, { name: 'a.md' });
	const other = await serve({
		[`GET /files/${fileId}/file-preview`]: (_request, response) => void response.end('other'),
	});
	of.sim.store.filesUrl = other.url;
	const parameters = { documentId: id, options: { fetchFilesFrom: other.url } };
	const [item] = await knowledge(of, 'document download', parameters);
	const { data = '' } = Object.values(item!.binary ?? {})[0] ?? {};
	expect(buffer.Buffer.from(data, 'base64').toString('utf8')).toBe('other');
	expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
});
