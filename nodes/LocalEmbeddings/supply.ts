import type { IDataObject, ISupplyDataFunctions, SupplyData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import type { Prefixes } from '../../lib/tasks/prefixes';
import { Embedder } from '../../lib/tasks/embed';
import { omitUndefined } from '../../lib/values/records';
import type { FieldTable } from '../../lib/fields/field';
import { optionsField } from '../shared/fields/options-field';
import { toEmbedSettings, embeddingOptions } from '../shared/fields/vector-fields';
import { toExplicitPriority } from '../shared/fields/request-options';
import type { SubNodeLog } from '../../lib/n8n/sub-node-log';
import { supplySubNode } from '../shared/items/sub-node';
import { modelField, withResolvedModel } from '../shared/fields/model-selection';

export const fields = {
	notice: {
		kind: 'notice',
		label:
			"Connect this node to a vector store, with the same model and options for inserting and searching. <a data-action='openSelectiveNodeCreator' data-action-parameter-connectiontype='ai_vectorStore'>Insert one</a>",
	},
	model: modelField(
		'The model that creates the vectors. Models that the server reports as unsuitable are not listed',
		{ search: 'searchEmbeddingModels', example: 'nomic-embed-text' },
	),
	options: optionsField(embeddingOptions),
} as const satisfies FieldTable;

const MAX_LOGGED_QUERY = 200;
const LOGGED_NUMBERS = 4;

/** Methods that n8n's vector stores call. No LangChain class is needed. */
export interface SuppliedEmbeddings {
	embedDocuments(texts: string[]): Promise<number[][]>;
	embedQuery(text: string): Promise<number[]>;
}

export async function supplyEmbeddings(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	const place = { context, connection: NodeConnectionTypes.AiEmbedding, itemIndex };
	return await supplySubNode(place, async (subNode) => {
		const { values, server, priority } = await subNode.open(fields);
		const documentPriority = toExplicitPriority(values.options) ?? 'batch';
		const settings = { ...toEmbedSettings(values), priority, documentPriority };
		const resolvedSettings = await withResolvedModel(settings, {
			server,
			modelTask: 'embeddings',
			signal: subNode.signal,
		});
		return {
			response: createLoggedEmbeddings(new Embedder(server, resolvedSettings), subNode.log),
		};
	});
}

function createLoggedEmbeddings(client: Embedder, log: SubNodeLog): SuppliedEmbeddings {
	const embed = async (texts: unknown[], role: keyof Prefixes, input: IDataObject) => {
		const prefix = client.prefixes[role];
		const { vectors } = await log.call({
			input: { ...input, ...(prefix !== '' && { prefix }) },
			run: async (signal) => {
				const result = await client.embed(texts, role, { signal });
				result.warnings.forEach((warning) => log.hint(warning));
				return result;
			},
			// Counts and sizes, never the vectors, which would fill n8n's database.
			output: ({ vectors: [first], ...result }) => ({
				model: result.otherModel ?? client.settings.model,
				vectors: texts.length,
				...(first !== undefined && {
					dimensions: first.length,
					beginsWith: first.slice(0, LOGGED_NUMBERS),
				}),
				...(result.receivedDimensions !== first?.length &&
					omitUndefined({ receivedDimensions: result.receivedDimensions })),
				tokens: result.tokens,
				requests: result.requests,
				...omitUndefined({ resentBecause: result.resentBecause }),
				truncated: result.truncatedTexts.length,
			}),
		});
		// Without partial results, there is a vector for each text.
		return vectors.map((vector) => vector!);
	};
	return {
		embedDocuments: async (texts) =>
			await embed(texts, 'document', {
				documents: texts.length,
				characters: texts.reduce(
					(sum, text) => sum + (typeof text === 'string' ? text.length : 0),
					0,
				),
			}),
		embedQuery: async (text) => {
			const query = typeof text === 'string' ? text.slice(0, MAX_LOGGED_QUERY) : text;
			const [vector] = await embed([text], 'query', { query });
			return vector!;
		},
	};
}
