import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	INodeExecutionData,
	INodeType,
	IPollFunctions,
} from 'n8n-workflow';

import { forgetAll } from '../../../lib/kept';

export interface PollSetup {
	parameters?: IDataObject;
	/** Credentials at each poll: a function, since they may change. */
	credentials: () => ICredentialDataDecryptedObject;
	/** `manual`: a test run in the editor. */
	mode?: 'trigger' | 'manual';
	/** Default: a new one. */
	workflowId?: string;
	/** Copies of a workflow keep the IDs of its nodes. Default: the same for all. */
	nodeId?: string;
}

export interface Polling {
	poll(): Promise<INodeExecutionData[][] | null>;
	/** Two overlapping polls, as in n8n when a poll takes long. */
	pollTwice(): Promise<Array<INodeExecutionData[][] | null>>;
	stored(): IDataObject;
	/** Restarts n8n: memory is lost, and static data are as last saved. The next poll activates the workflow. */
	restart(): void;
}

/** Number of workflows so far: each polling node gets its own. */
let workflows = 0;

/**
 * Simulates n8n's polling of a node: its static data are loaded before each poll, and kept only if the poll succeeded.
 * n8n 2.20 to 2.41 saves them when a poll starts the workflow, and after the poll that activates it.
 */
export function polling(
	node: INodeType,
	{
		parameters = {},
		credentials,
		mode = 'trigger',
		workflowId = `w${++workflows}`,
		nodeId = '1',
	}: PollSetup,
): Polling {
	let stored: IDataObject = {};
	let staged: IDataObject = {};
	let saved = '{}';
	let isActivating = true;
	const context = {
		// A poll is no execution yet.
		getExecutionId: () => undefined,
		getMode: () => mode,
		getWorkflow: () => ({ id: workflowId, name: 'Watch', active: true }),
		getNode: () => ({
			id: nodeId,
			name: 'Trigger',
			type: 't',
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
		}),
		getNodeParameter: (name: string, fallback: unknown) => parameters[name] ?? fallback,
		getCredentials: async () => credentials(),
		getWorkflowStaticData: () => staged,
		helpers: {},
	};
	const polls = async (count: number) => {
		staged = JSON.parse(JSON.stringify(stored)) as IDataObject;
		const poll = async () => await node.poll!.call(context as unknown as IPollFunctions);
		const results = await Promise.all(Array.from({ length: count }, poll));
		stored = staged;
		if (isActivating || results.some((items) => items !== null)) saved = JSON.stringify(stored);
		isActivating = false;
		return results;
	};
	return {
		poll: async () => (await polls(1))[0]!,
		pollTwice: async () => await polls(2),
		stored: () => stored,
		restart: () => {
			stored = JSON.parse(saved) as IDataObject;
			isActivating = true;
			forgetAll();
		},
	};
}
