/** Rankings for a vector store with responses of many forms: the requests, the documents, the log and the hints. */
import path from 'node:path';
import { LocalReranker } from '../../../nodes/LocalReranker/LocalReranker.node';
import type { StoredDocument, SuppliedReranker } from '../../../nodes/LocalReranker/supply';
import { LLAMA_SERVER } from '../../guarantees/support/responses';
import { expectApproved } from '../../support/approved/approved-table';
import { fakeContext } from '../../support/n8n/context';
import { json, sendJson, useServers } from '../../support/servers/scripted-server';
import type { Answer } from '../../support/servers/scripted-server';
import { describeNodeError, markWords } from '../../support/approved/outcome';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/still-clock'),
);

const start = useServers();

interface Ranking {
	name: string;
	answer: Answer;
	parameters?: Record<string, unknown>;
	texts?: readonly unknown[];
	query?: unknown;
}

/** A score for each document, by its length. */
const scores =
	(toScore = (length: number) => length / 10, more: object = {}): Answer =>
	({ body }, response) => {
		const results = (body.documents as string[]).map((text, index) => ({
			index,
			relevance_score: toScore(text.length),
		}));
		sendJson(response, { results, model: 'sim-model', usage: { prompt_tokens: 7 }, ...more });
	};

const refuseLong: Answer = (request, response) =>
	(request.body.documents as string[]).some((text) => text.length > 20)
		? sendJson(response, { error: { message: 'Too long', code: 'context_length_exceeded' } }, 400)
		: scores()(request, response);

const LONG = 'a document that is too long';

const RANKINGS: readonly Ranking[] = [
	{ name: 'three documents', answer: scores() },
	{ name: 'no documents', answer: scores(), texts: [] },
	{ name: 'the best one', answer: scores(), parameters: { topN: 1 } },
	{ name: 'more than there are', answer: scores(), parameters: { topN: 9 } },
	{ name: 'a minimum score', answer: scores(), parameters: { options: { minimumScore: 0.3 } } },
	{
		name: 'a minimum score of all',
		answer: scores(),
		parameters: { options: { minimumScore: 9 } },
	},
	{
		name: 'sigmoid',
		answer: scores((length) => length - 3),
		parameters: { options: { scores: 'sigmoid' } },
	},
	{ name: 'equal scores', answer: scores(() => 0) },
	{ name: 'negative scores', answer: scores((length) => -length) },
	{ name: 'a query that is no text', answer: scores(), query: 5 },
	{ name: 'no query', answer: scores(), query: null },
	{ name: 'a long query', answer: scores(), query: 'w'.repeat(300) },
	{ name: 'a document that is no text', answer: scores(), texts: ['a', 5] },
	{ name: 'batches of one', answer: scores(), parameters: { options: { batchSize: 1 } } },
	{ name: 'a long document', answer: refuseLong, texts: ['a', LONG] },
	{
		name: 'a long document that is truncated',
		answer: refuseLong,
		texts: ['a', LONG],
		parameters: { options: { longDocuments: 'truncate' } },
	},
	{ name: 'another model', answer: scores(undefined, { model: 'other' }) },
	{ name: 'a failure', answer: json({ error: { message: 'Out' } }, 500) },
	{ name: 'too few scores', answer: json({ results: [{ index: 0, relevance_score: 1 }] }) },
	{
		name: 'an index of no document',
		answer: json({ results: [0, 1, 9].map((index) => ({ index, relevance_score: 1 })) }),
	},
];

/** The log of a call without its duration; of an error, that it is one. */
const withoutTimes = (output: unknown): unknown => {
	const { milliseconds: _milliseconds, description, ...known } = output as Record<string, unknown>;
	const text = typeof description === 'string' ? description : undefined;
	return text === undefined ? known : `error${markWords([text])}`;
};

const play = async ({
	answer,
	parameters,
	texts = ['a', 'long one', 'mid'],
	query = 'Who?',
}: Ranking): Promise<unknown> => {
	const server = await start({ ...LLAMA_SERVER, 'POST /v1/rerank': answer });
	const model = { __rl: true, mode: 'id', value: 'sim-model' };
	const fake = fakeContext({ model, ...parameters }, { baseUrl: server.url });
	const { response } = await new LocalReranker().supplyData.call(fake.context, 0);
	const documents = texts.map((pageContent, index) => ({
		pageContent,
		metadata: { source: `s${String(index)}` },
		id: String(index),
	})) as StoredDocument[];
	const result = await (response as SuppliedReranker)
		.compressDocuments(documents, query as string)
		.catch(describeNodeError);
	return {
		sent: server
			.sent('/v1/rerank')
			.map(({ query: sentQuery, documents: of, top_n }) => [sentQuery, of, top_n].flat()),
		result,
		stored: documents.some(({ metadata }) => 'relevanceScore' in metadata) || undefined,
		input: fake.inputs,
		output: fake.outputs.map(withoutTimes),
		hints: fake.hints.map(({ message }) => message),
	};
};

test('each ranking has its requests, its documents and its log', async () => {
	jest.spyOn(Math, 'random').mockReturnValue(0.5);
	const rows = [];
	for (const ranking of RANKINGS) {
		const outcome = JSON.stringify(await play(ranking));
		rows.push({
			input: ranking.name,
			outcome: outcome.replace(/w{30,}/g, (long) => `(${String(long.length)})`),
		});
	}
	expectApproved(
		path.join(__dirname, 'supply.calls.approved.txt'),
		rows,
		'A vector store gets its documents ranked, or an error',
	);
});
