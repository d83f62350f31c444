import { addDocument, type Fault, PAGES } from '../../../simulators/dify';
import { performance } from '../../../support/node-builtins';
import { calls } from '../../../lib/dify/client';
import { lastBody } from '../../../lib/dify/knowledge/setup';
import { nodeErrorOf } from '../../dify';
import { byId, manage, scene, type Scene } from '../setup';

jest.mock('../../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../../support/mock-sleep'),
);

const TEXT = { name: 'llama.txt', text: 'Llamas live in the Andes.', options: { wait: 600 } };

/** The document's state from now on. */
function telling({ sim }: Scene, record: object): void {
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
		{ type: 'planLimitReached', message: 'Your vector space is full', advice: 'Upgrade the plan' },
	],
	[
		{ indexing_status: 'error', error: '[models] Bad Gateway' },
		{ type: 'indexingFailed', message: '[models] Bad Gateway', advice: 'with the status "error"' },
	],
	[
		{ indexing_status: 'paused' },
		{ type: 'datasetRejected', message: 'Indexing of the document is paused', advice: 'Resume it' },
	],
	[
		{ indexing_status: 'waiting' },
		{
			type: 'indexingStuck',
			message: 'The Dify worker has not started on',
			advice: 'docker compose',
		},
	],
	[
		{ indexing_status: 'indexing', completed_segments: 1, total_segments: 3 },
		{ type: 'runTimeout', message: 'was not indexed within 600 s', advice: 'Get Status' },
	],
])('%j', async (record, { type, message, advice }) => {
	const of = await scene();
	telling(of, record);
	const failed = await nodeErrorOf(manage(of, 'document', 'upsertText', TEXT));
	expect(failed.message).toContain(message);
	expect(failed.description).toContain(advice);
	expect(failed.context.data).toMatchObject({
		type,
		documentId: [...of.base.documents.keys()][0],
	});
	// The document exists: it is not resent.
	expect(calls(of.sim, /create-by-text$/)).toBe(1);
});

test('an archived or disabled document with the name is enabled first', async () => {
	for (const state of [{ archived: true }, { enabled: false }]) {
		const of = await scene();
		const document = addDocument(of.sim.store, of.base, { name: TEXT.name, ...state });
		const [done] = await manage(of, 'document', 'upsertText', TEXT);
		expect(done).toMatchObject({ action: 'updated', documentId: document.id });
		expect(of.base.documents.size).toBe(1);
	}
});

test('an existing document stays unchanged with Skip', async () => {
	const of = await scene();
	addDocument(of.sim.store, of.base, { name: TEXT.name, text: 'old' });
	const options = { ifExists: 'fail' };
	const failed = await nodeErrorOf(manage(of, 'document', 'upsertText', { ...TEXT, options }));
	expect(failed.message).toBe('The knowledge base already has a document "llama.txt"');
	expect([...of.base.documents.values()].map(({ text }) => text)).toEqual(['old']);
});

test('an archived document is unarchived, then deleted', async () => {
	const of = await scene();
	const { id } = addDocument(of.sim.store, of.base, { archived: true });
	const where = { documentId: byId(id) };
	const failed = await nodeErrorOf(manage(of, 'document', 'delete', where));
	expect(failed.description).toContain('Set Status');
	await manage(of, 'document', 'setStatus', { documentIds: id, statusAction: 'un_archive' });
	expect(await manage(of, 'document', 'delete', where)).toMatchObject([
		{ deleted: true, existed: true },
	]);
	expect(await manage(of, 'document', 'delete', where)).toMatchObject([{ existed: false }]);
});

test('a 404 page instead of Dify is an error, not a missing document', async () => {
	const of = await scene();
	const { id } = addDocument(of.sim.store, of.base, {});
	of.sim.fail({ method: 'DELETE', status: 404, body: PAGES.nginx502 });
	await nodeErrorOf(manage(of, 'document', 'delete', { documentId: byId(id) }));
	expect(of.base.documents.has(id)).toBe(true);
});

describe('how long the indexing of a document may take', () => {
	const SECOND = 1_000;
	const INDEXED = { indexing_status: 'completed', completed_segments: 1, total_segments: 1 };

	/** Dify's responses for every document, each record for so many seconds; then it is indexed. */
	function tellingInTurn(
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
			let left = performance.now() - startedAt;
			const found = records.find(([, seconds]) => (left -= seconds * SECOND) < 0);
			return JSON.stringify(found === undefined ? INDEXED : { indexing_status: found[0] });
		};
		const record = { ...fault, path: /\/documents\/[\w-]{36}$/, status: 200 };
		sim.store.faults.push(fault, Object.defineProperty(record, 'body', { get: current }));
	}

	const once = { items: [{ json: { source: 'a' } }] };
	const operations: Array<[string, Record<string, unknown>]> = [
		['upsertText', { name: TEXT.name, text: TEXT.text }],
		['sync', { source: 'a.md', name: 'a.md', text: TEXT.text }],
	];

	test.each(operations)('five minutes by default: %s', async (name, fields) => {
		const quick = await scene();
		tellingInTurn(quick, ['indexing', 290]);
		const [done] = await manage(quick, 'document', name, fields, once);
		expect(done).toMatchObject({ action: 'created', indexingStatus: 'completed' });
		const slow = await scene();
		tellingInTurn(slow, ['indexing', 330]);
		const failed = await nodeErrorOf(manage(slow, 'document', name, fields, once));
		expect(failed.message).toContain('The document was not indexed within 300 s');
	});

	test('no worker starts it: two minutes without interruption', async () => {
		const slow: Array<[string, number]> = [
			['waiting', 110],
			['parsing', 10],
			['waiting', 110],
		];
		const of = await scene();
		tellingInTurn(of, ...slow);
		const [done] = await manage(of, 'document', 'upsertText', TEXT);
		expect(done).toMatchObject({ indexingStatus: 'completed' });
		const stuck = await scene();
		tellingInTurn(stuck, ['waiting', 140]);
		const failed = await nodeErrorOf(manage(stuck, 'document', 'upsertText', TEXT));
		expect(failed.context.data).toMatchObject({ type: 'indexingStuck' });
	});
});

test.each([
	[false, true],
	[true, false],
])('of two documents of the name, the enabled one is updated: %s, %s', async (...enabled) => {
	const of = await scene();
	const made = enabled.map((isOn) =>
		addDocument(of.sim.store, of.base, { name: TEXT.name, text: 'old', enabled: isOn }),
	);
	const [on, off] = enabled[0] ? made : made.toReversed();
	const [done] = await manage(of, 'document', 'upsertText', TEXT);
	expect(done).toMatchObject({ action: 'updated', documentId: on!.id });
	expect(of.base.documents.get(off!.id)).toMatchObject({ text: 'old', enabled: false });
	expect(of.base.documents.size).toBe(2);
});

test.each([
	['high quality, as in Dify itself', null, {}, 'high_quality'],
	['that of the option', null, { technique: 'economy' }, 'economy'],
	[
		'that of the base, whatever the option says',
		'economy',
		{ technique: 'high_quality' },
		'economy',
	],
])('technique of the first document: %s', async (_name, technique, options, sent) => {
	const of = await scene({ technique });
	await manage(of, 'document', 'upsertText', { ...TEXT, options });
	expect(lastBody(of.sim, /create-by-text$/)).toMatchObject({ indexing_technique: sent });
	expect(of.base.technique).toBe(sent);
});
