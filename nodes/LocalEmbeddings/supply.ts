import { NodeConnectionTypes, type IDataObject, type ISupplyDataFunctions, type SupplyData } from 'n8n-workflow';

import { EmbeddingsClient, type Embeddings, type EmbeddingSettings } from '../../lib/embeddings/client';
import type { Prefixes } from '../../lib/embeddings/prefixes';
import { keepAliveOf, type LongTexts } from '../../lib/embeddings/wire';
import { localLlamaConnection } from '../../lib/servers/credential';
import { readLimits } from '../shared/limit-fields';
import { NodeParameters } from '../shared/parameters';
import { SubNodeLog } from '../shared/sub-node-log';
import { properties } from './fields';

const MAX_SHOWN_QUERY = 200;
const SHOWN_NUMBERS = 4;

/** What n8n's vector stores call. They ask for no class of LangChain. */
export interface SuppliedEmbeddings {
	embedDocuments(texts: string[]): Promise<number[][]>;
	embedQuery(text: string): Promise<number[]>;
}

export async function supplyEmbeddings(context: ISupplyDataFunctions, itemIndex: number): Promise<SupplyData> {
	const log = new SubNodeLog(context, NodeConnectionTypes.AiEmbedding, itemIndex);
	try {
		const credentials = await context.getCredentials('localLlamaApi', itemIndex);
		const connection = localLlamaConnection(credentials, context.helpers);
		const settings = readSettings(new NodeParameters(context, itemIndex, properties));
		const client = new EmbeddingsClient(connection, settings);
		return { response: loggedEmbeddings(client, log) };
	} catch (error) {
		throw log.nodeError(error);
	}
}

/** Reads the node's parameters, which may come out of expressions with any type. */
export function readSettings(parameters: NodeParameters): EmbeddingSettings {
	const prefix = (path: string) => (parameters.value(path) === undefined ? undefined : parameters.freeText(path));
	const prefixes = { query: prefix('options.queryPrefix'), document: prefix('options.documentPrefix') };
	return {
		model: parameters.name('model'),
		prefixes: Object.fromEntries(Object.entries(prefixes).filter(([, words]) => words !== undefined)),
		dimensions: parameters.number('options.dimensions', undefined),
		expectedDimensions: parameters.number('options.expectedDimensions', undefined),
		longTexts: parameters.choice<LongTexts>('options.longTexts', 'fail'),
		blankTexts: parameters.choice<'refuse' | 'space'>('options.blankTexts', 'refuse'),
		batchSize: parameters.number('options.batchSize', 32),
		keepAlive: keepAliveOf(parameters.freeText('options.keepAlive')),
		...readLimits(parameters),
	};
}

function loggedEmbeddings(client: EmbeddingsClient, log: SubNodeLog): SuppliedEmbeddings {
	const embed = async (texts: readonly unknown[], role: keyof Prefixes, input: IDataObject) => {
		const prefix = client.prefixes[role];
		const startedAt = performance.now();
		const { vectors } = await log.call({
			input: { ...input, ...(prefix === '' ? {} : { prefix }) },
			run: async (signal) => {
				const result = await client.embed(texts, role, signal);
				if (result.truncated > 0)
					log.hint(
						`${result.truncated} of ${texts.length} texts were too long for the model: only their beginning counts.`,
					);
				return result;
			},
			output: (result) => summary(result, client.settings.model, performance.now() - startedAt),
		});
		return vectors;
	};
	return {
		embedDocuments: async (texts) =>
			await embed(texts, 'document', {
				documents: texts.length,
				characters: texts.reduce((sum, text) => sum + (typeof text === 'string' ? text.length : 0), 0),
			}),
		embedQuery: async (text) => {
			const query = typeof text === 'string' ? text.slice(0, MAX_SHOWN_QUERY) : text;
			const [vector] = await embed([text], 'query', { query });
			return vector!;
		},
	};
}

/** Counts and sizes, never the vectors: they would fill n8n's database. */
function summary({ vectors, received, tokens, ...rest }: Embeddings, model: string, milliseconds: number): IDataObject {
	const [first] = vectors;
	return {
		model,
		vectors: vectors.length,
		...(first === undefined ? {} : { dimensions: first.length, beginsWith: first.slice(0, SHOWN_NUMBERS) }),
		...(received === undefined || received === first?.length ? {} : { receivedDimensions: received }),
		...(tokens === undefined ? {} : { tokens }),
		...rest,
		milliseconds: Math.round(milliseconds),
	};
}
