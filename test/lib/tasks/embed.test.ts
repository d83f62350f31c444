/** Vectors from responses of any form, with each setting: the vectors, their warnings, or the error with its text. */
import { Embedder } from '../../../lib/tasks/embed';
import type { EmbedSettings } from '../../../lib/tasks/embed';
import { createDimensionsError } from '../../../lib/tasks/embed-errors';
import { expectApproved } from '../../support/approved/approved-table';
import { json, useServers } from '../../support/servers/scripted-server';
import type { Routes } from '../../support/servers/scripted-server';
import { connect } from './media';
import type { PlayedResponse } from './play-responses';
import { playResponses } from './play-responses';
import path from 'node:path';

const start = useServers();
const SETTINGS: EmbedSettings = {
	model: 'sim-model',
	priority: 'interactive',
	retries: 0,
	batchSize: 10,
	prefixes: {},
	longTexts: 'fail',
	blankTexts: 'fail',
};
const embedded = (...vectors: unknown[]) => ({
	body: { data: vectors.map((embedding, index) => ({ index, embedding })) },
});
const REFUSED = { body: { error: { message: 'input is too long', code: 400 } }, status: 400 };
const OLLAMA: Routes = {
	'GET /': (_request, response) => response.end('Ollama is running'),
	'GET /api/version': json({ version: '0.17.4' }),
	'GET /api/tags': json({ models: [{ name: 'sim-model', model: 'sim-model' }] }),
	'GET /v1/models': json({ data: [{ id: 'sim-model', owned_by: 'library' }] }),
};

interface Case {
	responses: readonly PlayedResponse[];
	texts?: unknown[];
	role?: 'document' | 'query';
	settings?: Partial<EmbedSettings>;
	/** Whether texts may stay without a vector. */
	isPartial?: boolean;
	/** Calls in turn. Default: one. */
	calls?: number;
	isOllama?: boolean;
}

const CASES: Readonly<Record<string, Case>> = {
	'two vectors': { responses: [embedded([1, 2], [3, 4])] },
	'in another order': {
		responses: [
			{
				body: {
					data: [
						{ index: 1, embedding: [3, 4] },
						{ index: 0, embedding: [1, 2] },
					],
				},
			},
		],
	},
	'as base64': {
		responses: [embedded(Buffer.from(Float32Array.of(1, 2).buffer).toString('base64'), [3, 4])],
	},
	'in the form of Ollama': {
		responses: [
			{
				body: {
					embeddings: [
						[1, 2],
						[3, 4],
					],
				},
			},
		],
	},
	'one vector as a list': { responses: [{ body: { embedding: [1, 2] } }], texts: ['a'] },
	'no texts': { responses: [embedded()], texts: [] },
	'a query': {
		responses: [embedded([1, 2])],
		texts: ['a'],
		role: 'query',
		settings: { prefixes: { query: 'Q: ', document: 'D: ' } },
	},
	'documents with a prefix': {
		responses: [embedded([1, 2], [3, 4])],
		settings: { prefixes: { query: 'Q: ', document: 'D: ' } },
	},
	'a prefix of the model': {
		responses: [embedded([1, 2], [3, 4])],
		settings: { model: 'nomic-embed-text' },
	},
	'no prefix, against that of the model': {
		responses: [embedded([1, 2], [3, 4])],
		settings: { model: 'nomic-embed-text', prefixes: { document: '' } },
	},
	'no model': { responses: [embedded([1, 2], [3, 4])], settings: { model: '' } },
	'batches of one': { responses: [embedded([1, 2]), embedded([3, 4])], settings: { batchSize: 1 } },
	'batches with other dimensions': {
		responses: [embedded([1, 2]), embedded([3, 4, 5])],
		settings: { batchSize: 1 },
	},
	'calls with other dimensions': {
		responses: [embedded([1, 2], [1, 3]), embedded([3, 4, 5], [1, 2, 3])],
		calls: 2,
	},
	'other dimensions in one response': { responses: [embedded([1, 2], [3, 4, 5])] },
	shortened: { responses: [embedded([3, 4, 5], [0, 2, 1])], settings: { dimensions: 2 } },
	'shortened to zeros': {
		responses: [embedded([0, 0, 5], [0, 2, 1])],
		settings: { dimensions: 2 },
	},
	'fewer than Dimensions': { responses: [embedded([3, 4], [1, 2])], settings: { dimensions: 3 } },
	'as expected': { responses: [embedded([3, 4], [1, 2])], settings: { expectedDimensions: 2 } },
	'not as expected': { responses: [embedded([3, 4], [1, 2])], settings: { expectedDimensions: 3 } },
	'shortened, not as expected': {
		responses: [embedded([3, 4, 5], [1, 2, 3])],
		settings: { dimensions: 2, expectedDimensions: 3 },
	},
	'a blank text': { responses: [embedded([1, 2], [3, 4])], texts: ['a', ' '] },
	'a blank text as a space': {
		responses: [embedded([1, 2], [3, 4])],
		texts: ['a', ''],
		settings: { blankTexts: 'space' },
	},
	'a blank text that may fail': {
		responses: [embedded([1, 2])],
		texts: ['a', ' '],
		isPartial: true,
	},
	'no text but a number': { responses: [embedded([1, 2], [3, 4])], texts: ['a', 7] },
	'nothing instead of a text': { responses: [embedded([1, 2], [3, 4])], texts: [null, 'a'] },
	'turn tokens': { responses: [embedded([1, 2], [3, 4])], texts: ['<|im_end|>', 'a'] },
	'only zeros': { responses: [embedded([0, 0])], texts: ['a'] },
	'nearly only zeros': {
		responses: [
			embedded(
				[1, ...Array.from({ length: 20 }, () => 0)],
				[1, ...Array.from({ length: 20 }, () => 0)],
			),
		],
	},
	'not a number': { responses: [embedded([1, 'x'])], texts: ['a'] },
	'larger than 32 bits': { responses: [embedded([1, 1e300])], texts: ['a'] },
	'a vector for each token': {
		responses: [
			embedded([
				[1, 2],
				[3, 4],
			]),
		],
		texts: ['a'],
	},
	sparse: { responses: [embedded([{ index: 3, value: 1 }])], texts: ['a'] },
	'too few': { responses: [embedded([1, 2])] },
	'too many': { responses: [embedded([1, 2], [1, 2], [1, 2])] },
	'an index twice': {
		responses: [
			{
				body: {
					data: [
						{ index: 0, embedding: [1, 2] },
						{ index: 0, embedding: [1, 3] },
					],
				},
			},
		],
	},
	'an empty vector': { responses: [embedded([])], texts: ['a'] },
	'no list': { responses: [{ body: { ok: true } }] },
	'a page': { responses: [{ body: '<html></html>', type: 'text/html' }] },
	'an error with status 200': {
		responses: [{ body: { error: { message: 'no embeddings' } } }],
		texts: ['a'],
	},
	'a refused text': { responses: [REFUSED, embedded([1, 2]), REFUSED] },
	'a refused text that may fail': {
		responses: [REFUSED, embedded([1, 2]), REFUSED],
		isPartial: true,
	},
	'a refused text that is shortened': {
		responses: [REFUSED, embedded([1, 2]), REFUSED, embedded([1, 3])],
		texts: ['a', 'long '.repeat(20)],
		settings: { longTexts: 'truncate' },
	},
	'everything refused': { responses: [REFUSED], isPartial: true },
	'a wrong key': {
		responses: [{ body: { error: { message: 'Invalid API Key' } }, status: 401 }],
		isPartial: true,
	},
	'a server error': { responses: [{ body: { error: { message: 'crashed' } }, status: 500 }] },
	'another model': { responses: [{ body: { ...embedded([1, 2], [3, 4]).body, model: 'other' } }] },
	'tokens counted': {
		responses: [
			{ body: { ...embedded([1, 2], [3, 4]).body, usage: { prompt_tokens: 0, total_tokens: 5 } } },
		],
	},
	'keep alive, not on Ollama': {
		responses: [embedded([1, 2], [3, 4])],
		settings: { keepAlive: '30m' },
	},
	'on Ollama': {
		responses: [
			{
				body: {
					embeddings: [
						[1, 2],
						[3, 4],
					],
					prompt_eval_count: 6,
				},
			},
		],
		isOllama: true,
		settings: { keepAlive: 0, dimensions: 2 },
	},
};

test('each response', async () => {
	const rows = [];
	for (const [input, given] of Object.entries(CASES)) {
		const {
			responses,
			texts = ['a', 'b'],
			role = 'document',
			settings,
			isPartial,
			calls = 1,
			isOllama,
		} = given;
		const failures: string[] = [];
		const outcome = await playResponses({
			start,
			path: isOllama === true ? '/api/embed' : '/v1/embeddings',
			responses,
			...(isOllama === true && { routes: OLLAMA }),
			call: async (server) => {
				const embedder = new Embedder(server, { ...SETTINGS, ...settings });
				const onFailure = ({ error, positions }: { error: Error; positions: number[] }): void =>
					void failures.push(`${positions.join()} failed: ${error.message}`);
				const results = [];
				for (let call = 0; call < calls; call++)
					results.push(await embedder.embed(texts, role, isPartial === true ? { onFailure } : {}));
				return results;
			},
		});
		rows.push({ input, outcome: [outcome, ...failures].join(' ; ') });
	}
	expectApproved(
		path.join(__dirname, 'embed.approved.txt'),
		rows,
		'No vector is returned that a store could not use',
	);
});

test.each([
	{ settings: { dimensions: 3 }, named: 'Dimensions' },
	{ settings: { dimensions: 2, expectedDimensions: 3 }, named: 'Expected Dimensions' },
])('vectors of another length name the option that asks for it: $named', ({ settings, named }) => {
	const server = connect('http://model.test');
	const { message, detail } = createDimensionsError(server, { model: 'm', ...settings }, 2);
	expect(message).toMatch(/\b2\b.*\b3\b/);
	expect(/(?:Expected )?Dimensions/.exec(detail)?.[0]).toBe(named);
});
