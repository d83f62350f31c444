/** Calls of a vector store with responses of many forms: the requests, the vectors, the log and the hints. */
import path from 'node:path';
import { LocalEmbeddings } from '../../../nodes/LocalEmbeddings/LocalEmbeddings.node';
import type { SuppliedEmbeddings } from '../../../nodes/LocalEmbeddings/supply';
import { LLAMA_SERVER } from '../../guarantees/support/responses';
import { expectApproved } from '../../support/approved/approved-table';
import { fakeContext } from '../../support/n8n/context';
import { json, sendJson, useServers } from '../../support/servers/scripted-server';
import type { Answer, Routes, ScriptedRequest } from '../../support/servers/scripted-server';
import { describeNodeError, markWords } from '../../support/approved/outcome';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/still-clock'),
);

const start = useServers();

interface Call {
	name: string;
	answer: Answer;
	options?: Record<string, unknown>;
	/** Default: llama-server with one model. */
	isVllm?: boolean;
	/** Default: two documents. */
	texts?: readonly unknown[];
	query?: unknown;
}

/** Vectors of as many numbers as asked for, one for each text. */
const vectors =
	(dimensions = 5, more: object = {}): Answer =>
	({ body }: ScriptedRequest, response) => {
		const data = [body.input].flat().map((_text, index) => ({
			index,
			embedding: Array.from({ length: dimensions }, (_value, at) => index + at + 1),
		}));
		sendJson(response, { data, model: 'sim-model', usage: { prompt_tokens: 7 }, ...more });
	};

const refuseLong: Answer = (request, response) =>
	[request.body.input].flat().some((text) => String(text).length > 50)
		? sendJson(response, { error: { message: 'Too long', code: 'context_length_exceeded' } }, 400)
		: vectors()(request, response);

const once = (first: Answer, next: Answer): Answer => {
	let isFirst = true;
	return (request, response) => {
		const answer = isFirst ? first : next;
		isFirst = false;
		return answer(request, response);
	};
};

/** Two models. */
const VLLM: Routes = {
	'GET /v1/models': json({
		data: ['sim-model', 'other'].map((id) => ({ id, owned_by: 'vllm' })),
	}),
};

const LONG = 'word '.repeat(30);

const CALLS: readonly Call[] = [
	{ name: 'two documents', answer: vectors() },
	{ name: 'no documents', answer: vectors(), texts: [] },
	{ name: 'a query', answer: vectors(), query: 'Who?' },
	{ name: 'a long query', answer: vectors(), query: 'w'.repeat(300) },
	{ name: 'a query that is no text', answer: vectors(), query: 5 },
	{ name: 'a document that is no text', answer: vectors(), texts: ['a', 5] },
	{ name: 'an empty document', answer: vectors(), texts: ['a', ''] },
	{
		name: 'prefixes of documents',
		answer: vectors(),
		options: { documentPrefix: 'doc: ', queryPrefix: 'query: ' },
	},
	{
		name: 'prefixes of a query',
		answer: vectors(),
		options: { documentPrefix: 'doc: ', queryPrefix: 'query: ' },
		query: 'Who?',
	},
	{ name: 'a model that is not listed', answer: vectors(5, { model: 'unknown' }) },
	{ name: 'another model', answer: vectors(5, { model: 'other' }), isVllm: true },
	{ name: 'no counts', answer: vectors(5, { usage: undefined }) },
	{ name: 'fewer dimensions', answer: vectors(5), options: { dimensions: 3 } },
	{ name: 'as many dimensions', answer: vectors(3), options: { dimensions: 3 } },
	{ name: 'too few dimensions', answer: vectors(2), options: { dimensions: 3 } },
	{ name: 'batches of one', answer: vectors(), options: { batchSize: 1 } },
	{ name: 'a long document', answer: refuseLong, texts: ['a', LONG] },
	{
		name: 'a long document that is truncated',
		answer: refuseLong,
		texts: ['a', LONG],
		options: { longTexts: 'truncate' },
	},
	{
		name: 'a failure once',
		answer: once(json({ error: { message: 'Out' } }, 502), vectors()),
		options: { retries: 2 },
	},
	{
		name: 'a busy server once',
		answer: once(json({ error: { message: 'Later' } }, 429), vectors()),
		options: { retries: 2 },
	},
	{ name: 'a failure', answer: json({ error: { message: 'Out' } }, 500) },
	{ name: 'too few vectors', answer: json({ data: [{ index: 0, embedding: [1, 2] }] }) },
	{
		name: 'vectors of zeros',
		answer: json({
			data: [
				{ index: 0, embedding: [0, 0] },
				{ index: 1, embedding: [0, 0] },
			],
		}),
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
	options = {},
	isVllm = false,
	texts = ['one', 'two'],
	query,
}: Call): Promise<unknown> => {
	const server = await start({ ...(isVllm ? VLLM : LLAMA_SERVER), 'POST /v1/embeddings': answer });
	const model = { __rl: true, mode: 'id', value: 'sim-model' };
	const fake = fakeContext({ model, options }, { baseUrl: server.url });
	const { response } = await new LocalEmbeddings().supplyData.call(fake.context, 0);
	const embeddings = response as SuppliedEmbeddings;
	const outcome: Promise<unknown> =
		query === undefined
			? embeddings.embedDocuments(texts as string[])
			: embeddings.embedQuery(query as string);
	const result = await outcome.catch(describeNodeError);
	const sent = server
		.sent('/v1/embeddings')
		.map(({ input, dimensions }) => [input, dimensions].flat());
	return {
		sent: JSON.stringify(sent)
			.replaceAll(LONG, 'LONG')
			.replace(/w{30,}/g, (long) => `(${String(long.length)})`),
		result,
		input: fake.inputs,
		output: fake.outputs.map(withoutTimes),
		hints: fake.hints.map(({ message }) => message),
	};
};

test('each call has its requests, its vectors and its log', async () => {
	jest.spyOn(Math, 'random').mockReturnValue(0.5);
	const rows = [];
	for (const call of CALLS) {
		const outcome = JSON.stringify(await play(call)).replace(
			/(?:word )+/g,
			(long) => `(${String(long.length)})`,
		);
		rows.push({
			input: call.name,
			outcome: outcome.replace(/w{30,}/g, (long) => `(${String(long.length)})`),
		});
	}
	expectApproved(
		path.join(__dirname, 'supply.calls.approved.txt'),
		rows,
		'A vector store gets all vectors of a call, or an error',
	);
});
