import { addDocument, PAGES } from '../../../simulators/dify';
import type { Fault } from '../../../simulators/dify';
import { performance } from 'node:perf_hooks';
import { countRequests } from '../../../lib/dify/client';
import { getLastBody } from '../../../lib/dify/knowledge/setup';
import { getNodeError } from '../../dify';
import { runDocument, byId, startScene } from '../setup';
import type { Scene } from '../setup';

jest.mock('../../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../../support/waiting/mock-sleep'),
);

const TEXT = { name: 'llama.txt', text: 'Llamas live in the Andes.', options: { wait: 600 } };

/** The document's state from now on. */
function setProgress({ sim }: Scene, record: object): void {
	sim.fail({
		path: /indexing-status$/,
		status: 200,
		contentType: 'application/json',
		body: JSON.stringify({ data: [{ id: 'no batch of this document' }] }),
		times: 1_000,
	});
	sim.fail({
		path: /\/documents\/[\w-]{36}$/,
		status: 200,
		contentType: 'application/json',
		body: JSON.stringify(record),
		times: 1_000,
	});
}

test.each([
	[
		{
			indexing_status: 'error',
			error: 'Your vector space is full',
			error_code: 'vector_space_estimate_exceeded',
		},
		{
			type: 'planLimitReached',
			message: 'Your vector space is full',
			suggestion: 'Upgrade the plan',
		},
	],
	[
		{ indexing_status: 'error', error: '[models] Bad Gateway' },
		{
			type: 'indexingFailed',
			message: '[models] Bad Gateway',
			suggestion: 'with the status "error"',
		},
	],
	[
		{ indexing_status: 'paused' },
		{
			type: 'datasetRejected',
			message: 'Indexing of the document is paused',
			suggestion: 'Resume it',
		},
	],
	[
		{ indexing_status: 'waiting' },
		{
			type: 'indexingStuck',
			message: 'The Dify worker has not started on',
			suggestion: 'docker compose',
		},
	],
	[
		{ indexing_status: 'indexing', completed_segments: 1, total_segments: 3 },
		{ type: 'runTimeout', message: 'was not indexed within 600 s', suggestion: 'Get Status' },
	],
])('the progress %j is an error', async (record, { type, message, suggestion }) => {
	const scene = await startScene();
	setProgress(scene, record);
	const error = await getNodeError(runDocument(scene, 'upsertText', TEXT));
	expect(error.message).toContain(message);
	expect(error.description).toContain(suggestion);
	expect(error.context.data).toMatchObject({
		type,
		documentId: [...scene.dataset.documents.keys()][0],
	});
	// The document exists: it is not resent.
	expect(countRequests(scene.sim, /create-by-text$/)).toBe(1);
});

test('an archived or disabled document with the name is enabled first', async () => {
	for (const state of [{ archived: true }, { enabled: false }]) {
		const scene = await startScene();
		const document = addDocument(scene.sim.store, scene.dataset, { name: TEXT.name, ...state });
		const [item] = await runDocument(scene, 'upsertText', TEXT);
		expect(item).toMatchObject({ action: 'updated', documentId: document.id });
		expect(scene.dataset.documents.size).toBe(1);
	}
});

test('an existing document stays unchanged with Fail', async () => {
	const scene = await startScene();
	addDocument(scene.sim.store, scene.dataset, { name: TEXT.name, text: 'old' });
	const options = { ifExists: 'fail' };
	const error = await getNodeError(runDocument(scene, 'upsertText', { ...TEXT, options }));
	expect(error.message).toBe('The knowledge base already has a document "llama.txt"');
	expect([...scene.dataset.documents.values()].map(({ text }) => text)).toEqual(['old']);
});

test('with Skip, a document that is still indexed is not waited for', async () => {
	const scene = await startScene();
	const { id } = addDocument(scene.sim.store, scene.dataset, {
		name: TEXT.name,
		text: 'old',
		status: 'waiting',
	});
	const options = { ifExists: 'skip' };
	expect(await runDocument(scene, 'upsertText', { ...TEXT, options })).toMatchObject([
		{ action: 'skipped', documentId: id, indexingStatus: 'waiting' },
	]);
	expect([...scene.dataset.documents.values()]).toMatchObject([{ text: 'old', status: 'waiting' }]);
});

test.each([
	{ chunking: 'custom', overlap: 50, childLength: undefined },
	{ chunking: 'hierarchical', overlap: 0, childLength: 200 },
])('the defaults of the chunking $chunking', async ({ chunking, overlap, childLength }) => {
	const scene = await startScene();
	await runDocument(scene, 'upsertText', { ...TEXT, options: { chunking } });
	const { process_rule: rule } = getLastBody(scene.sim, /create-by-text$/);
	const { rules } = rule as { rules: Record<string, Record<string, unknown>> };
	expect(rules.segmentation).toEqual({
		separator: '\n\n',
		max_tokens: 500,
		chunk_overlap: overlap,
	});
	expect(rules.subchunk_segmentation?.max_tokens).toBe(childLength);
});

test('an archived document is unarchived, then deleted', async () => {
	const scene = await startScene();
	const { id } = addDocument(scene.sim.store, scene.dataset, { archived: true });
	const parameters = { documentId: byId(id) };
	expect(await runDocument(scene, 'delete', parameters)).toEqual([
		{ documentId: id, deleted: true },
	]);
});

test('a 404 page instead of Dify is an error, not a missing document', async () => {
	const scene = await startScene();
	const { id } = addDocument(scene.sim.store, scene.dataset, {});
	scene.sim.fail({ method: 'DELETE', status: 404, body: PAGES.nginx502 });
	await getNodeError(runDocument(scene, 'delete', { documentId: byId(id) }));
	expect(scene.dataset.documents.has(id)).toBe(true);
});

test.each([
	{ record: {}, warnings: undefined },
	{ record: { segment_count: 0 }, warnings: [expect.stringContaining('no chunks')] },
	{ record: { segment_count: 1 }, warnings: undefined },
])('a document has no chunks only if Dify says so: $record', async ({ record, warnings }) => {
	const scene = await startScene();
	const missing = { code: 'not_found', message: 'Documents not found.', status: 404 };
	const contentType = 'application/json';
	scene.sim.store.faults.push(
		{ path: /indexing-status$/, status: 404, contentType, body: JSON.stringify(missing) },
		{
			path: /\/documents\/[\w-]{36}$/,
			status: 200,
			contentType,
			body: JSON.stringify({ indexing_status: 'completed', ...record }),
		},
	);
	const [item] = await runDocument(scene, 'upsertText', TEXT);
	expect(item!.warnings).toEqual(warnings);
});

describe('the wait for indexing', () => {
	const SECOND = 1_000;
	const INDEXED = { indexing_status: 'completed', completed_segments: 1, total_segments: 1 };

	/** Dify's responses for every document, each record for so many seconds; then it is indexed. */
	function setProgressSteps(
		{ sim }: Scene,
		...records: Array<[status: string, seconds: number]>
	): void {
		const startedAt = performance.now();
		const fault: Fault = {
			path: /indexing-status$/,
			status: 404,
			contentType: 'application/json',
			body: JSON.stringify({ code: 'not_found', message: 'Documents not found.', status: 404 }),
			times: 1_000,
		};
		const current = () => {
			let remainingMs = performance.now() - startedAt;
			const currentStep = records.find(([, seconds]) => (remainingMs -= seconds * SECOND) < 0);
			return JSON.stringify(
				currentStep === undefined ? INDEXED : { indexing_status: currentStep[0] },
			);
		};
		const record = { ...fault, path: /\/documents\/[\w-]{36}$/, status: 200 };
		sim.store.faults.push(fault, Object.defineProperty(record, 'body', { get: current }));
	}

	const oneItem = { items: [{ json: { source: 'a' } }] };
	const operations: Array<[string, Record<string, unknown>]> = [
		['upsertText', { name: TEXT.name, text: TEXT.text }],
		['sync', { source: 'a.md', name: 'a.md', text: TEXT.text }],
	];

	test.each(operations)('lasts five minutes by default: %s', async (name, fields) => {
		const quick = await startScene();
		setProgressSteps(quick, ['indexing', 290]);
		const [item] = await runDocument(quick, name, fields, oneItem);
		expect(item).toMatchObject({ action: 'created', indexingStatus: 'completed' });
		const slow = await startScene();
		setProgressSteps(slow, ['indexing', 330]);
		const error = await getNodeError(runDocument(slow, name, fields, oneItem));
		expect(error.message).toContain('The document was not indexed within 300 s');
	});

	test('ends after two minutes in which no worker starts the document', async () => {
		const slow: Array<[string, number]> = [
			['waiting', 110],
			['parsing', 10],
			['waiting', 110],
		];
		const scene = await startScene();
		setProgressSteps(scene, ...slow);
		const [item] = await runDocument(scene, 'upsertText', TEXT);
		expect(item).toMatchObject({ indexingStatus: 'completed' });
		const stuck = await startScene();
		setProgressSteps(stuck, ['waiting', 140]);
		const error = await getNodeError(runDocument(stuck, 'upsertText', TEXT));
		expect(error.context.data).toMatchObject({ type: 'indexingStuck' });
	});
});

test.each([
	[false, true],
	[true, false],
])(
	'of two documents with the same name, the enabled one is updated: %s, %s',
	async (...enabled) => {
		const scene = await startScene();
		const documents = enabled.map((isOn) =>
			addDocument(scene.sim.store, scene.dataset, { name: TEXT.name, text: 'old', enabled: isOn }),
		);
		const [enabledDocument, disabledDocument] = enabled[0] ? documents : documents.toReversed();
		const [item] = await runDocument(scene, 'upsertText', TEXT);
		expect(item).toMatchObject({ action: 'updated', documentId: enabledDocument!.id });
		expect(scene.dataset.documents.get(disabledDocument!.id)).toMatchObject({
			text: 'old',
			enabled: false,
		});
		expect(scene.dataset.documents.size).toBe(2);
	},
);

test.each([
	['high quality by default, as in Dify', null, {}, 'high_quality'],
	['the technique of the option', null, { technique: 'economy' }, 'economy'],
	[
		'the technique of the knowledge base, regardless of the option',
		'economy',
		{ technique: 'high_quality' },
		'economy',
	],
])('technique of the first document: %s', async (_name, technique, options, expected) => {
	const scene = await startScene({ technique });
	await runDocument(scene, 'upsertText', { ...TEXT, options });
	expect(getLastBody(scene.sim, /create-by-text$/)).toMatchObject({ indexing_technique: expected });
	expect(scene.dataset.technique).toBe(expected);
});
