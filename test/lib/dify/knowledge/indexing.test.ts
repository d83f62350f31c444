import { progressOf, waitForIndexing } from '../../../../lib/dify/knowledge/indexing';
import { listen } from '../../../support/listening';
import { http } from '../../../support/node';
import { apiOf } from './setup';

const ID = '3f1c9e52-7a40-4b0c-9d1e-5b2f8a6c7d90';

const answers = {
	document: {} as object,
	batch: {} as object,
};
let asked = 0;
const server = http.createServer((request, response) => {
	asked++;
	const answer = request.url?.endsWith('/indexing-status') ? answers.batch : answers.document;
	response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
});
let url: string;

beforeAll(async () => {
	url = `http://127.0.0.1:${await listen(server)}/v1`;
});
afterAll(async () => {
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
	asked = 0;
});

const MISSING = { kind: 'emptyAnswer' };

it.each<[what: string, document: object, batch: object]>([
	['nothing', {}, {}],
	['a failure with status 200', { error: 'upstream failed' }, { error: 'upstream failed' }],
	['a document without a status', { id: ID, name: 'a.txt' }, { data: [] }],
	['a batch without a status', {}, { data: [{ id: ID, completed_segments: 1 }] }],
])('an answer of %s ends the wait', async (_what, document, batch) => {
	Object.assign(answers, { document, batch });
	for (const indexing of [{ documentId: ID }, { documentId: ID, batch: 'b1' }]) {
		asked = 0;
		const waited = waitForIndexing(apiOf({ url }), 'base', indexing, { limitMs: 3_600_000 });
		await expect(waited).rejects.toMatchObject(MISSING);
		expect(asked).toBeLessThanOrEqual(2);
		await expect(progressOf(apiOf({ url }), 'base', indexing)).rejects.toMatchObject(MISSING);
	}
});

it('a batch that does not know the document leaves it to the document', async () => {
	Object.assign(answers, {
		document: { id: ID, indexing_status: 'completed', segment_count: 3 },
		batch: { data: [{ id: 'other' }] },
	});
	const progress = await progressOf(apiOf({ url }), 'base', { documentId: ID, batch: 'b1' });
	expect(progress).toEqual({ status: 'completed', done: 3, total: 3 });
});
