import { addDocument } from '../../../servers/dify';
import { calls } from '../../../lib/dify/client';
import { nodeErrorOf } from '../../dify';
import { byId, manage, scene, type Scene } from '../setup';

jest.mock('../../../../lib/http/waiting', () =>
	jest.requireActual<object>('../../../support/skipped-pauses'),
);

const TEXT = { name: 'llama.txt', text: 'Llamas live in the Andes.', wait: 600 };

/** What the document says of itself from now on. */
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
		{ kind: 'planLimit', message: 'Your vector space is full', advice: 'Upgrade the plan' },
	],
	[
		{ indexing_status: 'error', error: '[models] Bad Gateway' },
		{ kind: 'indexingFailed', message: '[models] Bad Gateway', advice: 'with the status "error"' },
	],
	[
		{ indexing_status: 'paused' },
		{ kind: 'dataset', message: 'The indexing of the document is paused', advice: 'Resume it' },
	],
	[
		{ indexing_status: 'waiting' },
		{
			kind: 'indexingStuck',
			message: 'The worker of Dify does not take',
			advice: 'docker compose',
		},
	],
	[
		{ indexing_status: 'indexing', completed_segments: 1, total_segments: 3 },
		{ kind: 'timeout', message: 'is not indexed after 600 s', advice: 'Get Status' },
	],
])('%j', async (record, { kind, message, advice }) => {
	const of = await scene();
	telling(of, record);
	const failed = await nodeErrorOf(manage(of, 'document', 'upsertText', TEXT));
	expect(failed.message).toContain(message);
	expect(failed.description).toContain(advice);
	expect(failed.context.data).toMatchObject({
		kind,
		documentId: [...of.base.documents.keys()][0],
	});
	// The document is there: it is not sent again.
	expect(calls(of.sim, /create-by-text$/)).toBe(1);
});

test('an archived or disabled document of the name is made available first', async () => {
	for (const state of [{ archived: true }, { enabled: false }]) {
		const of = await scene();
		const document = addDocument(of.sim.store, of.base, { name: TEXT.name, ...state });
		const [done] = await manage(of, 'document', 'upsertText', TEXT);
		expect(done).toMatchObject({ action: 'updated', documentId: document.id });
		expect(of.base.documents.size).toBe(1);
	}
});

test('a document of the name is left alone where that is chosen', async () => {
	const of = await scene();
	addDocument(of.sim.store, of.base, { name: TEXT.name, text: 'old' });
	const options = { ifExists: 'fail' };
	const failed = await nodeErrorOf(manage(of, 'document', 'upsertText', { ...TEXT, options }));
	expect(failed.message).toBe('The knowledge base has a document "llama.txt" already');
	expect([...of.base.documents.values()].map(({ text }) => text)).toEqual(['old']);
});

test('an archived document is deleted once it is out of the archive', async () => {
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
