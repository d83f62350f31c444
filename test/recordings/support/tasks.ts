import { LocalEmbeddings } from '../../../nodes/LocalEmbeddings/LocalEmbeddings.node';
import { LocalReranker } from '../../../nodes/LocalReranker/LocalReranker.node';
import { chosenModel, itemsOfLocalLlama, LIMITS, suppliedBy } from './node-runner';
import type { Played } from './node-runner';
import type { Json } from './exchange';
import { modelOf } from './server-identities';
import { filled } from './result';

interface Embeddings {
	embedDocuments(texts: string[]): Promise<number[][]>;
	embedQuery(text: string): Promise<number[]>;
}

interface StoredDocument {
	pageContent: string;
	metadata: Json;
}

interface Reranker {
	compressDocuments(documents: StoredDocument[], query: string): Promise<StoredDocument[]>;
}

const SHOWN_NUMBERS = 4;

/** All texts are sent in one request, as recorded. */
const parametersFor = ({ exchange }: Played): Json => ({
	model: chosenModel(modelOf(exchange)),
	options: { ...LIMITS, batchSize: 128 },
});

const hintsOf = ({ hints }: { hints: Array<{ message: string }> }) =>
	hints.map(({ message }) => message);

/** A text that the node accepts: blank texts and tokens become a word. */
const textOf = (one: unknown) => (typeof one === 'string' && one.trim() !== '' ? one : 'a');

/** The same number of texts as in the recorded request. */
function textsOf(input: unknown): string[] {
	const isOne = !Array.isArray(input) || input.every((one) => typeof one === 'number');
	const inputs: unknown[] = isOne || !Array.isArray(input) ? [input] : input;
	return inputs.length === 0 ? ['a'] : inputs.map(textOf);
}

function vectorsOf(vectors: number[][]): Json {
	return {
		count: vectors.length,
		dimensions: [...new Set(vectors.map(({ length }) => length))],
		begins: vectors.slice(0, 2).map((vector) => vector.slice(0, SHOWN_NUMBERS)),
	};
}

/** Local Embeddings as a vector store uses it. */
export async function embeddingsResult(played: Played): Promise<Json> {
	const { input } = played.exchange.request.body;
	const { supplied, fake } = await suppliedBy<Embeddings>(
		new LocalEmbeddings(),
		played,
		parametersFor(played),
	);
	const texts = textsOf(input);
	const vectors = Array.isArray(input)
		? await supplied.embedDocuments(texts)
		: [await supplied.embedQuery(texts[0]!)];
	return filled({ vectors: vectorsOf(vectors), hints: hintsOf(fake) });
}

/** Local Llama, Vector: Embed, with all vectors in one item. */
export async function embedResult(played: Played): Promise<Json> {
	const { options, ...parameters } = parametersFor(played);
	const { item, ...others } = await itemsOfLocalLlama(played, {
		...parameters,
		resource: 'vector',
		operation: 'embed',
		text: textsOf(played.exchange.request.body.input),
		options: { ...(options as Json), singleItem: true },
	});
	const { output = [], ...facts } = (item ?? {}) as Json & { output?: number[][] };
	return { ...others, item: { ...facts, vectors: vectorsOf(output) } };
}

function documentsOf({ documents, texts }: Json): string[] {
	const list: unknown = documents ?? texts;
	const isTexts = Array.isArray(list) && list.length > 0;
	return isTexts ? list.map(textOf) : ['a', 'b'];
}

const queryOf = ({ query }: Json) => (typeof query === 'string' && query !== '' ? query : 'a');

/** Local Reranker as a vector store uses it. */
export async function rerankerResult(played: Played): Promise<Json> {
	const { body } = played.exchange.request;
	const { supplied, fake } = await suppliedBy<Reranker>(
		new LocalReranker(),
		played,
		parametersFor(played),
	);
	const documents = documentsOf(body).map((pageContent, at) => ({ pageContent, metadata: { at } }));
	const ranked = await supplied.compressDocuments(documents, queryOf(body));
	return filled({ ranking: ranked.map(({ metadata }) => metadata), hints: hintsOf(fake) });
}

/** Local Llama, Vector: Rerank. */
export async function rerankResult(played: Played): Promise<Json> {
	const { body } = played.exchange.request;
	return await itemsOfLocalLlama(played, {
		...parametersFor(played),
		resource: 'vector',
		operation: 'rerank',
		query: queryOf(body),
		document: documentsOf(body),
	});
}

/** The questions of a request as Question List has them. */
function questionsOf({ questions }: Json): Json[] {
	return Object.entries(questions as Record<string, Json>).map(([name, question]) => {
		const { type, instructions, criteria } = question;
		const descriptions = (criteria ?? {}) as Json;
		if (type === 'noul') return { name, type: 'yesNo', question: instructions };
		if (type === 'score') return { name, type, question: instructions, levels: criteria };
		const options = Object.entries(descriptions).map(([option, description]) => ({
			name: option,
			description,
		}));
		return { name, type, question: instructions, options };
	});
}

/** Local Llama, Text: Decide. */
export async function decideResult(played: Played): Promise<Json> {
	const { body } = played.exchange.request;
	const { options, ...parameters } = parametersFor(played);
	return await itemsOfLocalLlama(played, {
		...parameters,
		resource: 'text',
		operation: 'decide',
		state: body.state,
		options: { ...(options as Json), questionList: questionsOf(body), simplify: false },
	});
}

/** Local Llama, Text: Complete. */
export async function completeResult(played: Played): Promise<Json> {
	const { prompt, n_probs: logprobs } = played.exchange.request.body;
	return await itemsOfLocalLlama(
		played,
		{
			...parametersFor(played),
			resource: 'text',
			operation: 'complete',
			prompt: typeof prompt === 'string' && prompt !== '' ? prompt : 'A',
			options: {
				...LIMITS,
				...(typeof logprobs === 'number' ? { logprobs } : {}),
				simplify: false,
			},
		},
		{ streaming: true },
	);
}

const WAVE = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEfmt '), Buffer.alloc(2000)]);
const FORMATS = ['json', 'srt', 'text', 'verbose_json', 'vtt'];

/** Local Llama, Audio: Transcribe. */
export async function transcribeResult(played: Played): Promise<Json> {
	const { parts } = played.exchange.request;
	const valueOf = (name: string) => parts.find((part) => part.name === name)?.value ?? '';
	const format = valueOf('response_format');
	const fileName = parts.find((part) => part.name === 'file')?.filename ?? 'a.wav';
	return await itemsOfLocalLlama(
		played,
		{
			resource: 'audio',
			operation: 'transcribe',
			model: '',
			responseFormat: FORMATS.includes(format) ? format : 'json',
			options: LIMITS,
		},
		{
			items: [
				{
					json: {},
					binary: {
						data: { data: 'filesystem-v2', id: 'store:1', mimeType: 'audio/wav', fileName },
					},
				},
			],
			stored: { 'store:1': WAVE },
		},
	);
}

/** Local Llama, Audio: Speak. */
export async function speakResult(played: Played): Promise<Json> {
	return await itemsOfLocalLlama(played, {
		...parametersFor(played),
		resource: 'audio',
		operation: 'speak',
		text: 'Hello',
		voice: 'alloy',
	});
}

/** Local Llama, Image: Generate. */
export async function imageResult(played: Played): Promise<Json> {
	return await itemsOfLocalLlama(played, {
		...parametersFor(played),
		resource: 'image',
		operation: 'generate',
		prompt: 'A fox',
	});
}

/** Local Llama, an operation on models. */
export function modelWork(operation: 'delete' | 'getAll' | 'load' | 'pull' | 'unload') {
	return async (played: Played): Promise<Json> => {
		const { body } = played.exchange.request;
		const name = String(body.model ?? body.name ?? 'nope');
		const parameters = { model: chosenModel(name), modelName: name };
		const options = operation === 'getAll' ? {} : { wait: operation === 'pull' };
		return await itemsOfLocalLlama(played, {
			resource: 'model',
			operation,
			...parameters,
			options: operation === 'delete' ? {} : options,
		});
	};
}
