import { chatModelResult, textChatResult } from './chats';
import { listedBy, SEARCHES } from './node-runner';
import type { Played } from './node-runner';
import { pathOf } from './exchange';
import type { Exchange, Json } from './exchange';
import {
	completeResult,
	decideResult,
	embeddingsResult,
	embedResult,
	imageResult,
	modelWork,
	rerankerResult,
	rerankResult,
	speakResult,
	transcribeResult,
} from './tasks';

type Run = (played: Played) => Promise<Json>;

/** Names of the nodes that read the responses of an endpoint. */
interface EntryPoints {
	route: RegExp;
	/** Nodes that read every response. */
	always: Readonly<Record<string, Run>>;
	/** Nodes that also read successful responses: rejections reach them the same way. */
	answers?: Readonly<Record<string, Run>>;
}

const lists: Readonly<Record<string, Run>> = Object.fromEntries(
	Object.entries(SEARCHES).map(([label, search]) => [
		label,
		async (played: Played) => await listedBy(search, played),
	]),
);

const ENTRY_POINTS: readonly EntryPoints[] = [
	{
		route: /^POST (.*\/chat\/completions|\/api\/chat)$/,
		always: { 'Local Chat Model': chatModelResult },
		answers: { 'Local Llama: Text: Chat': textChatResult },
	},
	{
		route: /^POST (.*\/embeddings|\/api\/embed)$/,
		always: { 'Local Embeddings': embeddingsResult },
		answers: { 'Local Llama: Vector: Embed': embedResult },
	},
	{
		route: /^POST (\/v1)?\/rerank(ing)?$/,
		always: { 'Local Reranker': rerankerResult },
		answers: { 'Local Llama: Vector: Rerank': rerankResult },
	},
	{ route: /^POST \/v1\/systemone$/, always: { 'Local Llama: Text: Decide': decideResult } },
	{
		route: /^POST (.*\/completions|\/api\/generate)$/,
		always: { 'Local Llama: Text: Complete': completeResult },
	},
	{
		route: /^POST (\/inference|\/v1\/audio\/transcriptions)$/,
		always: { 'Local Llama: Audio: Transcribe': transcribeResult },
	},
	{ route: /^POST \/v1\/audio\/speech$/, always: { 'Local Llama: Audio: Speak': speakResult } },
	{
		route: /^POST \/v1\/images\/generations$/,
		always: { 'Local Llama: Image: Generate': imageResult },
	},
	{
		route: /^GET (\/v1\/models|\/api\/tags|\/models)$/,
		always: { ...lists, 'Local Llama: Model: Get Many': modelWork('getAll') },
	},
	{ route: /^POST \/api\/pull$/, always: { 'Local Llama: Model: Pull': modelWork('pull') } },
	{
		route: /^DELETE \/api\/delete$/,
		always: { 'Local Llama: Model: Delete': modelWork('delete') },
	},
	{ route: /^POST \/models\/load$/, always: { 'Local Llama: Model: Load': modelWork('load') } },
	{
		route: /^POST \/models\/unload$/,
		always: { 'Local Llama: Model: Unload': modelWork('unload') },
	},
];

/** Names of the nodes that read this exchange; none if only removed nodes did. */
export function getEntryPoints({ request, answer }: Exchange): Array<[label: string, run: Run]> {
	const route = `${request.method} ${pathOf(request)}`;
	if (request.method === 'POST' && isWaitedFor(answer)) return [];
	const found = ENTRY_POINTS.find((entry) => entry.route.test(route));
	if (found === undefined) return [];
	const isRefusal = !/^HTTP\/1\.1 2/.test(answer.toString('latin1', 0, 10));
	return Object.entries({ ...found.always, ...(isRefusal ? {} : found.answers) });
}

/** Requests to a server that loads its model are retried, which another test covers. */
function isWaitedFor(answer: Buffer): boolean {
	return /^HTTP\/1\.1 503.*"Loading model"/s.test(answer.toString('latin1'));
}
