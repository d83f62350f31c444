import { waitForIndexing, progressOf } from '../../../../lib/dify/knowledge/indexing';
import {
	deleteDocument,
	documentsNamed,
	fileAddress,
	setStatus,
} from '../../../../lib/dify/knowledge/documents';
import { baseRoutes, documentRoutes } from '../../../../lib/dify/knowledge/routes';
import { upsertDocument } from '../../../../lib/dify/knowledge/upsert';
import { addDocument } from '../../../servers/dify';
import { calls, failureOf, fileOf } from '../client';
import { apiOf, lastBody, QUICK, scene, writes } from './setup';

const TEXT = { name: 'llama.txt', text: 'Llamas live in the Andes.' };

describe('documents', () => {
	test('D78, D80: technique and form of the base go with every text', async () => {
		const { sim, api, base } = await scene({
			technique: 'high_quality',
			form: 'hierarchical_model',
		});
		const segmentation = { separator: '\n', max_tokens: 500 };
		const rule = {
			mode: 'hierarchical',
			rules: { pre_processing_rules: [], segmentation, parent_mode: 'paragraph' },
		};
		const made = await upsertDocument(api, base.id, TEXT, { processRule: rule });
		expect(made).toMatchObject({ action: 'created', document: { name: 'llama.txt' }, remarks: [] });
		expect(lastBody(sim, /create-by-text$/)).toEqual({
			...TEXT,
			indexing_technique: 'high_quality',
			doc_form: 'hierarchical_model',
			process_rule: rule,
		});
	});

	test('the rule follows the form Parent-Child, of which Dify makes no chunks otherwise', async () => {
		const custom = {
			mode: 'custom',
			rules: { segmentation: { separator: '#', max_tokens: 300, chunk_overlap: 50 } },
		};
		const ruleSent = async (processRule?: { mode: string }) => {
			const { sim, api, base } = await scene();
			await upsertDocument(api, base.id, TEXT, { form: 'hierarchical_model', processRule });
			return lastBody(sim, /create-by-text$/).process_rule;
		};
		expect(await ruleSent()).toMatchObject({
			mode: 'hierarchical',
			rules: { parent_mode: 'paragraph', subchunk_segmentation: { max_tokens: 200 } },
		});
		expect(await ruleSent({ mode: 'automatic' })).toEqual(await ruleSent());
		expect(await ruleSent(custom)).toMatchObject({
			mode: 'hierarchical',
			rules: { ...custom.rules, parent_mode: 'paragraph' },
		});
	});

	test('a later document of a Parent-Child base keeps a rule of the base that makes chunks', async () => {
		const { sim, api, base } = await scene({
			technique: 'high_quality',
			form: 'hierarchical_model',
		});
		const wholeDocument = {
			mode: 'hierarchical',
			rules: {
				pre_processing_rules: [],
				segmentation: { separator: '\n', max_tokens: 500 },
				parent_mode: 'full-doc',
			},
		};
		await upsertDocument(api, base.id, TEXT, { processRule: wholeDocument });
		await upsertDocument(api, base.id, { ...TEXT, name: 'b.txt' });
		expect(lastBody(sim, /create-by-text$/)).not.toHaveProperty('process_rule');
		expect([...base.documents.values()].map(({ rule }) => rule)).toEqual([
			wholeDocument,
			wholeDocument,
		]);
	});

	test.each(['automatic', 'none'])(
		'a later document of a Parent-Child base with the rule: %s brings one that makes chunks',
		async (rule) => {
			const { sim, api, base } = await scene({
				technique: 'high_quality',
				form: 'hierarchical_model',
			});
			if (rule === 'automatic') addDocument(sim.store, base, {});
			await upsertDocument(api, base.id, TEXT);
			const sent = lastBody(sim, /create-by-text$/).process_rule;
			expect(sent).toMatchObject({ mode: 'hierarchical', rules: { parent_mode: 'paragraph' } });
			await upsertDocument(api, base.id, { file: fileOf('# Two', 'b.md', 'text/markdown') });
			expect(lastBody(sim, /create-by-file$/)).not.toHaveProperty('process_rule');
		},
	);

	test('D79: the first file of an empty base brings rule and technique', async () => {
		const { sim, api, base } = await scene();
		await upsertDocument(
			api,
			base.id,
			{ file: fileOf('# Hello', 'a.md', 'text/markdown') },
			{ technique: 'economy' },
		);
		expect(lastBody(sim, /create-by-file$/)).toEqual({
			indexing_technique: 'economy',
			doc_form: 'text_model',
			process_rule: { mode: 'automatic' },
		});
		await upsertDocument(api, base.id, { file: fileOf('# Two', 'b.md', 'text/markdown') });
		expect(lastBody(sim, /create-by-file$/)).toEqual({
			indexing_technique: 'economy',
			doc_form: 'text_model',
		});
		expect([...base.documents.values()].map(({ text }) => text)).toEqual(['# Hello', '# Two']);
	});

	test('D81, D84: names are cleaned and cut, and that is reported; the extension stays', async () => {
		const { api, base } = await scene();
		const odd = await upsertDocument(api, base.id, { file: fileOf('x', 'a/b:c?.md') });
		expect(odd.document.name).toBe('a_b_c_.md');
		expect(odd.remarks).toEqual([
			'"a/b:c?.md" is named "a_b_c_.md" in Dify, which does not take the whole of the name.',
		]);
		const long = await upsertDocument(api, base.id, { file: fileOf('x', `${'n'.repeat(300)}.md`) });
		expect(long.document.name).toBe(`${'n'.repeat(197)}.md`);
		expect(
			(await upsertDocument(api, base.id, { name: 'ä'.repeat(300), text: 'x' })).document.name,
		).toHaveLength(200);
	});

	test('D82: files that Dify cannot read are refused before anything is sent', async () => {
		const { sim, api, base } = await scene();
		const refused = async (file: ReturnType<typeof fileOf>) =>
			await failureOf(upsertDocument(api, base.id, { file }));
		expect(await refused(fileOf('x', 'x.zip'))).toMatchObject({ kind: 'fileType' });
		expect(await refused(fileOf('x', 'noextension'))).toMatchObject({ kind: 'fileType' });
		expect(await refused(fileOf('', 'a.txt'))).toMatchObject({ kind: 'fileRejected' });
		expect(await refused({ ...fileOf('x', 'a.txt'), size: 16 * 1024 * 1024 })).toMatchObject({
			kind: 'fileTooLarge',
		});
		expect(await failureOf(upsertDocument(api, base.id, { name: 'a', text: ' \n' }))).toMatchObject(
			{
				message: 'The text of "a" is empty',
			},
		);
		expect(sim.requests).toEqual([]);
	});

	test('D83: a refusal without a text names type and size', async () => {
		const { sim, api, base } = await scene();
		sim.store.knowledge.fileLimit = 10;
		const failed = await failureOf(
			upsertDocument(api, base.id, { file: fileOf('more than ten bytes', 'a.txt') }),
		);
		expect(failed.message).toBe('Dify refuses the file "a.txt" without a reason');
		expect(failed.remedy).toContain('too large');
	});

	test('D85: a document of the same name is updated in place, with a new batch', async () => {
		const { api, base } = await scene();
		const first = await upsertDocument(api, base.id, TEXT);
		const second = await upsertDocument(api, base.id, { ...TEXT, text: 'New text.' });
		expect(second).toMatchObject({ action: 'updated', documentId: first.documentId });
		expect(second.batch).not.toBe(first.batch);
		expect(base.documents.size).toBe(1);
		expect(await upsertDocument(api, base.id, TEXT, { ifExists: 'skip' })).toMatchObject({
			action: 'skipped',
			documentId: first.documentId,
		});
	});

	test('D86: "fail" compares the name exactly, despite wildcards in the keyword', async () => {
		const { sim, api, base } = await scene();
		addDocument(sim.store, base, { name: 'aXb100Y.txt' });
		addDocument(sim.store, base, { name: 'A_b100%.txt' });
		const name = 'a_b100%.txt';
		expect(await documentsNamed(api, base.id, name)).toEqual([]);
		expect(
			await upsertDocument(api, base.id, { name, text: 'x' }, { ifExists: 'fail' }),
		).toMatchObject({
			action: 'created',
		});
		expect(
			await failureOf(upsertDocument(api, base.id, { name, text: 'x' }, { ifExists: 'fail' })),
		).toMatchObject({
			kind: 'nameTaken',
		});
		await upsertDocument(api, base.id, { name: 'back\\slash', text: 'x' });
		expect(await upsertDocument(api, base.id, { name: 'back\\slash', text: 'y' })).toMatchObject({
			action: 'updated',
		});
	});

	test('D87: over a disabled document there is no silent second one', async () => {
		const { sim, api, base } = await scene();
		const known = addDocument(sim.store, base, { name: TEXT.name, enabled: false });
		const failed = await failureOf(upsertDocument(api, base.id, TEXT));
		expect(failed.message).toContain('is disabled');
		expect(writes(sim)).toEqual([]);
		expect(await upsertDocument(api, base.id, TEXT, { ifDisabled: 'enable' })).toMatchObject({
			action: 'updated',
			documentId: known.id,
		});
		expect(base.documents.size).toBe(1);
	});

	test('D88: two documents of the name are ambiguous, since Dify may replace either', async () => {
		const { sim, api, base } = await scene();
		addDocument(sim.store, base, { name: 'a.txt' });
		addDocument(sim.store, base, { name: 'a.txt' });
		expect((await upsertDocument(api, base.id, { name: 'a.txt', text: 'x' })).remarks[0]).toContain(
			'several documents',
		);
	});

	test('D89: without a text, Dify cannot rename', async () => {
		const { api, base } = await scene();
		const failed = await failureOf(upsertDocument(api, base.id, { name: 'a.txt', text: '' }));
		expect(failed.remedy).toContain('Dify cannot rename');
	});

	test('waiting goes through all states to the end', async () => {
		const { sim, api, base } = await scene();
		sim.store.knowledge.steps = 5;
		const { documentId, batch } = await upsertDocument(api, base.id, TEXT);
		expect(
			await waitForIndexing(api, base.id, { documentId, batch }, { limitMs: 0 }),
		).toMatchObject({
			status: 'parsing',
		});
		const end = await waitForIndexing(api, base.id, { documentId, batch }, { limitMs: 5000 });
		expect(end).toEqual({ status: 'completed', done: 1, total: 1 });
	});

	test('D90: a batch that is replaced while it is waited for goes on by the document', async () => {
		const { sim, api, base } = await scene();
		sim.store.knowledge.steps = 5;
		const { documentId, batch } = await upsertDocument(api, base.id, TEXT);
		await upsertDocument(api, base.id, { ...TEXT, text: 'Again.' });
		expect(
			await waitForIndexing(api, base.id, { documentId, batch }, { limitMs: 5000 }),
		).toMatchObject({
			status: 'completed',
		});
		expect(await progressOf(api, base.id, { documentId })).toMatchObject({
			status: 'completed',
			done: 1,
		});
	});

	test('D91: a document that no worker processes is reported, and kept', async () => {
		const { sim, api, base } = await scene();
		sim.store.worker = 'down';
		const { documentId, batch } = await upsertDocument(api, base.id, TEXT);
		const failed = await failureOf(
			waitForIndexing(api, base.id, { documentId, batch }, { limitMs: 60_000, stuckMs: 20 }),
		);
		expect(failed).toMatchObject({
			kind: 'indexingStuck',
			message: 'The worker of Dify does not take up the document',
		});
		expect(failed.facts).toMatchObject({ documentId, batch, indexingStatus: 'waiting' });
		expect(base.documents.size).toBe(1);
	});

	test('a document that gets no further is given up at the limit', async () => {
		const { sim, api, base } = await scene();
		sim.store.knowledge.steps = 5;
		const { documentId, batch } = await upsertDocument(api, base.id, TEXT);
		base.documents.get(documentId)!.stuckAt = 'parsing';
		const failed = await failureOf(
			waitForIndexing(api, base.id, { documentId, batch }, { limitMs: 50 }),
		);
		expect(failed).toMatchObject({ kind: 'timeout', facts: { indexingStatus: 'parsing' } });
	});

	test("D92: an error of the indexing is Dify's own text", async () => {
		const { sim, api, base } = await scene();
		sim.store.knowledge.steps = 2;
		const { documentId, batch } = await upsertDocument(api, base.id, TEXT);
		base.documents.get(documentId)!.fails = 'Custom segment length should be between 50 and 4000.';
		const failed = await failureOf(
			waitForIndexing(api, base.id, { documentId, batch }, { limitMs: 5000 }),
		);
		expect(failed).toMatchObject({
			kind: 'indexingFailed',
			serverText: 'Custom segment length should be between 50 and 4000.',
		});
		base.documents.get(documentId)!.status = 'paused';
		const paused = await failureOf(
			waitForIndexing(api, base.id, { documentId, batch }, { limitMs: 5000 }),
		);
		expect(paused.remedy).toContain('Resume it in Dify');
	});

	test('D94: with an unfinished document in the list, none is changed', async () => {
		const { sim, api, base } = await scene();
		const done = addDocument(sim.store, base);
		const busy = addDocument(sim.store, base, { status: 'indexing' });
		const failed = await failureOf(setStatus(api, base.id, [done.id, busy.id], 'disable'));
		expect(failed).toMatchObject({ kind: 'documentBusy' });
		expect(failed.meaning).toContain('none of them was changed');
		expect(done.enabled).toBe(true);
		expect(await failureOf(setStatus(api, base.id, [], 'disable'))).toMatchObject({
			kind: 'invalidParam',
		});
	});

	test('the pause that Dify wants between two changes of the status is kept', async () => {
		const { sim, api, base } = await scene();
		const document = addDocument(sim.store, base);
		sim.store.knowledge.busyAfterAction = 3;
		await setStatus(api, base.id, [document.id], 'disable');
		await setStatus(api, base.id, [document.id], 'enable');
		expect(document.enabled).toBe(true);
		expect(calls(sim, /status\/enable$/, 'PATCH')).toBe(4);
	});

	test('a lock is waited for only a while, and the error says why it stands', async () => {
		const { sim, base } = await scene();
		const api = apiOf(sim, { ...QUICK, busy: [1, 9_000] });
		const document = addDocument(sim.store, base);
		sim.store.knowledge.busyAfterAction = 30;
		await setStatus(api, base.id, [document.id], 'disable');
		const failed = await failureOf(setStatus(api, base.id, [document.id], 'enable'));
		expect(failed).toMatchObject({ kind: 'documentBusy', message: 'Dify has locked the document' });
		expect(failed.remedy).toContain('A quick worker leaves the lock standing');
	});

	test('D95: an archived document is deleted after unarchiving only', async () => {
		const { sim, api, base } = await scene();
		const document = addDocument(sim.store, base, { archived: true });
		const failed = await failureOf(deleteDocument(api, base.id, document.id, false));
		expect(failed).toMatchObject({
			status: 403,
			message: 'The document is archived, so Dify does not delete it',
		});
		expect(failed.remedy).toContain('Unarchive First');
		expect(await deleteDocument(api, base.id, document.id, true)).toBe(true);
		expect(await deleteDocument(api, base.id, document.id, true)).toBe(false);
	});

	test('D96: an answer that was lost is looked for by name before anything is sent again', async () => {
		const { sim, api, base } = await scene();
		const path = /create-by-text$/;
		// The document arrived, its answer did not.
		addAfterReset(sim, base, path);
		const made = await upsertDocument(api, base.id, TEXT);
		expect(made).toMatchObject({ action: 'created', document: { name: TEXT.name } });
		expect(calls(sim, path)).toBe(1);
		// Nothing arrived.
		sim.fail({ path, how: 'reset' });
		expect(await upsertDocument(api, base.id, { name: 'b.txt', text: 'b' })).toMatchObject({
			action: 'created',
		});
		expect(calls(sim, path)).toBe(3);
	});

	test('downloads need 1.14, which older ones are told by their version', async () => {
		const { sim, api, base } = await scene();
		const document = addDocument(sim.store, base);

		expect(await fileAddress(api, base.id, document.id)).toContain(`/files/${document.fileId}`);
		return;
	});

	test('D2: without a version, both causes are named', async () => {
		const { sim, api, base } = await scene();
		sim.fail({ path: /download$/, status: 404, body: '<html><title>404 Not Found</title></html>' });
		const failed = await failureOf(fileAddress(api, base.id, base.id));
		expect(failed.remedy).toMatch(/Base URL.*does not have/s);
	});

	test('the list follows all pages, by part of the name and by status', async () => {
		const { sim, api, base } = await scene();
		for (let count = 0; count < 130; count++)
			addDocument(sim.store, base, { name: `n${count}.txt` });
		addDocument(sim.store, base, { name: 'off.txt', enabled: false });
		expect(await api.list(documentRoutes.list, { dataset_id: base.id }, 'all')).toHaveLength(131);
		expect(
			await api.list(documentRoutes.list, { dataset_id: base.id, status: 'disabled' }, 'all'),
		).toMatchObject([{ name: 'off.txt' }]);
		expect(
			await api.list(documentRoutes.list, { dataset_id: base.id, keyword: 'off' }, 'all'),
		).toHaveLength(1);
	});

	test('writes of one base go one at a time, in their order', async () => {
		const { sim, api, base } = await scene();
		const names = ['a', 'b', 'c'];
		let open = 0;
		let most = 0;
		await Promise.all(
			names.map(
				async (name) =>
					await api.alone(base.id, '/x', async () => {
						most = Math.max(most, ++open);
						await api.call(baseRoutes.create, { name: `base ${name}` });
						open--;
					}),
			),
		);
		expect(most).toBe(1);
		expect(writes(sim).map(({ json }) => (json as { name: string }).name)).toEqual([
			'base a',
			'base b',
			'base c',
		]);
	});

	test('an external base keeps no documents', async () => {
		const { api, base } = await scene({ provider: 'external' });
		expect((await failureOf(upsertDocument(api, base.id, TEXT))).message).toContain('external');
	});
});

/** The next creation is done, but its connection breaks before the answer. */
function addAfterReset(
	sim: Awaited<ReturnType<typeof scene>>['sim'],
	base: Awaited<ReturnType<typeof scene>>['base'],
	path: RegExp,
): void {
	sim.fail({ path, how: 'reset', delayMs: 20 });
	const push = sim.requests.push.bind(sim.requests);
	sim.requests.push = (...requests) => {
		const arrived = requests.some((request) => path.test(request.path));
		if (arrived && base.documents.size === 0) addDocument(sim.store, base, { name: TEXT.name });
		return push(...requests);
	};
}
