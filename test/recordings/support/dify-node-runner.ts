/** Runs the Dify nodes with their classes and public parameters. */
import type { INodeExecutionData, INodeType } from 'n8n-workflow';

import { DifyApp } from '../../../nodes/DifyApp/DifyApp.node';
import { DifyChatMessage } from '../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../../nodes/DifyFeedback/DifyFeedback.node';
import { DifyKnowledge } from '../../../nodes/DifyKnowledge/DifyKnowledge.node';
import { DifyRetriever } from '../../../nodes/DifyRetriever/DifyRetriever.node';
import { DifyWorkflow } from '../../../nodes/DifyWorkflow/DifyWorkflow.node';
import { fakeContext } from '../../support/n8n/context';
import type { FakeContext } from '../../support/n8n/context';
import { everyOperation } from '../../support/n8n/every-operation';
import { executeContext } from '../../support/n8n/execute-context';
import type { ExecuteFake, ExecuteSetup } from '../../support/n8n/execute-context';

export const ACTION_NODES = {
	difyChatMessage: new DifyChatMessage(),
	difyWorkflow: new DifyWorkflow(),
	difyApp: new DifyApp(),
	difyConversation: new DifyConversation(),
	difyFeedback: new DifyFeedback(),
	difyKnowledge: new DifyKnowledge(),
} satisfies Record<string, INodeType>;

export type ActionNode = keyof typeof ACTION_NODES;

export interface DifyAccess {
	baseUrl: string;
	apiKey: string;
}

type Parameters = Record<string, unknown>;

const filledIn = new Map<ActionNode, ReadonlyMap<string, Parameters>>();

/** The fields of an operation as the editor fills them in. */
function presets(node: ActionNode, operation: string): Parameters {
	const { description } = ACTION_NODES[node];
	const known =
		filledIn.get(node) ??
		new Map(everyOperation(description).map(({ name, parameters }) => [name, parameters]));
	filledIn.set(node, known);
	const name = [description.displayName, operation].filter((part) => part !== '').join(' ');
	const parameters = known.get(name);
	if (parameters === undefined) throw new Error(`There is no operation ${name}`);
	return parameters;
}

/** Context of a node. @param operation resource and operation; empty if there is only one */
export function prepare(
	node: ActionNode,
	operation: string,
	{ baseUrl, apiKey }: DifyAccess,
	parameters: Parameters,
	setup: Partial<ExecuteSetup> = {},
): ExecuteFake {
	return executeContext({
		type: `n8n-nodes-local-llama.${node}`,
		credentials: { baseUrl, apiKey, keyType: keyTypeOf(apiKey) },
		parameters: { ...presets(node, operation), ...parameters },
		...setup,
	});
}

export async function execute(
	node: ActionNode,
	{ context }: ExecuteFake,
): Promise<INodeExecutionData[]> {
	const [items = []] = await ACTION_NODES[node].execute.call(context);
	return items;
}

function keyTypeOf(apiKey: string): 'app' | 'knowledge' {
	return apiKey.startsWith('dataset-') ? 'knowledge' : 'app';
}

/** Documents that a chain gets from Dify Retriever. */
export interface Retriever {
	invoke(
		query: unknown,
	): Promise<Array<{ pageContent: string; metadata: Record<string, unknown> }>>;
}

/**
 * @param context put over the context
 * @param itemIndex of the root node
 */
export async function supplyRetriever(
	{ baseUrl, apiKey }: DifyAccess,
	parameters: Parameters,
	{ context, itemIndex = 0 }: { context?: object; itemIndex?: number } = {},
): Promise<{ retriever: Retriever; fake: FakeContext }> {
	const fake = fakeContext(
		{ options: {}, ...parameters },
		{ baseUrl, apiKey, keyType: keyTypeOf(apiKey) },
	);
	Object.assign(fake.context, context);
	const { response } = await new DifyRetriever().supplyData.call(fake.context, itemIndex);
	return { retriever: response as Retriever, fake };
}
