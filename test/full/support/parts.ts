/** Real parts that only the suites of `npm run test:full` use. */
import type {
	ChatLine,
	CliExecution,
	Credential,
	LlamaServer,
	LlamaServerOptions,
	N8nEnvironment,
	N8nInstall,
	Workflow,
} from '../../../scripts/lib/types';
import {
	newUserFolder,
	parts,
	startLlamaServer,
	registerServer,
} from '../../e2e/support/playground';
import { startPostgres as startEmptyPostgres } from '../../e2e/support/services';
import { fs, path } from '../../support/node-builtins';
import { loadScript } from '../../support/scripts';

interface N8nScript {
	importInto(
		install: N8nInstall,
		what: 'credentials' | 'workflows',
		content: Array<Credential | Workflow>,
		options: N8nEnvironment,
	): Promise<void>;
	executeWorkflow(install: N8nInstall, id: string, options: N8nEnvironment): Promise<CliExecution>;
}

/** Starts a model for vectors: those of texts are near each other that have words in common. */
export async function startEmbeddingServer(
	options: Partial<LlamaServerOptions> = {},
): Promise<LlamaServer> {
	return await startLlamaServer({
		model: parts().noiseBert,
		alias: 'test-embedding',
		args: ['--embeddings', '--pooling', 'mean'],
		...options,
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

/** An empty PostgreSQL with pgvector. */
export const startPostgres = async () => await registerServer(startEmptyPostgres());

/** Writes the lines of a chat with their arrival times to a file for debugging. */
export function writeTranscript(name: string, lines: readonly ChatLine[]): void {
	fs.writeFileSync(
		path.join(parts().work, `${name}.jsonl`),
		lines.map((line) => `${JSON.stringify({ ...line, atMs: Math.round(line.atMs) })}\n`).join(''),
	);
}

/**
 * Runs a workflow that starts with a Manual Trigger through `n8n import:…` and `n8n execute`, without a server.
 *
 * @param options `userFolder`: an existing one from `newUserFolder()`; default: a new one
 */
export async function executeWorkflow(
	workflow: Workflow,
	credentials: Credential[] = [],
	options: Partial<N8nEnvironment> = {},
): Promise<CliExecution> {
	const script = await loadScript<N8nScript>('n8n');
	const { n8n, nodes } = parts();
	const userFolder = options.userFolder ?? (await newUserFolder());
	const environment = { customExtensions: [nodes], ...options, userFolder };
	const id = workflow.id ?? 'executed';
	if (credentials.length > 0) await script.importInto(n8n, 'credentials', credentials, environment);
	await script.importInto(n8n, 'workflows', [{ ...workflow, id }], environment);
	return await script.executeWorkflow(n8n, id, environment);
}
