import { isToolType } from 'n8n-workflow';
import { MODEL_LABEL } from '../../lib/exchange/request-fields';
import { toName } from '../../lib/fields/check-value';
import type {
	FieldTable,
	LocatorField,
	SecondsField,
	SwitchField,
	ValueSource,
} from '../../lib/fields/field';
import type {
	ModelAction,
	ModelActionOptions,
	ModelServer,
	PullProgress,
} from '../../lib/servers/types/server-type';
import { optionsField } from '../shared/fields/options-field';
import type { ChatStream } from '../../lib/n8n/chat-stream';
import { streamingField } from '../shared/items/concurrency';
import { defineOperation } from '../shared/items/define-operation';
import type { NodeResource, OperationItem } from '../shared/items/operation';
import type { LlamaCall, LocalLlamaOperation } from './run-local-llama';
import { runModelAction } from '../../lib/servers/model-actions';
import { asServerErrorOrThrow, ServerError } from '../../lib/errors/server-error';
import { createInputError } from '../../lib/errors/create-error';
import { toModelFacts } from '../../lib/health/facts';
import { listModels } from '../../lib/servers/list-models';
import { getProfile } from '../../lib/servers/profile';

/** Model that an operation acts on. */
const targetModelField = {
	kind: 'locator',
	label: MODEL_LABEL,
	search: 'searchAllModels',
	required: true,
	entered: [{ displayName: 'By Name', placeholder: 'e.g. qwen3-8b' }],
	// Without one, the error of the action says what to do.
	parse: (value: unknown, source: ValueSource): string => toName(source, value),
} as const satisfies LocatorField;

const allowChangesField = {
	kind: 'switch',
	label: 'Allow Changes to the Server',
	default: true,
	description:
		'Whether this node may change the models on the server disk. On if not set, but off when an agent uses the node as a tool.',
} as const satisfies SwitchField;

/**
 * Checks the option that allows changes, before anything is sent.
 *
 * @throws a `ServerError` of type `invalidInput`.
 */
function assertChangesAllowed({ context }: LlamaCall, isAllowed: boolean | undefined) {
	if (isAllowed ?? !isToolType(context.getNode().type)) return;
	throw createInputError(
		'Changes to the server are not allowed in this node',
		`Turn on the option ${allowChangesField.label}. Be careful if an agent uses the node: a deleted model cannot be restored.`,
	);
}

const waitField = { kind: 'switch', label: 'Wait Until Done', default: true } as const;

const idleTimeoutField = {
	kind: 'seconds',
	label: 'Idle Timeout (Seconds)',
	default: 300,
	description: 'How long to wait without progress on the server. 0 = no limit.',
} as const satisfies SecondsField;

const MIN_PAUSE_MS = 500;

/** Streams progress to the chat, at most twice per second: the step, and the percentage of each layer. */
export function createProgressReporter(
	{ chatStream }: { chatStream: Pick<ChatStream, 'write'> | undefined },
	now: () => number = () => performance.now(),
): (progress: PullProgress) => Promise<void> {
	let lastAt = -Infinity;
	let lastLine = '';
	return async (progress) => {
		const line = formatProgress(progress);
		const isNew = line !== lastLine;
		// Very short steps are skipped, except for the last one.
		if (!isNew || (now() - lastAt < MIN_PAUSE_MS && progress.status !== 'success')) return;
		lastAt = now();
		lastLine = line;
		await chatStream?.write(`${line}\n`);
	};
}

function formatProgress({ status, total, completed = 0 }: PullProgress) {
	return total === undefined || total <= 0
		? status
		: `${status}: ${Math.floor((completed / total) * 100)} %`;
}

const timeoutField = {
	kind: 'seconds',
	label: 'Wait Timeout (Seconds)',
	default: 600,
	range: [1],
	description: 'How long to wait until the model is loaded or unloaded',
} as const satisfies SecondsField;

/** Options of Load and Unload. */
const changeOptions = {
	timeout: timeoutField,
	wait: {
		...waitField,
		description:
			'Whether to wait until the model is loaded or unloaded. Ollama and LM Studio always wait.',
	},
} as const satisfies FieldTable;

/** What an action does besides its model. */
interface ActionRequest extends Pick<ModelActionOptions, 'model'> {
	/** Default: true. */
	wait?: boolean;
	timeoutMs?: number;
	/** Default: false. */
	isForced?: boolean;
	/** Default: false. */
	insecure?: boolean;
}

/** Milliseconds, as the timeouts are if they were not added. */
const DEFAULT_TIMEOUT_MS = timeoutField.default * 1000;

async function runAction(
	call: LlamaCall,
	action: ModelAction,
	{
		model,
		wait = true,
		timeoutMs = DEFAULT_TIMEOUT_MS,
		isForced = false,
		insecure = false,
	}: ActionRequest,
): Promise<OperationItem> {
	const { server, signal } = call;
	const onProgress = createProgressReporter(call);
	const options = { model, wait, timeoutMs, isForced, insecure, signal, onProgress };
	return { json: await runModelAction(server, action, options) };
}

/** @returns an empty list if the server has no models. */
async function fetchModels(server: ModelServer, signal: AbortSignal) {
	const modelList = await listModels(server, { signal }).catch(asServerErrorOrThrow);
	if (!(modelList instanceof ServerError)) return modelList;
	if (modelList.type === 'modelNotFound') return [];
	throw modelList;
}

export const models: NodeResource<LocalLlamaOperation> = {
	name: 'Model',
	value: 'model',
	description: 'Models on the server',
	operations: [
		defineOperation({
			name: 'Get Many',
			value: 'getAll',
			action: 'Get many models',
			description:
				'List the models with name, context, size, capabilities and state. Loads nothing.',
			fields: {
				options: optionsField({
					onlyLoaded: {
						kind: 'switch',
						label: 'Only Loaded Models',
						default: true,
						description: 'Whether to return only models in memory, if the server reports this',
					},
				}),
			},
			runsOnceForAllItems: true,
			execute: async ({ server, values, signal, itemIndex }) => {
				const { onlyLoaded = false } = values.options;
				const modelFacts = (await fetchModels(server, signal)).map(toModelFacts);
				const listedModels = modelFacts.filter(({ loaded }) => !onlyLoaded || loaded !== false);
				// The state says whether a model is loaded.
				return listedModels.map((model) => ({
					json: {
						...model,
						loaded: undefined,
						server: getProfile(server).getCachedType()?.name ?? 'other',
					},
					// Pairing each model with each input item would grow with both.
					from: itemIndex,
				}));
			},
		}),
		defineOperation({
			name: 'Load',
			value: 'load',
			action: 'Load a model into memory',
			description: 'Load a model on Ollama, LM Studio or a llama-server router',
			fields: { model: targetModelField, options: optionsField(changeOptions) },
			execute: async (call) => {
				const { model, options } = call.values;
				const { wait, timeout: timeoutMs } = options;
				return await runAction(call, 'load', { model, wait, timeoutMs });
			},
		}),
		defineOperation({
			name: 'Unload',
			value: 'unload',
			action: 'Unload a model from memory',
			description:
				'Unload a model on Ollama, LM Studio or a llama-server router. Waits for running responses.',
			fields: {
				model: targetModelField,
				options: optionsField({
					...changeOptions,
					force: {
						kind: 'switch',
						label: 'Force Unload',
						default: false,
						description:
							'Whether to unload a model even while it is responding, which cuts off its responses. Ollama still lets them finish.',
					},
				}),
			},
			execute: async (call) => {
				const { model, options } = call.values;
				const { wait, timeout: timeoutMs, force: isForced } = options;
				return await runAction(call, 'unload', { model, wait, timeoutMs, isForced });
			},
		}),
		defineOperation({
			name: 'Pull',
			value: 'pull',
			action: 'Pull a model onto the server',
			description:
				'Download a model on Ollama or a llama-server router. In a chat, the progress is shown.',
			fields: {
				modelName: {
					kind: 'name',
					label: 'Model Name',
					required: true,
					placeholder: 'e.g. qwen3:8b',
					description:
						'Ollama: a model from its library, or hf.co/USER/REPOSITORY:Q4_K_M. Router: a Hugging Face repository.',
				},
				options: optionsField({
					allowChanges: allowChangesField,
					idleTimeout: idleTimeoutField,
					enableStreaming: streamingField,
					insecure: {
						kind: 'switch',
						label: 'Insecure Registry',
						default: false,
						description: 'Whether Ollama may download from your own registry without TLS',
					},
					wait: {
						...waitField,
						description:
							'Whether to wait until the download is complete. Ollama cancels a download when no client waits for it.',
					},
				}),
			},
			execute: async (call) => {
				const { modelName, options } = call.values;
				const { allowChanges, wait, insecure } = options;
				const { idleTimeout: timeoutMs = idleTimeoutField.default * 1000 } = options;
				assertChangesAllowed(call, allowChanges);
				return await runAction(call, 'pull', { model: modelName, wait, timeoutMs, insecure });
			},
		}),
		defineOperation({
			name: 'Delete',
			value: 'delete',
			action: 'Delete a model',
			description:
				'Delete a model of Ollama, or one that a llama-server router downloaded, from the disk',
			fields: {
				model: targetModelField,
				options: optionsField({ allowChanges: allowChangesField }),
			},
			execute: async (call) => {
				const { model, options } = call.values;
				assertChangesAllowed(call, options.allowChanges);
				return await runAction(call, 'remove', { model });
			},
		}),
	],
};
