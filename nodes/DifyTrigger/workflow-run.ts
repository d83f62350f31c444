import { finishedRuns, newestRuns, type RunMemory } from '../../lib/dify/run/finished-runs';
import { checkWorkflowKey } from '../../lib/dify/app/app-mode';
import { getRecord } from '../../lib/dify/run/record';
import { mapConcurrently } from '../../lib/servers/batches';
import { recordOf, type JsonRecord } from '../../lib/values';
import type { NodeParameters } from '../shared/parameters';
import { SHOWN, type EventCall, type WatchedEvent } from './event';

const REQUESTS_AT_ONCE = 4;

/** Finished runs of a workflow app. */
export const workflowRun: WatchedEvent = {
	async news(call, memory) {
		const { client, parameters } = call;
		if (memory === undefined) await checkWorkflowKey(client);
		const { memory: next, found } = await finishedRuns(client, memory as RunMemory | undefined);
		return { memory: next, items: await itemsOf(call, found.filter(wantedBy(parameters))) };
	},

	async examples(call) {
		const newest = await newestRuns(call.client);
		const shown = newest.filter(wantedBy(call.parameters)).slice(0, SHOWN);
		return await itemsOf(call, shown.reverse());
	},
};

function wantedBy(parameters: NodeParameters): (entry: JsonRecord) => boolean {
	const statuses = parameters.choices('statuses');
	const user = parameters.name('options.user');
	return (entry) =>
		statuses.includes(String(recordOf(entry.workflow_run).status)) &&
		(user === '' || recordOf(entry.created_by_end_user).session_id === user);
}

async function itemsOf(
	{ client, parameters }: EventCall,
	entries: JsonRecord[],
): Promise<object[]> {
	const withOutputs = parameters.flag('options.withOutputs', true);
	return await mapConcurrently(entries, REQUESTS_AT_ONCE, client.signal, async (entry) => {
		const run = recordOf(entry.workflow_run);
		const item = {
			event: 'workflowRun',
			workflowRunId: run.id,
			status: run.status,
			error: run.error ?? null,
			user: recordOf(entry.created_by_end_user).session_id ?? null,
			triggeredFrom: run.triggered_from,
			elapsedTime: run.elapsed_time,
			totalTokens: run.total_tokens,
			totalSteps: run.total_steps,
			createdAt: run.created_at,
			finishedAt: run.finished_at,
		};
		if (!withOutputs) return item;
		const { inputs, outputs } = await getRecord(client, String(run.id));
		return { ...item, inputs, outputs };
	});
}
