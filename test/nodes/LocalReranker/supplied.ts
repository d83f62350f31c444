import { LocalReranker } from '../../../nodes/LocalReranker/LocalReranker.node';
import type { SuppliedReranker } from '../../../nodes/LocalReranker/supply';
import type { LlamaServerSim } from '../../simulators/llama-server';
import { fakeContext } from '../../support/context';

/** Object that the node supplies to a vector store. */
export async function supplyNode(server: LlamaServerSim, parameters: Record<string, unknown> = {}) {
	const model = { __rl: true, mode: 'id', value: 'sim-model' };
	const fake = fakeContext({ model, ...parameters }, { baseUrl: server.url });
	const { response } = await new LocalReranker().supplyData.call(fake.context, 0);
	return { ...fake, reranker: response as SuppliedReranker };
}
