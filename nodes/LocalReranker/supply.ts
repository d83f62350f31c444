import type { ISupplyDataFunctions, SupplyData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import type { ModelServer } from '../../lib/servers/types/server-type';
import type { RerankSettings } from '../../lib/tasks/rerank';
import { rerank } from '../../lib/tasks/rerank';
import { omitUndefined } from '../../lib/values/records';
import type { FieldTable } from '../../lib/fields/field';
import { optionsField } from '../shared/fields/options-field';
import { toRerankSettings, rerankOptions, topNField } from '../shared/fields/vector-fields';
import type { SubNodeLog } from '../../lib/n8n/sub-node-log';
import { supplySubNode } from '../shared/items/sub-node';
import { modelField, withResolvedModel } from '../shared/fields/model-selection';

export const fields = {
	notice: {
		kind: 'notice',
		label:
			'Turn on "Rerank Results" in the vector store and connect this node to it. Raise the Limit of the store, for example to 20, because it applies before reranking.',
	},
	model: modelField(
		'The model that scores the documents. Models that the server reports as unsuitable are not listed',
		{ search: 'searchRerankers', example: 'bge-reranker-v2-m3' },
	),
	topN: topNField,
	options: optionsField(rerankOptions),
} as const satisfies FieldTable;

const MAX_LOGGED_QUERY = 200;

/** LangChain document, as n8n's vector stores pass it. */
export interface StoredDocument {
	pageContent: string;
	metadata: Record<string, unknown>;
	id?: string;
}

/** Methods that n8n's vector stores call. No LangChain class is needed. */
export interface SuppliedReranker {
	compressDocuments(documents: StoredDocument[], query: string): Promise<StoredDocument[]>;
}

export async function supplyReranker(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	const place = { context, connection: NodeConnectionTypes.AiReranker, itemIndex };
	return await supplySubNode(place, async (subNode) => {
		const { values, server, priority } = await subNode.open(fields);
		const settings = { ...toRerankSettings(values), priority };
		const resolvedSettings = await withResolvedModel(settings, {
			server,
			modelTask: 'reranking',
			signal: subNode.signal,
		});
		return { response: createLoggedReranker(server, resolvedSettings, subNode.log) };
	});
}

function createLoggedReranker(
	server: ModelServer,
	settings: RerankSettings,
	log: SubNodeLog,
): SuppliedReranker {
	return {
		compressDocuments: async (documents, query) => {
			// An expression may return any type.
			const queryText = typeof query === 'string' ? query : String(query ?? '');
			const { ranking } = await log.call({
				input: { query: queryText.slice(0, MAX_LOGGED_QUERY), documents: documents.length },
				run: async (signal) => {
					const texts = documents.map(({ pageContent }) =>
						typeof pageContent === 'string' ? pageContent : '',
					);
					const callSettings = { ...settings, signal };
					const result = await rerank(server, callSettings, {
						query: queryText,
						queryOrigin: 'user',
						documents: texts,
						documentOrigin: 'foreign',
					});
					result.warnings.forEach((warning) => log.hint(warning));
					return result;
				},
				output: (result) => {
					const scores = result.ranking.flatMap(({ score }) => score ?? []);
					return {
						model: settings.model,
						returned: result.ranking.length,
						...(scores.length !== 0 && { best: scores[0], worst: scores.at(-1) }),
						tokens: result.tokens,
						requests: result.requests,
						...omitUndefined({ resentBecause: result.resentBecause }),
						truncated: result.truncatedTexts.length,
					};
				},
			});
			// Copied, since documents of the Simple Vector Store share their metadata with the store.
			return ranking.map(({ index, score }) => {
				const document = documents[index]!;
				const metadata = { ...document.metadata, ...omitUndefined({ relevanceScore: score }) };
				return { ...document, metadata };
			});
		},
	};
}
