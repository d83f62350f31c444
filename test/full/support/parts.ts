/** Real parts that only the suites of `npm run test:full` use. */
import type { LlamaServer } from '../../../scripts/lib/types';
import { parts, registerServer, startLlamaServer } from '../../e2e/support/playground';
import { startPostgres as startEmptyPostgres } from '../../e2e/support/services';

/** Starts a model for vectors: those of texts are near each other that have words in common. */
export async function startEmbeddingServer(): Promise<LlamaServer> {
	return await startLlamaServer({
		model: parts().noiseBert,
		alias: 'test-embedding',
		args: ['--embeddings', '--pooling', 'mean'],
	});
}

/** Starts the same model with its reranking head of random weights: a real reranker, except for the order. */
export async function startRerankServer(): Promise<LlamaServer> {
	return await startLlamaServer({
		model: parts().noiseBert,
		alias: 'test-reranker',
		args: ['--reranking'],
	});
}

/** An empty PostgreSQL. */
export const startPostgres = async (needs: { hasVectors: boolean }) =>
	await registerServer(startEmptyPostgres(needs));
