import type { INodeExecutionData, INodeType, NodeOperationError } from 'n8n-workflow';

import type { DifyAppMode } from '../../lib/dify/types';
import { DifyChatMessage } from '../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../nodes/DifyFeedback/DifyFeedback.node';
import { appKey, type DifySim } from '../servers/dify';
import { executeContext, type ExecuteFake, type ExecuteSetup } from '../support/execute-context';

/** The Dify nodes, each with what the editor would fill in. */
const NODES = {
	difyChatMessage: {
		node: new DifyChatMessage(),
		filledIn: {
			query: 'hi',
			user: 'u1',
			conversation: 'new',
			inputsMode: 'json',
			inputsJson: '{}',
			simplify: true,
			options: {},
		},
	},
	difyFeedback: {
		node: new DifyFeedback(),
		filledIn: { operation: 'rate', user: 'u1', rating: 'like', content: '', options: {} },
	},
	difyConversation: { node: new DifyConversation(), filledIn: { user: 'u1', options: {} } },
};

export type DifyNodeName = keyof typeof NODES;

export type Setup = Partial<ExecuteSetup> & {
	/** The app whose key the credential has. */
	mode?: DifyAppMode;
};

/** The context in which a Dify node works against a simulator. */
export function prepareNode(
	name: DifyNodeName,
	sim: Pick<DifySim, 'url'>,
	{ mode = 'chat', parameters, ...setup }: Setup = {},
): ExecuteFake {
	return executeContext({
		type: `n8n-nodes-local-llama.${name}`,
		credentials: { baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app' },
		parameters: { ...NODES[name].filledIn, ...parameters },
		...setup,
	});
}

/** Runs a node in a context, and gives its items. */
export async function executeIn(name: DifyNodeName, { context }: ExecuteFake): Promise<INodeExecutionData[]> {
	const node: INodeType = NODES[name].node;
	const [items] = (await node.execute!.call(context)) as INodeExecutionData[][];
	return items!;
}

export async function executeNode(
	name: DifyNodeName,
	sim: Pick<DifySim, 'url'>,
	setup: Setup = {},
): Promise<INodeExecutionData[]> {
	return await executeIn(name, prepareNode(name, sim, setup));
}

/** n8n's own error, with which a node fails. */
export async function nodeErrorOf(outcome: Promise<unknown>): Promise<NodeOperationError> {
	const failed = await outcome.then(
		() => undefined,
		(error: unknown) => error as NodeOperationError,
	);
	expect(failed?.constructor.name).toBe('NodeOperationError');
	return failed!;
}

/** What the item of a failure says. */
export function errorIn({ json }: INodeExecutionData): Record<string, unknown> | undefined {
	return json.error as Record<string, unknown> | undefined;
}

/** So many items, each with a question and a user of its own. */
export function numbered(count: number): Required<Pick<ExecuteSetup, 'items' | 'perItem'>> {
	const at = Array.from({ length: count }, (_, index) => index);
	return {
		items: at.map((index) => ({ json: { at: index } })),
		perItem: at.map((index) => ({ query: `q${index}`, user: `u${index}` })),
	};
}
