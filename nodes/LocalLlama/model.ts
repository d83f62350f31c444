import type { INodeProperties } from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import type { ModelAction, ModelServer, PullProgress } from '../../lib/servers/types/server-type';
import {
	streamingField,
	booleanField,
	resourceLocatorField,
	optionsCollection,
	stringField,
} from '../shared/field-builders';
import { secondsField } from '../shared/timeout-fields';
import type { ChatStream } from '../shared/run/chat-stream';
import type { NodeResource } from '../shared/run/operation';
import type { LlamaCall, LocalLlamaOperation } from './run-local-llama';
import { runModelAction } from '../../lib/servers/model-actions';
import { asServerErrorOrThrow, ServerError } from '../../lib/errors/server-error';
import { createInputError } from '../../lib/errors/create-error';
import { toModelFacts } from '../../lib/health/facts';
import { listModels } from '../../lib/servers/list-models';
import { getProfile } from '../../lib/servers/profile';

/** Model that an operation acts on. */
const targetModelField = resourceLocatorField(
	'Model',
	'model',
	'searchAllModels',
	{ required: true },
	{ displayName: 'By Name', placeholder: 'e.g. qwen3-8b' },
);

const allowChangesField = booleanField(
	'Allow Changes to the Server',
	'allowChanges',
	true,
	'Whether this node may change the models on the server disk. On if not set, but off when an agent uses the node as a tool.',
);

/**
 * Checks the option that allows changes, before anything is sent.
 *
 * @throws a `ServerError` of type `invalidInput`.
 */
function assertChangesAllowed({ context, parameters }: LlamaCall) {
	if (parameters.boolean('options.allowChanges', !isToolType(context.getNode().type))) return;
	throw createInputError(
		'Changes to the server are not allowed in this node',
		'Turn on the option Allow Changes to the Server. Be careful if an agent uses the node: a deleted model cannot be restored.',
	);
}

const waitField = (description: string) =>
	booleanField('Wait Until Done', 'wait', true, description);

const idleTimeoutField = secondsField(
	'Idle Timeout (Seconds)',
	'idleTimeout',
	300,
	'How long to wait without progress on the server. 0 = no limit.',
);

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

const timeoutField = secondsField(
	'Timeout (Seconds)',
	'timeout',
	600,
	'How long to wait until the model is loaded or unloaded',
	1,
);

/** Fields of Load and Unload, with extra options for one of them. */
export function changeFields(...extraFields: INodeProperties[]): INodeProperties[] {
	const wait = waitField(
		'Whether to wait until the model is loaded or unloaded. Ollama and LM Studio always wait.',
	);
	return [targetModelField, optionsCollection([timeoutField, wait, ...extraFields])];
}

/** Runs an action. An operation has only some of these fields. */
function runAction(action: ModelAction): LocalLlamaOperation['execute'] {
	const isPull = action === 'pull';
	return async (call) => {
		const { parameters, server, signal } = call;
		if (isPull || action === 'remove') assertChangesAllowed(call);
		const json = await runModelAction(server, action, {
			model: isPull ? parameters.requiredString('modelName') : parameters.string('model'),
			wait: parameters.boolean('options.wait', true),
			timeoutMs: isPull
				? parameters.milliseconds('options.idleTimeout', 300_000)
				: parameters.milliseconds('options.timeout', 600_000),
			isForced: parameters.boolean('options.force', false),
			insecure: parameters.boolean('options.insecure', false),
			signal,
			onProgress: createProgressReporter(call),
		});
		return { json };
	};
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
		{
			name: 'Get Many',
			value: 'getAll',
			action: 'Get many models',
			description:
				'List the models with name, context, size, capabilities and state. Loads nothing.',
			fields: [
				optionsCollection([
					booleanField(
						'Only Loaded Models',
						'onlyLoaded',
						true,
						'Whether to return only models in memory, if the server reports this',
					),
				]),
			],
			runsOnceForAllItems: true,
			execute: async ({ server, parameters, signal, itemIndex }) => {
				const onlyLoaded = parameters.boolean('options.onlyLoaded', false);
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
		},
		{
			name: 'Load',
			value: 'load',
			action: 'Load a model into memory',
			description: 'Load a model on Ollama, LM Studio or a llama-server router',
			fields: changeFields(),
			execute: runAction('load'),
		},
		{
			name: 'Unload',
			value: 'unload',
			action: 'Unload a model from memory',
			description:
				'Unload a model on Ollama, LM Studio or a llama-server router. Waits for running responses.',
			fields: changeFields(
				booleanField(
					'Force Unload',
					'force',
					false,
					'Whether to unload a model even while it is responding, which cuts off its responses. Ollama still lets them finish.',
				),
			),
			execute: runAction('unload'),
		},
		{
			name: 'Pull',
			value: 'pull',
			action: 'Pull a model onto the server',
			description:
				'Download a model on Ollama or a llama-server router. In a chat, the progress is shown.',
			fields: [
				stringField('Model Name', 'modelName', {
					required: true,
					placeholder: 'e.g. qwen3:8b',
					description:
						'Ollama: a model from its library, or hf.co/USER/REPOSITORY:Q4_K_M. Router: a Hugging Face repository.',
				}),
				optionsCollection([
					allowChangesField,
					idleTimeoutField,
					streamingField,
					booleanField(
						'Insecure Registry',
						'insecure',
						false,
						'Whether Ollama may download from your own registry without TLS',
					),
					waitField(
						'Whether to wait until the download is complete. Ollama cancels a download when no client waits for it.',
					),
				]),
			],
			execute: runAction('pull'),
		},
		{
			name: 'Delete',
			value: 'delete',
			action: 'Delete a model',
			description:
				'Delete a model of Ollama, or one that a llama-server router downloaded, from the disk',
			fields: [targetModelField, optionsCollection([allowChangesField])],
			execute: runAction('remove'),
		},
	],
};
