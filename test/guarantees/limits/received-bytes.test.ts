/** A response of as many bytes as its task allows is read; one byte more ends it, whatever the rest would have been. */
import { fetchPage } from '../../../lib/dify/pages';
import { createDifyClient } from '../../../lib/dify/credentials';
import { embeddings, modelList, run } from '../support/node-runner';
import { LLAMA_SERVER } from '../support/responses';
import { testLimit } from '../../support/jest/limits';
import { useServers } from '../../support/servers/scripted-server';
import type { Answer, Routes } from '../../support/servers/scripted-server';

const start = useServers();

/** JSON of so many bytes: blanks before its last bracket. */
const padded =
	(value: object, bytes: number): Answer =>
	(_request, response) => {
		const json = JSON.stringify(value);
		const body = Buffer.alloc(bytes, ' ');
		body.write(json.slice(0, -1));
		body.write('}', bytes - 1);
		response.writeHead(200, { 'content-type': 'application/json' });
		response.end(body);
	};

interface Door {
	/** The row and its limit, as the source says. */
	row: `TASK_LIMITS.${string}`;
	limit: number;
	/** The response, before it is padded. */
	value: object;
	route: keyof Routes & string;
	open(url: string): Promise<unknown>;
}

const MB = 1024 * 1024;

const DOORS: Record<string, Door> = {
	'a list of models': {
		row: 'TASK_LIMITS.probe',
		limit: 8 * MB,
		value: { data: [{ id: 'sim-model' }] },
		route: 'GET /v1/models',
		open: modelList,
	},
	'the vector of a text': {
		row: 'TASK_LIMITS.embed',
		limit: 4 * MB + 384 * 1024,
		value: { data: [{ index: 0, embedding: [1, 2] }] },
		route: 'POST /v1/embeddings',
		open: async (url) => await (await embeddings(url)).supplied.embedQuery('Hi'),
	},
	'a ranking': {
		row: 'TASK_LIMITS.rerank',
		limit: 32 * MB,
		value: { results: [{ index: 0, relevance_score: 1 }] },
		route: 'POST /v1/rerank',
		open: async (url) =>
			await run(url, 'vector:rerank', { parameters: { query: 'q', document: ['a'] } }),
	},
	'a page of a list of Dify': {
		row: 'TASK_LIMITS.difyRequest',
		limit: 32 * MB,
		value: { data: [], has_more: false },
		route: 'GET /v1/datasets',
		open: async (url) =>
			await fetchPage(createDifyClient({ baseUrl: `${url}/v1` }), { path: '/datasets' }),
	},
};

describe.each(Object.entries(DOORS))('%s', (_name, { row, limit, value, route, open }) => {
	testLimit(`lib/task-limits.ts#${row}.received.bytes`, {
		limit,
		outcome: async (bytes) => {
			const { url } = await start({ ...LLAMA_SERVER, [route]: padded(value, bytes) });
			return await open(url).then(
				() => 'read',
				({ message }: Error) => /reading was stopped/.exec(message)?.[0] ?? message,
			);
		},
		within: 'read',
		beyond: 'reading was stopped',
	});
});

/** What `JsonMemory` counts for a list of vectors, without their numbers, and for a number. */
const BYTES_OF_LIST = 2 * 64 + 64 + 32;
const BYTES_OF_VECTOR = 2 * 64 + 64 + 32 + 8;
const BYTES_OF_NUMBER = 8;

// Beyond it, the halves of the batch are sent.
testLimit('lib/task-limits.ts#TASK_LIMITS.embed.received.parsedBytes', {
	of: 'numbers in each of eight vectors',
	limit: Math.floor(
		((24 * MB - BYTES_OF_LIST + BYTES_OF_NUMBER) / 8 - BYTES_OF_VECTOR) / BYTES_OF_NUMBER + 1,
	),
	outcome: async (dimensions) => {
		const vector = `{"embedding":[${'1,'.repeat(dimensions - 1)}1]}`;
		const { url, sent } = await start({
			...LLAMA_SERVER,
			'POST /v1/embeddings': ({ body: { input } }, response) => {
				response.writeHead(200, { 'content-type': 'application/json' });
				response.end(`{"data":[${new Array((input as string[]).length).fill(vector).join(',')}]}`);
			},
		});
		const texts = Array.from({ length: 8 }, (_none, at) => `Text ${at}`);
		const vectors = await (await embeddings(url)).supplied.embedDocuments(texts);
		return [vectors.length, sent('/v1/embeddings').length];
	},
	within: [8, 1],
	beyond: [8, 3],
});
