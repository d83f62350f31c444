/** An ID that does not exist is an error, in each operation: it says which object is missing, and nothing is changed. */
import { getNodeError } from '../dify';
import { addDataset, addDocument } from '../../simulators/dify';
import { getWrites } from '../../lib/dify/knowledge/setup';
import type { Scene } from './setup';
import { byId, executeOperation, startScene } from './setup';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

/** Operations on a document, with their parameters. */
const DOCUMENT_OPERATIONS: ReadonlyArray<
	readonly [resource: string, operation: string, parameters: object]
> = [
	['document', 'get', {}],
	['document', 'getStatus', { wait: 0, options: {} }],
	['document', 'getStatus', { wait: 0, options: { batch: '20261120195330641890' } }],
	['document', 'delete', {}],
	['document', 'download', { outputField: 'data' }],
	['document', 'setStatus', { statusAction: 'enable' }],
	['chunk', 'getAll', { keyword: '' }],
	['chunk', 'create', { content: 'C.' }],
	['chunk', 'get', { chunkId: UNKNOWN }],
	['chunk', 'update', { chunkId: UNKNOWN, options: { content: 'D.' } }],
	['chunk', 'delete', { chunkId: UNKNOWN }],
];

/** Operations on a knowledge base. */
const BASE_OPERATIONS: typeof DOCUMENT_OPERATIONS = [
	['knowledgeBase', 'get', {}],
	['knowledgeBase', 'update', { options: { name: 'New' } }],
	['knowledgeBase', 'delete', { confirm: true }],
	['knowledgeBase', 'retrieve', { query: 'q' }],
	['document', 'getAll', { keyword: '' }],
	['document', 'upsertText', { name: 'a.txt', text: 'A.' }],
	['metadata', 'getFields', {}],
];

interface Ids {
	dataset: string;
	document: string;
}

async function fail(
	scene: Scene,
	[resource, operation, parameters]: (typeof DOCUMENT_OPERATIONS)[number],
	{ dataset, document }: Ids,
) {
	const error = await getNodeError(
		executeOperation(scene, resource, operation, {
			difyDatasetId: byId(dataset),
			documentId: byId(document),
			documentIds: document,
			...parameters,
		}),
	);
	expect(getWrites(scene.sim).filter(({ status = 0 }) => status >= 200 && status < 300)).toEqual(
		[],
	);
	return `${error.description} [${(error.context.data as { type: string }).type}]`;
}

test.each(DOCUMENT_OPERATIONS)('%s %s %j: the document or its knowledge base', async (...row) => {
	const scene = await startScene();
	const { id: dataset } = scene.dataset;
	const { id: document } = addDocument(scene.sim.store, scene.dataset, {});
	const other = addDataset(scene.sim.store, { name: 'Other' });
	const missing = `Dify cannot find the document ${UNKNOWN}`;
	expect(await fail(scene, row, { dataset, document: UNKNOWN })).toContain(missing);
	const inOther = await fail(scene, row, { dataset: other.id, document });
	expect(inOther).toContain(`Dify cannot find the document ${document}`);
	expect(inOther).toContain('The knowledge base exists');
	const withoutBase = await fail(scene, row, { dataset: UNKNOWN, document });
	expect(withoutBase).toContain(`Dify cannot find the knowledge base ${UNKNOWN}`);
	expect(withoutBase).toContain('[datasetNotFound]');
});

test.each(DOCUMENT_OPERATIONS.filter(([, , parameters]) => 'chunkId' in parameters))(
	'%s %s: the chunk, if its document exists',
	async (...row) => {
		const scene = await startScene();
		const { id: document } = addDocument(scene.sim.store, scene.dataset, {});
		const text = await fail(scene, row, { dataset: scene.dataset.id, document });
		expect(text).toContain(`Dify cannot find the chunk ${UNKNOWN}`);
		expect(text).toContain('The document exists');
	},
);

test.each(BASE_OPERATIONS)('%s %s: the knowledge base', async (...row) => {
	const scene = await startScene();
	const text = await fail(scene, row, { dataset: UNKNOWN, document: UNKNOWN });
	expect(text).toContain(`Dify cannot find the knowledge base ${UNKNOWN}`);
	expect(text).toContain('[datasetNotFound]');
});

test('a wrong knowledge base is not looked up where the lookup fails: the message stays', async () => {
	const scene = await startScene();
	const { id } = scene.dataset;
	scene.sim.fail({ method: 'GET', path: new RegExp(`/datasets/${id}$`), status: 403 });
	const text = await fail(scene, ['document', 'delete', {}], { dataset: id, document: UNKNOWN });
	expect(text).not.toContain('cannot find the');
	expect(text).toContain('[notFound]');
});
