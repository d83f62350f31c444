/** Runs nodes against a replayed recording, through their public parameters. */
import type {
	ICredentialDataDecryptedObject,
	ILoadOptionsFunctions,
	INodeListSearchResult,
} from 'n8n-workflow';

import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import { LocalEmbeddings } from '../../../nodes/LocalEmbeddings/LocalEmbeddings.node';
import { LocalLlama } from '../../../nodes/LocalLlama/LocalLlama.node';
import { LocalReranker } from '../../../nodes/LocalReranker/LocalReranker.node';
import { fakeContext } from '../../support/n8n/context';
import type { FakeContext } from '../../support/n8n/context';
import { executeContext } from '../../support/n8n/execute-context';
import type { ExecuteSetup } from '../../support/n8n/execute-context';
import type { Exchange, Json } from './exchange';
import { apiPathOf } from './server-identities';
import { filled } from './result';

/** One recording that is being replayed. */
export interface Played {
	exchange: Exchange;
	/** Origin of the server. */
	url: string;
}

/** The server and the recorded key. */
export function credentialsFor({ exchange, url }: Played): ICredentialDataDecryptedObject {
	const headers = new Headers(exchange.request.headers);
	const bearer = /^bearer (.+)/i.exec(headers.get('authorization') ?? '')?.[1];
	const own = headers.get('x-api-key');
	return {
		baseUrl: `${url}${apiPathOf(exchange)}`,
		apiKey: bearer ?? own ?? '',
		authentication: bearer === undefined && own !== null ? 'xApiKey' : 'bearer',
	};
}

/** No retries by default, so that errors are reported immediately. */
export const LIMITS = { maxRetries: 0 };

export const chosenModel = (value: string) => ({ __rl: true, mode: 'id', value });

export interface SupplyingNode {
	supplyData: LocalChatModel['supplyData'];
}

/** The object that a sub-node supplies, and its context. */
export async function suppliedBy<T>(
	node: SupplyingNode,
	played: Played,
	parameters: Json,
): Promise<{ supplied: T; fake: FakeContext }> {
	const fake = fakeContext(parameters, credentialsFor(played));
	const { response } = await node.supplyData.call(fake.context, 0);
	return { supplied: response as T, fake };
}

/** The items of Local Llama with the text streamed into the chat and the hints. */
export async function itemsOfLocalLlama(
	played: Played,
	parameters: Json,
	setup: Partial<ExecuteSetup> = {},
): Promise<Json> {
	const fake = executeContext({
		type: 'n8n-nodes-local-llama.localLlama',
		credentials: credentialsFor(played),
		parameters: { ...parameters, options: { ...(parameters.options as Json), simplify: false } },
		...setup,
	});
	const [items = []] = await new LocalLlama().execute.call(fake.context);
	const chatTexts = fake.chunks.filter(({ type }) => type === 'item').map(({ content }) => content);
	const jsons = items.map(({ json }) => withoutSeconds(json));
	return filled({
		...(jsons.length === 1 ? { item: jsons[0] } : { items: jsons }),
		files: items.flatMap(({ binary = {} }) =>
			Object.values(binary).map(({ fileName, mimeType }) => `${fileName} (${mimeType})`),
		),
		typed: chatTexts.join(''),
		hints: fake.hints.map(({ message }) => message),
	});
}

/** The seconds of a run are those of this machine. */
function withoutSeconds(json: Json): Json {
	return JSON.parse(JSON.stringify(json), (name, value: unknown) =>
		name === 'seconds' ? undefined : value,
	) as Json;
}

type Search = (this: ILoadOptionsFunctions, filter?: string) => Promise<INodeListSearchResult>;

/** The lists of models in the editor. */
export const SEARCHES: Readonly<Record<string, Search>> = {
	'Local Chat Model: list of models': new LocalChatModel().methods.listSearch.searchModels,
	'Local Embeddings: list of models': new LocalEmbeddings().methods.listSearch
		.searchEmbeddingModels,
	'Local Reranker: list of models': new LocalReranker().methods.listSearch.searchRerankers,
};

export async function listedBy(search: Search, played: Played): Promise<Json> {
	const { context } = fakeContext({}, credentialsFor(played));
	const { results } = await search.call(context as unknown as ILoadOptionsFunctions);
	return { entries: results.map(({ name, value }) => ({ name, value })) };
}
