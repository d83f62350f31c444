import { pullModel } from '../../../lib/servers/model-actions';
import { booleanField, optionsCollection, stringField } from '../../shared/field-builders';
import { streamingField } from '../options';
import type { LocalLlamaOperation } from '../operation';
import {
	allowChangesField,
	idleTimeoutField,
	readIdleTimeoutMs,
	createProgressReporter,
	assertChangesAllowed,
	waitField,
} from './fields';

export const modelPull: LocalLlamaOperation = {
	option: {
		name: 'Pull',
		value: 'pull',
		action: 'Pull a model onto the server',
		description:
			'Download a model on Ollama or a llama-server router. In a chat, the progress is shown.',
	},
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
			booleanField('Insecure Registry', 'insecure', false, {
				description: 'Whether Ollama may download from your own registry without TLS',
			}),
			waitField(
				'Whether to wait until the download is complete. Ollama cancels a download when no client waits for it.',
			),
		]),
	],
	run: async (call) => {
		assertChangesAllowed(call);
		const { parameters, server, signal } = call;
		const pullResult = await pullModel(server, {
			model: parameters.string('modelName'),
			wait: parameters.boolean('options.wait', true),
			insecure: parameters.boolean('options.insecure', false),
			timeoutMs: readIdleTimeoutMs(call),
			signal,
			onProgress: createProgressReporter(call),
		});
		return [{ json: pullResult }];
	},
};
