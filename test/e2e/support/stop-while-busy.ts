import type { LlamaServer, N8nClient } from './playground';
import { until } from './until';

/**
 * Stops the only execution of a workflow as soon as the server generates.
 * Returns whether the server is still busy: without a stop, it would generate for minutes.
 */
export async function stopWhileBusy(
	n8n: Pick<N8nClient, 'listExecutions' | 'stopExecution'>,
	server: Pick<LlamaServer, 'slots'>,
	workflowId: string,
): Promise<boolean> {
	const isBusy = async () => (await server.slots()).some(({ is_processing: busy }) => busy);
	await until(isBusy, (busy) => busy);
	const [running] = await n8n.listExecutions({ workflowId, status: ['running'] });
	await n8n.stopExecution(running!.id);
	return await until(isBusy, (busy) => !busy);
}
