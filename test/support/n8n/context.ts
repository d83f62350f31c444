import type {
	ICredentialDataDecryptedObject,
	ISupplyDataFunctions,
	NodeExecutionHint,
} from 'n8n-workflow';

import { deepFreeze } from './deep-freeze';
import { createExecutionId } from './node-host';

export interface FakeContext {
	context: ISupplyDataFunctions;
	/** What the tracer recorded as the model's input and output. */
	inputs: Array<Record<string, unknown>>;
	outputs: unknown[];
	/** Without those that only describe a generation. */
	hints: NodeExecutionHint[];
	/** Hints that describe a generation. */
	summaries: string[];
	warnings: string[];
	cancel: AbortController;
}

/** A fake context of a sub-node, with the parts that the chat model and n8n's tracer use. */
export function fakeContext(
	parameters: Record<string, unknown>,
	credentials: ICredentialDataDecryptedObject,
): FakeContext {
	const inputs: Array<Record<string, unknown>> = [];
	const outputs: unknown[] = [];
	const hints: NodeExecutionHint[] = [];
	const summaries: string[] = [];
	const warnings: string[] = [];
	const cancel = new AbortController();
	// Of n8n, which gives the same to other nodes.
	for (const owned of [parameters, credentials]) deepFreeze(owned);
	const executionId = createExecutionId();
	const context = {
		getExecutionId: () => executionId,
		getCredentials: async () => credentials,
		getNodeParameter: (
			name: string,
			_index: number,
			fallback: unknown,
			options?: { extractValue?: boolean },
		) => {
			const value = name in parameters ? parameters[name] : fallback;
			const locator =
				typeof value === 'object' && value !== null && '__rl' in value
					? (value as unknown as { value: unknown })
					: undefined;
			return options?.extractValue && locator !== undefined ? locator.value : value;
		},
		getNode: () => ({
			id: '1',
			name: 'Local Chat Model',
			type: 'n8n-nodes-local-llama.localChatModel',
			typeVersion: 1,
			position: [0, 0],
			parameters,
		}),
		getWorkflow: () => ({ id: 'w1', name: 'Workflow', active: false }),
		getExecutionCancelSignal: () => cancel.signal,
		getMode: () => 'manual',
		addInputData: (_type: string, data: Array<Array<{ json: Record<string, unknown> }>>) => {
			inputs.push(data[0]![0]!.json);
			return { index: inputs.length - 1 };
		},
		addOutputData: (_type: string, _index: number, data: unknown) => {
			outputs.push(
				Array.isArray(data) ? (data as Array<Array<{ json: unknown }>>)[0]![0]!.json : data,
			);
		},
		addExecutionHints: (hint: NodeExecutionHint) =>
			hint.type === 'info' ? summaries.push(hint.message) : hints.push(hint),
		getNextRunIndex: () => 0,
		logAiEvent: () => {},
		logger: {
			warn: (text: string) => warnings.push(text),
			error: () => {},
			info: () => {},
			debug: () => {},
		},
		helpers: {},
	};
	return {
		context: context as unknown as ISupplyDataFunctions,
		inputs,
		outputs,
		hints,
		summaries,
		warnings,
		cancel,
	};
}
