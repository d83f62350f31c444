import { retrieve } from '../../../../lib/dify/knowledge/retrieve';
import { setMetadata } from '../../../../lib/dify/knowledge/metadata';
import { upsertDocument } from '../../../../lib/dify/knowledge/upsert';
import { failureOf, fileOf, UNKNOWN_ID } from '../client';
import { scene } from './setup';

const json = (code: string, message: string, status: number) => ({
	status,
	contentType: 'application/json',
	body: JSON.stringify({ code, message, status }),
});

describe('what refuses', () => {
	test('a search in a base that was deleted', async () => {
		const { sim, api } = await scene();
		sim.fail({ path: /\/datasets\//, ...json('not_found', 'Dataset not found.', 404) });
		const failed = await failureOf(retrieve(api, UNKNOWN_ID, 'llama'));
		expect(failed).toMatchObject({ kind: 'notFound', serverText: 'Dataset not found.' });
		expect(failed.message).toBe('Dify does not find the knowledge base');
	});

	test('a search in a base that was deleted after it was read', async () => {
		const { sim, api, base } = await scene({ technique: 'high_quality' });
		sim.fail({ path: /retrieve$/, ...json('not_found', 'Dataset not found.', 404) });
		const failed = await failureOf(retrieve(api, base.id, 'llama'));
		expect(failed).toMatchObject({ kind: 'notFound', serverText: 'Dataset not found.' });
	});

	test('a file that is too large for it', async () => {
		const { sim, api, base } = await scene();
		sim.fail({ path: /create-by-file$/, ...json('file_too_large', 'File size exceeded.', 413) });
		const file = fileOf('# Hello', 'a.md', 'text/markdown');
		const failed = await failureOf(upsertDocument(api, base.id, { file }));
		expect(failed).toMatchObject({ kind: 'fileTooLarge', serverText: 'File size exceeded.' });
	});

	test('metadata of a document that is unknown', async () => {
		const fields = [{ id: 'f', name: 'author', type: 'string' }];
		const { sim, api, base } = await scene({ technique: 'high_quality', fields });
		sim.fail({ path: /\/documents\//, ...json('not_found', 'Document not found.', 404) });
		const failed = await failureOf(setMetadata(api, base.id, UNKNOWN_ID, { author: 'Ann' }));
		expect(failed).toMatchObject({ kind: 'notFound', serverText: 'Document not found.' });
	});

	test('anything while its cloud is overloaded, which is survived', async () => {
		const { sim, api, base } = await scene();
		const busy = { status: 503, contentType: 'text/html', body: '<html>503</html>' };
		sim.fail({ path: /\/datasets\//, ...busy });
		expect(await api.base(base.id)).toMatchObject({ id: base.id });
		sim.fail({ path: /create-by-text$/, ...busy });
		// The list says that nothing arrived, so the document is sent again.
		await upsertDocument(api, base.id, { name: 'a', text: 'x' });
		expect(base.documents.size).toBe(1);
	});
});
