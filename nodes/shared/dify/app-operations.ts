import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { failuresToChat } from '../run/chat-typing';
import type { NodeOperation } from '../run/operations';
import { NodeParameters } from '../parameters';
import { DifyApps, type DifyApp } from './apps';
import { workOnDifyItems } from './items';
import { workFor } from './run-options';
import { AnswerTyping } from './typing';

/** What an operation on an app gets to do its work on one item. */
export interface AppCall {
	context: IExecuteFunctions;
	app: DifyApp;
	parameters: NodeParameters;
	signal: AbortSignal;
	/** The chat that the run is typed into, where there is one. */
	typing?: AnswerTyping;
}

/** One operation of a node on an app: gives items. */
export interface AppOperation extends NodeOperation<AppCall, INodeExecutionData[]> {
	/** It reads a run while that goes on: several at once, and typed into the chat. */
	readsRun?: boolean;
}

/** Runs an operation on every item. */
export async function runAppOperation(
	context: IExecuteFunctions,
	{ fields, run, readsRun = false }: AppOperation,
): Promise<INodeExecutionData[]> {
	const apps = new DifyApps(context);
	const parametersOf = (itemIndex: number) => new NodeParameters(context, itemIndex, fields);
	const { types, atOnce } = readsRun ? workFor(context, parametersOf(0)) : { types: false, atOnce: 1 };
	return await workOnDifyItems(
		context,
		async (itemIndex, signal) => {
			const typing = types ? new AnswerTyping(context, itemIndex) : undefined;
			const call = { context, app: await apps.of(itemIndex), parameters: parametersOf(itemIndex), signal, typing };
			return await run(call);
		},
		{
			atOnce,
			...(types ? failuresToChat(context) : {}),
		},
	);
}
