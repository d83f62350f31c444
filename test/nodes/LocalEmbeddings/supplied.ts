import type { ISupplyDataFunctions, NodeExecutionHint } from 'n8n-workflow';
import { LocalEmbeddings } from '../../../nodes/LocalEmbeddings/LocalEmbeddings.node';
import type { SuppliedEmbeddings } from '../../../nodes/LocalEmbeddings/supply';
import type { LlamaServerSim } from '../../simulators/llama-server';
import { fakeContext } from '../../support/n8n/context';

export const SECRET = 'secret-key-123';

/** Object that the node supplies to a vector store. */
export async function supplyNode(
	server: LlamaServerSim,
	options: Record<string, unknown> = {},
): Promise<{
	embeddings: SuppliedEmbeddings;
	context: ISupplyDataFunctions;
	inputs: Array<Record<string, unknown>>;
	outputs: unknown[];
	hints: NodeExecutionHint[];
	summaries: string[];
	warnings: string[];
	cancel: AbortController;
}> {
	const parameters = { model: { __rl: true, mode: 'id', value: 'sim-model' }, options };
	const fake = fakeContext(parameters, { baseUrl: server.url, apiKey: SECRET });
	const { response } = await new LocalEmbeddings().supplyData.call(fake.context, 0);
	return { ...fake, embeddings: response as SuppliedEmbeddings };
}
