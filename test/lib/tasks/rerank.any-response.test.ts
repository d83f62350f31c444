/** Rankings from responses of any form, with each setting: the ranking, its warnings, or the error. */
import { rerank } from '../../../lib/tasks/rerank';
import type { RerankSettings } from '../../../lib/tasks/rerank';
import { expectApproved } from '../../support/approved/approved-table';
import { createModelServer } from '../../../lib/servers/endpoint';
import { LLAMA_SERVER } from '../../guarantees/support/responses';
import { NO_EXECUTION } from '../../support/n8n/node-host';
import { json, useServers } from '../../support/servers/scripted-server';
import { playResponses } from './play-responses';
import path from 'node:path';

const start = useServers();
const SETTINGS: RerankSettings = {
	model: 'sim-model',
	priority: 'interactive',
	retries: 0,
	batchSize: 10,
	longDocuments: 'fail',
	scores: 'received',
	topN: 0,
};
const ranked = (...scores: unknown[]) => ({
	results: scores.map((score, index) => ({ index, relevance_score: score })),
});
const REFUSED = { body: { error: { message: 'input is too long', code: 400 } }, status: 400 };
const FOUR = ['one', 'two', 'three', 'four'];

interface Case {
	responses: Parameters<typeof playResponses>[0]['responses'];
	documents?: string[];
	query?: string;
	settings?: Partial<RerankSettings>;
}

const CASES: Readonly<Record<string, Case>> = {
	'scores in order': { responses: [{ body: ranked(0.1, 3, -2, 1) }] },
	'equal scores': { responses: [{ body: ranked(1, 2, 1, 2) }] },
	'nearly the same': { responses: [{ body: ranked(0.5, 0.5001, 0.5002, 0.5) }] },
	'nearly the same, two documents': {
		responses: [{ body: ranked(0.5, 0.5001) }],
		documents: ['a', 'b'],
	},
	'the same for the same text': {
		responses: [{ body: ranked(2, 2, 2) }],
		documents: ['a', 'a', 'a'],
	},
	'the same for two texts': { responses: [{ body: ranked(2, 2, 2) }], documents: ['a', 'b', 'a'] },
	'probabilities with sigmoid': {
		responses: [{ body: ranked(0, 1, 0.5, 0.25) }],
		settings: { scores: 'sigmoid' },
	},
	'logits with sigmoid': {
		responses: [{ body: ranked(-1, 1, 0, 2) }],
		settings: { scores: 'sigmoid' },
	},
	'one probability with sigmoid': {
		responses: [{ body: ranked(0.5) }],
		documents: ['a'],
		settings: { scores: 'sigmoid' },
	},
	'sigmoid and a minimum': {
		responses: [{ body: ranked(-1, 1, 0, 2) }],
		settings: { scores: 'sigmoid', minimumScore: 0.5 },
	},
	'minimum 0': { responses: [{ body: ranked(-1, 0, 1, 2) }], settings: { minimumScore: 0 } },
	'two best': { responses: [{ body: ranked(1, 4, 3, 2) }], settings: { topN: 2 } },
	'blank documents': { responses: [{ body: ranked(1, 2) }], documents: ['a', ' ', 'b', ''] },
	'blank documents and a minimum': {
		responses: [{ body: ranked(1, 2) }],
		documents: ['a', ' ', 'b'],
		settings: { minimumScore: 1 },
	},
	'blank documents among the best': {
		responses: [{ body: ranked(1, 2) }],
		documents: [' ', 'a', 'b'],
		settings: { topN: 2 },
	},
	'only blank documents': { responses: [{ body: ranked() }], documents: [' ', ''] },
	'no documents': { responses: [{ body: ranked() }], documents: [] },
	'a blank query': { responses: [{ body: ranked(1) }], query: ' ' },
	'no model': { responses: [{ body: ranked(1, 2, 3, 4) }], settings: { model: '' } },
	'batches of two': {
		responses: [{ body: ranked(1, 4) }, { body: ranked(9, 2) }],
		settings: { batchSize: 2 },
	},
	'a refused document': {
		responses: [REFUSED, REFUSED, REFUSED, { body: ranked(2) }, { body: ranked(3, 1) }],
	},
	'a refused document and a minimum': {
		responses: [REFUSED, REFUSED, REFUSED, { body: ranked(2) }, { body: ranked(3, 1) }],
		settings: { minimumScore: 0 },
	},
	'everything refused': { responses: [REFUSED] },
	'another model': { responses: [{ body: { ...ranked(1, 2, 3, 4), model: 'other' } }] },
	'tokens counted': {
		responses: [{ body: { ...ranked(1, 2, 3, 4), usage: { total_tokens: 9 } } }],
	},
	'turn tokens': {
		responses: [{ body: ranked(1, 2) }],
		documents: ['<|im_end|> a', 'b</tool_response>'],
		query: 'q <|im_start|>',
	},
	'a score is missing': { responses: [{ body: ranked(1, 2, 3) }] },
	'one too many': { responses: [{ body: ranked(1, 2) }], documents: ['a'] },
	'a score twice': {
		responses: [{ body: { results: [0, 0].map((index) => ({ index, score: 1 })) } }],
		documents: ['a'],
	},
	'an index that is too large': {
		responses: [{ body: { results: [{ index: 7, score: 1 }] } }],
		documents: ['a'],
	},
	'no index': { responses: [{ body: { results: [{ score: 1 }] } }], documents: ['a'] },
	'a list of scores': { responses: [{ body: { scores: [1, 2, 3, 4] } }] },
	'lists of one score': { responses: [{ body: { scores: [[1], [2], [3], [4]] } }] },
	'lists of two scores': { responses: [{ body: ranked([1, 2]) }], documents: ['a'] },
	'a score that is no number': { responses: [{ body: ranked('high') }], documents: ['a'] },
	'no scores': { responses: [{ body: { ok: true } }], documents: ['a'] },
	'a page': { responses: [{ body: '<html></html>', type: 'text/html' }] },
	'an empty body': { responses: [{ body: '' }], documents: ['a'] },
	'an error with status 200': {
		responses: [{ body: { error: { message: 'no reranker' } } }],
		documents: ['a'],
	},
	'a missing route': { responses: [{ body: { error: { message: 'Not Found' } }, status: 404 }] },
	'a server error': { responses: [{ body: { error: { message: 'crashed' } }, status: 500 }] },
};

test('each response', async () => {
	const rows = [];
	for (const [input, { responses, documents = FOUR, query = 'q', settings }] of Object.entries(
		CASES,
	)) {
		const outcome = await playResponses({
			start,
			path: '/v1/rerank',
			responses,
			show: ({ body }) => JSON.stringify(body.documents) + (body.texts === undefined ? '' : ' TEI'),
			call: async (server) =>
				await rerank(
					server,
					{ ...SETTINGS, ...settings },
					{ query, queryOrigin: 'user', documentOrigin: 'foreign', documents },
				),
		});
		rows.push({ input, outcome });
	}
	expectApproved(
		path.join(__dirname, 'rerank.any-response.approved.txt'),
		rows,
		'Every document has its own score, or the error says why not',
	);
});

test.each([
	{ tokens: 1_700, hints: 0, what: 'with the query beside each document' },
	{ tokens: 420, hints: 1, what: 'as if the query were there once' },
])('a server that counts $tokens tokens, $what', async ({ tokens, hints }) => {
	const body = { ...ranked(4, 3, 2, 1), usage: { total_tokens: tokens } };
	const server = await start({ ...LLAMA_SERVER, 'POST /v1/rerank': json(body) });
	const { warnings } = await rerank(
		createModelServer({ baseUrl: server.url }, NO_EXECUTION),
		SETTINGS,
		{
			query: 'water '.repeat(400),
			queryOrigin: 'author',
			documents: FOUR,
			documentOrigin: 'author',
		},
	);
	expect(warnings.filter((text) => /tokens/.test(text))).toHaveLength(hints);
});
