/** What lives in modules as long as something uses it: another subject may meet it meanwhile. */

export type LiveName = 'queues' | 'pools' | 'polls' | 'hints' | 'totals';

interface LiveRow {
	/** The variable that has it; undefined if it is n8n's. */
	variable: string | undefined;
	/** What its entries belong to. */
	keys: string;
	/** Why others may meet it. */
	sharedBecause: string;
	/** With what it ends. */
	endsWith: string;
}

export const LIVE: Readonly<Record<LiveName, LiveRow>> = {
	queues: {
		variable: 'lib/http/queue.ts: queues',
		keys: 'server, and its limit: the model if the slots of the server are the limit',
		sharedBecause: 'all wait for the same slots',
		endsWith: 'the last request that runs or waits',
	},
	pools: {
		variable: 'lib/http/dispatcher.ts: poolEntries',
		keys: 'server, and whether n8n checks the addresses of connections',
		sharedBecause: 'a connection has the key in each request, and nothing of a workflow',
		endsWith: 'the last request, but for 64 servers without requests',
	},
	polls: {
		variable: 'nodes/DifyTrigger/poll.ts: pollingNodes',
		keys: 'workflow and node',
		sharedBecause: 'a second poll of a node would start its workflow twice for the same ratings',
		endsWith: 'the poll',
	},
	hints: {
		variable: 'lib/n8n/hints.ts: hintsByContext',
		keys: "n8n's context of a run",
		sharedBecause: 'each hint is shown once in a run',
		endsWith: 'the context',
	},
	totals: {
		variable: undefined,
		keys: "n8n's ID of the execution",
		sharedBecause: 'they are the totals of the execution',
		endsWith: 'the execution, with which n8n stores them',
	},
};
